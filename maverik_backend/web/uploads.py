"""Files as bodies of requests.

A file is read after the login was found open, and within a share of how many may be read at once, since it is in memory
as a whole. Its size and time are bounded by ``web/middleware/body_limit.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Request

from maverik_backend.errors import FieldError, InvalidInput, TooManyAtOnce
from maverik_backend.services.limits import Action, Share
from maverik_backend.texts import documents as texts
from maverik_backend.web.dependencies import App, CurrentPrincipal, DetachedLogin

MAX_AT_ONCE = 6
"""Uploads in a process: 20 MiB each."""
MAX_PER_PRINCIPAL = 2
_FORM = "multipart/form-data"

OPENAPI_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "El archivo, tal cual: sin formulario.",
        # Any other type is taken as well; generated clients know this one.
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
"""What a route with an uploaded file says of its body (``openapi_extra``)."""


def count_upload(app: App, principal: CurrentPrincipal, signed_in: DetachedLogin) -> None:
    """Count one upload of a login that is open."""
    del signed_in
    app.throttle.count(Action.ADD_DOCUMENT, principal.key)


async def _content(
    request: Request, app: App, principal: CurrentPrincipal, _counted: Annotated[None, Depends(count_upload)]
) -> AsyncIterator[bytes]:
    if request.headers.get("Content-Type", "").lower().startswith(_FORM):
        raise InvalidInput([FieldError("archivo", texts.NO_FORM)])
    share = Share.of_principal(principal, limit=MAX_PER_PRINCIPAL, refusal=TooManyAtOnce)
    with app.uploads.slot(share):
        yield await request.body()


UploadedContent = Annotated[bytes, Depends(_content, scope="function")]
"""The bytes of the body; the place among the uploads is held until the route has returned."""
