"""No request body is read beyond what any of ours can need, or for longer (OWASP API4:2023).

Most bodies are a few hundred bytes, so most routes read little; those that need more are named in :data:`OF_ROUTES`.
What is read is parsed and validated on the event loop, where all other requests wait for it. Time counts from when
the application begins to read: the time that a request waits for a thread is not the client's.
"""

from __future__ import annotations

import asyncio
import time

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maverik_backend.core.documents.limits import MAX_BYTES as MAX_UPLOAD_BYTES
from maverik_backend.web import problems

TOO_LARGE = 413
TOO_SLOW = 408
MAX_BYTES = 16 * 1024
OF_ROUTES = {
    # 8,000 characters, every one escaped as two surrogates: 96,000 bytes.
    "create_turn": 128 * 1024,
}
"""By the name of the route function."""
LARGEST_BYTES = max(MAX_BYTES, *OF_ROUTES.values())
"""Of bodies that are parsed."""
UPLOADS = {("POST", "/documents"): MAX_UPLOAD_BYTES}
"""Bodies that are a file, by method and path, so that every other path refuses them before it is looked for."""
UPLOAD_S = 180.0
"""How long a file may take: 20 MiB at 120 KB/s."""
# The largest body takes so long at 5 KB/s; nginx's client_body_timeout is the second one.
BODY_S = 30.0
LONGEST_PAUSE_S = 10.0

# Longer than any length that is not too large; int() takes 4,300 digits at most.
_MAX_LENGTH_DIGITS = 19


class BodyLimit:
    """Middleware: refuses a body that is too large for its route, by what it declares or, without that, as it comes.

    So it does with one that is not complete after ``body_s``, or pauses for ``longest_pause_s``.
    """

    def __init__(self, app: ASGIApp, *, body_s: float = BODY_S, longest_pause_s: float = LONGEST_PAUSE_S) -> None:
        self._app = app
        self._body_s = body_s
        self._longest_pause_s = longest_pause_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = _declared_bytes(scope)
        if declared > (_upload_limit(scope) or LARGEST_BYTES):
            await problems.response_for_status(TOO_LARGE)(scope, receive, send)
            return
        body_s = self._body_s if _upload_limit(scope) is None else max(self._body_s, UPLOAD_S)
        body = _BoundedBody(scope, receive, declared=declared, body_s=body_s, longest_pause_s=self._longest_pause_s)

        async def watched_send(message: Message) -> None:
            body.is_wanted = False
            await send(message)

        await self._app(scope, body.receive, watched_send)


class _BoundedBody:
    """``receive`` that raises once too much is declared or was received, or it took too long.

    The route, and with it the limit, is known when it is first called. Once the answer has begun (``is_wanted`` is
    false) nothing can be refused any more: what is received then only tells that the client went away, whenever it
    does, and the connection bounds the rest of the body (``connections/limits.py``).
    """

    def __init__(self, scope: Scope, receive: Receive, *, declared: int, body_s: float, longest_pause_s: float) -> None:
        self.is_wanted = True
        self._scope = scope
        self._receive = receive
        self._declared = declared
        self._received = 0
        self._body_s = body_s
        self._longest_pause_s = longest_pause_s
        self._deadline: float | None = None

    async def receive(self) -> Message:
        if not self.is_wanted:
            return await self._receive()
        limit = _limit_of(self._scope)
        if self._declared > limit:
            raise HTTPException(TOO_LARGE)
        message = await self._receive_in_time()
        self._received += len(message.get("body", b""))
        if self._received > limit and self.is_wanted:
            raise HTTPException(TOO_LARGE)
        if not message.get("more_body", False):
            self.is_wanted = False
        return message

    async def _receive_in_time(self) -> Message:
        now = time.monotonic()
        self._deadline = self._deadline or now + self._body_s
        try:
            async with asyncio.timeout(min(self._longest_pause_s, self._deadline - now)):
                return await self._receive()
        except TimeoutError:
            if not self.is_wanted:  # the answer began meanwhile
                return await self._receive()
            # The rest of the body must not be taken for the next request.
            raise HTTPException(TOO_SLOW, headers={"Connection": "close"}) from None


def _limit_of(scope: Scope) -> int:
    if upload := _upload_limit(scope):
        return upload
    return OF_ROUTES.get(getattr(scope.get("route"), "name", ""), MAX_BYTES)


def _upload_limit(scope: Scope) -> int | None:
    return UPLOADS.get((scope["method"], scope["path"]))


def _declared_bytes(scope: Scope) -> int:
    """What ``Content-Length`` says; 0 without a number there, as the body is counted when it comes."""
    given = Headers(scope=scope).get("Content-Length", "")
    return int(given[:_MAX_LENGTH_DIGITS]) if given.isascii() and given.isdigit() else 0
