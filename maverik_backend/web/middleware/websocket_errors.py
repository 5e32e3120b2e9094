"""How WebSockets are refused and ended: as problems before they are accepted, by close codes afterwards.

=============================================  =====================  =============================================
What the route does                            Before it accepts      Afterwards
=============================================  =====================  =============================================
raises an error of ours, or another refusal    the problem            1008; 1013 (try again later) where it is a 503
closes                                         403                    with its code
ends                                           500                    1000
raises what is unexpected                      500, and a log line    1011, and a log line
=============================================  =====================  =============================================
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from maverik_backend.web import problems

NORMAL, POLICY_VIOLATION, INTERNAL_ERROR, TRY_AGAIN_LATER = 1000, 1008, 1011, 1013
FORBIDDEN = 403
FIRST_SERVER_ERROR, UNAVAILABLE = 500, 503

_log = structlog.get_logger(__name__)


class WebSocketErrors:
    """Middleware: the table above."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, receive, send)
        try:
            await self._app(scope, receive, answer.send)
        except WebSocketDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - told by a line and a close code
            if answer.is_gone:
                return
            _log.exception("unexpected_error", kind=type(error).__name__)
            await answer.fail()
        else:
            await answer.finish()


class _Answer:
    """What is sent to one WebSocket."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.is_gone = False
        self._is_accepted = False
        self._is_over = False
        self._refuse: Callable[[Any], Awaitable[None]] = lambda response: response(scope, receive, self._pass_on)
        self._send = send

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if self._is_accepted and kind == "websocket.http.response.start":
            await self._close(_close_code(message["status"]))
        elif self._is_accepted and kind == "websocket.http.response.body":
            return  # of the refusal above
        elif kind == "websocket.close" and not self._is_accepted and not self._is_over:
            await self._refuse(problems.response_for_status(FORBIDDEN))
        else:
            await self._pass_on(message)

    async def fail(self) -> None:
        """End after an unexpected error."""
        if self._is_accepted:
            await self._close(INTERNAL_ERROR)
        elif not self._is_over:
            await self._refuse(problems.response_of(problems.INTERNAL))

    async def finish(self) -> None:
        """End after a route that did not say how."""
        if self._is_accepted:
            await self._close(NORMAL)
        elif not self._is_over and not self.is_gone:
            _log.error("websocket_not_accepted")
            await self._refuse(problems.response_of(problems.INTERNAL))

    async def _close(self, code: int) -> None:
        if not self._is_over and not self.is_gone:
            await self._pass_on({"type": "websocket.close", "code": code})

    async def _pass_on(self, message: Message) -> None:
        self._is_accepted = self._is_accepted or message["type"] == "websocket.accept"
        self._is_over = self._is_over or message["type"] in {"websocket.close", "websocket.http.response.start"}
        try:
            await self._send(message)
        except OSError:  # what servers raise once the client is gone (ASGI, "Send: exceptions")
            self.is_gone = True
            raise


def _close_code(status: int) -> int:
    if status == UNAVAILABLE:
        return TRY_AGAIN_LATER
    return INTERNAL_ERROR if status >= FIRST_SERVER_ERROR else POLICY_VIOLATION
