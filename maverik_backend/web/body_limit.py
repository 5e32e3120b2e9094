"""No request body is read beyond what any of ours can need: the rest would only fill memory (OWASP API4:2023)."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maverik_backend.web import problems

TOO_LARGE = 413


class BodyLimit:
    """Middleware: refuses a body of more than ``max_bytes``, by what it declares or, without that, as it comes."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("Content-Length", "0")
        if declared.isdigit() and int(declared) > self._max_bytes:
            await problems.response_for_status(TOO_LARGE)(scope, receive, send)
            return
        received = 0

        async def counted_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(TOO_LARGE)
            return message

        await self._app(scope, counted_receive, send)
