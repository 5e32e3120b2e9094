"""One log line and one measurement a request, and the ids that tie every other line to it.

Pure ASGI, because the ids must be in the context that the route's thread inherits. The line holds the route's template,
never the path, the query or the body.
"""

from __future__ import annotations

import re
import secrets
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maverik_backend.core import trace
from maverik_backend.core.metrics import Metrics
from maverik_backend.core.principal import Principal, PrincipalKind
from maverik_backend.core.trace import Trace

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ACCOUNTS = frozenset({PrincipalKind.PERSON, PrincipalKind.OPERATOR})
_ID = re.compile(r"[0-9]{1,19}")

_log = structlog.get_logger(__name__)


class RequestLog:
    """Middleware: accepts a well-formed ``X-Request-ID`` or makes one, returns it, and writes the line.

    So it does with the ids of ``traceparent`` (``core/trace.py``), which are not returned. The resolvers of
    ``web/principal/`` put ``principal`` into the request's state.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = request_id_of(headers)
        scope.setdefault("state", {})
        started = time.perf_counter()
        status, began_s = 500, 0.0

        async def send_with_id(message: Message) -> None:
            nonlocal status, began_s
            if message["type"] == "http.response.start":
                status, began_s = message["status"], time.perf_counter() - started
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with trace.following(trace_of(headers), request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                self._report(scope, status=status, began_s=began_s, duration_s=time.perf_counter() - started)

    def _report(self, scope: Scope, *, status: int, began_s: float, duration_s: float) -> None:
        """``began_s`` is when the answer began: what a stream is measured by, whose length says nothing of us."""
        method, route = scope["method"], getattr(scope.get("route"), "path", None)
        stream_end = scope["state"].get("stream_end")
        answered_s = began_s if stream_end else duration_s
        self._metrics.count_request(method=method, route=route, status=status, duration_s=answered_s)
        if stream_end:
            self._metrics.count_stream(end=stream_end, duration_s=duration_s)
        _log.info(
            "request",
            method=method,
            route=route,
            status=status,
            duration_ms=round(duration_s * 1000, 1),
            **principal_fields(scope),
            session_id=session_id_of(scope),
            **({"stream_end": stream_end} if stream_end else {}),
        )


def request_id_of(headers: Headers) -> str:
    """What ``X-Request-ID`` says where that is well-formed, else a new id."""
    given = headers.get(HEADER, "")
    return given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(16)


def trace_of(headers: Headers) -> Trace:
    """The ids of ``traceparent``, or new ones."""
    return Trace.of_headers(parents=headers.getlist("traceparent"), states=headers.getlist("tracestate"))


def principal_fields(scope: Scope) -> dict[str, object]:
    """Who sent the request; ``user_id`` is the same id where it is that of an account."""
    principal: Principal | None = scope["state"].get("principal")
    if principal is None:
        return {"user_id": None, "principal_kind": None, "principal_id": None}
    return {
        "user_id": principal.id if principal.kind in _ACCOUNTS else None,
        "principal_kind": principal.kind.value,
        "principal_id": principal.id,
    }


def session_id_of(scope: Scope) -> int | None:
    """The path's; ``None`` where it holds no id."""
    given = str(scope.get("path_params", {}).get("session_id", ""))
    return int(given) if _ID.fullmatch(given) else None
