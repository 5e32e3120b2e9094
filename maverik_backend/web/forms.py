"""The bodies of our own pages' forms: urlencoded, small (``web/middleware/body_limit.py``), not from another site.

There is no CSRF token, because there is nothing for one to protect: no cookie and no other credential comes by itself.
A form carries the whole authority of its request, the token of a mailed link or a key, and who knows these needs no
browser of another person. What another site could do all the same, spending its visitors' limits, is refused by what
browsers say of a request's origin, as Go's ``http.CrossOriginProtection`` does.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

MAX_FIELDS = 10
MEDIA_TYPE = "application/x-www-form-urlencoded"

BAD_REQUEST, FORBIDDEN, UNSUPPORTED = 400, 403, 415


async def read_form(request: Request) -> dict[str, str]:
    """The fields of the form that was sent; of a repeated one the last."""
    if not _is_from_here(request):
        raise HTTPException(FORBIDDEN)
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise HTTPException(UNSUPPORTED)
    try:
        body = await request.body()
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except (ValueError, ClientDisconnect):
        raise HTTPException(BAD_REQUEST) from None
    return dict(pairs)


SentForm = Annotated[dict[str, str], Depends(read_form)]


def _is_from_here(request: Request) -> bool:
    """Whether no browser says that another site sends this (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/).

    Browsers say ``null`` for ``Origin`` on every post from a page whose ``Referrer-Policy`` is ``no-referrer``, as that
    of ours is: it tells nothing. Over plain http they leave ``Sec-Fetch-Site`` out.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin", "null")
    return origin == "null" or origin.partition("://")[2] == request.headers.get("Host")
