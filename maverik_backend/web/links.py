"""Links between the pages of a list (RFC 8288)."""

from __future__ import annotations

from urllib.parse import urlencode


def link_to(relation: str, **query: int | None) -> str:
    """The value of a ``Link`` header to another page of the same resource.

    The target is a query alone, which is resolved against the address of the request (RFC 3986, section 5.2.2), so it
    is right behind any proxy and under any prefix. Parameters that are ``None`` are left out.
    """
    parameters = urlencode({name: value for name, value in query.items() if value is not None})
    return f'<?{parameters}>; rel="{relation}"'
