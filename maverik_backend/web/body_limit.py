"""No request body is read beyond what any of ours can need, or for longer (OWASP API4:2023).

Time counts from when the application begins to read: a client may wait for us, but not we for it.
"""

from __future__ import annotations

import anyio
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maverik_backend.web import problems

TOO_LARGE = 413
TOO_SLOW = 408
# A body of MAX_BODY_BYTES (api.py) takes so long at 9 KB/s; nginx's client_body_timeout is the second one.
BODY_S = 30.0
LONGEST_PAUSE_S = 10.0


class BodyLimit:
    """Middleware: refuses a body of more than ``max_bytes``, by what it declares or, without that, as it comes.

    So it does with one that is not complete after ``body_s``, or pauses for ``longest_pause_s``.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, body_s: float = BODY_S, longest_pause_s: float = LONGEST_PAUSE_S
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._body_s = body_s
        self._longest_pause_s = longest_pause_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("Content-Length", "0")
        if declared.isdigit() and int(declared) > self._max_bytes:
            await problems.response_for_status(TOO_LARGE)(scope, receive, send)
            return
        await self._app(scope, self._bounded(receive), send)

    def _bounded(self, receive: Receive) -> Receive:
        received = 0
        is_complete = False
        deadline: float | None = None

        async def bounded_receive() -> Message:
            nonlocal received, is_complete, deadline
            if is_complete:  # what comes now is that the client went away, whenever it does
                return await receive()
            deadline = deadline or anyio.current_time() + self._body_s
            message = await _receive_within(min(self._longest_pause_s, deadline - anyio.current_time()), receive)
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(TOO_LARGE)
            is_complete = not message.get("more_body", False)
            return message

        return bounded_receive


async def _receive_within(seconds: float, receive: Receive) -> Message:
    try:
        with anyio.fail_after(seconds):
            return await receive()
    except TimeoutError:
        # The rest of the body must not be taken for the next request.
        raise HTTPException(TOO_SLOW, headers={"Connection": "close"}) from None
