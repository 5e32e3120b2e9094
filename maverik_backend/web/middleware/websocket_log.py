"""One log line and one measurement a WebSocket, as ``request_log.py`` has them for requests.

The line is written at the end. Like the other it holds the route's template, never the path or the query, which may
hold a token, nor a message.
"""

from __future__ import annotations

import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maverik_backend.core import trace
from maverik_backend.core.metrics import Metrics
from maverik_backend.web.middleware.request_log import (
    HEADER,
    principal_fields,
    request_id_of,
    session_id_of,
    trace_of,
)

SWITCHING_PROTOCOLS = 101
CLIENT_LEFT = 499  # before it was answered; no status of HTTP, but what nginx writes, and no failure of ours
ABNORMAL = 1006  # the connection ended without a close frame (RFC 6455, section 7.1.5)

_log = structlog.get_logger(__name__)


class WebSocketLog:
    """Middleware: request id and trace of a handshake, which its answer returns; at the end, the line."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = request_id_of(headers)
        scope.setdefault("state", {})
        watched = _Watched(receive, send, request_id=request_id, metrics=self._metrics)
        with trace.following(trace_of(headers), request_id=request_id):
            try:
                await self._app(scope, watched.receive, watched.send)
                await watched.find_close_code()
            finally:
                self._report(scope, watched)

    def _report(self, scope: Scope, watched: _Watched) -> None:
        """A refused handshake is a request like any other; an accepted one counts as such with the time it took."""
        route = getattr(scope.get("route"), "path", None)
        duration_s = time.perf_counter() - watched.started
        is_open = watched.status == SWITCHING_PROTOCOLS
        answered_s = watched.answered_s or duration_s
        self._metrics.count_request(method="GET", route=route, status=watched.status, duration_s=answered_s)
        if is_open:
            self._metrics.count_open_websockets(-1)
            self._metrics.count_websocket(close=watched.close_code, duration_s=duration_s)
        _log.info(
            "websocket",
            route=route,
            status=watched.status,
            close_code=watched.close_code if is_open else None,
            duration_ms=round(duration_s * 1000, 1),
            **principal_fields(scope),
            session_id=session_id_of(scope),
        )


class _Watched:
    """``receive`` and ``send`` of one WebSocket, from which status and close code are read."""

    def __init__(self, receive: Receive, send: Send, *, request_id: str, metrics: Metrics) -> None:
        self.started = time.perf_counter()
        self.answered_s = 0.0
        self.status = 500
        self._close_code: int | None = None  # once it is known
        self._is_gone = False
        self._receive = receive
        self._send = send
        self._request_id = request_id
        self._metrics = metrics

    @property
    def close_code(self) -> int:
        return self._close_code or ABNORMAL

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._leave(message.get("code"))
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind in {"websocket.accept", "websocket.http.response.start"}:
            MutableHeaders(scope=message)[HEADER] = self._request_id
        try:
            await self._send(message)
        except OSError:  # what servers raise once the client is gone (ASGI, "Send: exceptions")
            self._is_gone = True
            self._leave(None)
            raise
        if kind == "websocket.accept":
            self._answer(SWITCHING_PROTOCOLS)
            self._metrics.count_open_websockets(1)
        elif kind == "websocket.http.response.start":
            self._answer(message["status"])
        elif kind == "websocket.close":
            self._close_code = self._close_code or message.get("code", 1000)

    async def find_close_code(self) -> None:
        """Read on to the end where a send found the client gone: the server has told why by then."""
        while self._is_gone and self._close_code is None:
            await self.receive()

    def _answer(self, status: int) -> None:
        self.status = status
        self.answered_s = time.perf_counter() - self.started

    def _leave(self, code: int | None) -> None:
        """Note that the connection ended, and why if that is known; the first reason counts."""
        self._close_code = self._close_code or code
        if not self.answered_s:
            self.status = CLIENT_LEFT
