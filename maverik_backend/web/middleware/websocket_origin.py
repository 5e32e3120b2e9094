"""Which web pages may open WebSockets (RFC 6455, section 10.2; CWE-1385).

CORS does not hold browsers back from them, but they name the page's ``Origin``. Who names none is no browser, and may.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from maverik_backend.web import problems

FORBIDDEN = 403


class WebSocketOrigin:
    """Middleware: refuses handshakes of pages whose origin is not one of ``origins``, before anything is looked up."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not self._is_allowed(Headers(scope=scope).getlist("Origin")):
            await problems.response_for_status(FORBIDDEN)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_allowed(self, given: list[str]) -> bool:
        return all(origin.lower() in self._origins for origin in given)
