"""How many requests one address may send, whatever they ask for (OWASP API4:2023).

In middleware, so that paths that do not exist count too, and so that nothing is looked up for what is refused. Counting
in memory takes a few microseconds and happens right here; a storage elsewhere is asked in threads of its own, so that
waiting for it takes no thread from requests that hold a connection.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import anyio
import anyio.to_thread
from fastapi import Response
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from maverik_backend.errors import MaverikError, UpstreamTimeout
from maverik_backend.services.limits import Action, Throttle
from maverik_backend.web import problems
from maverik_backend.web.client_info import client_info_of

THREADS = 4
# A storage that does not answer must not make requests wait that need no storage, such as the documentation's.
LONGEST_WAIT_S = 5.0
# Asked often by what watches over the service, and answered at once.
_NOT_COUNTED = frozenset({"/", "/health", "/health/live", "/health/ready", "/metrics"})


def is_preflight(scope: Scope) -> bool:
    """Whether a request asks what another one may do (``OPTIONS``), which CORS answers."""
    return bool(scope.get("method") == "OPTIONS")


def is_ordinary(scope: Scope) -> bool:
    """Whether a request, or the handshake of a WebSocket, is neither that nor a question about the service itself."""
    return not is_preflight(scope) and scope["path"] not in _NOT_COUNTED


class AddressLimit:
    """Counts the requests that ``is_counted`` as ``action``."""

    def __init__(
        self,
        *,
        action: Action,
        is_counted: Callable[[Scope], bool],
        throttle: Throttle,
        trusted_proxy_count: int,
        is_counted_here: bool,
    ) -> None:
        """``is_counted_here`` says that the throttle's storage is this process's memory."""
        self._action = action
        self._is_counted = is_counted
        self._throttle = throttle
        self._trusted_proxy_count = trusted_proxy_count
        self._is_counted_here = is_counted_here
        self._threads = anyio.CapacityLimiter(THREADS)

    async def refusal(self, scope: Scope) -> Response | None:
        """Count a request, if it is one of those; the answer to one too many."""
        if scope["type"] not in {"http", "websocket"} or not self._is_counted(scope):
            return None
        try:
            await self._count(
                client_info_of(HTTPConnection(scope), trusted_proxy_count=self._trusted_proxy_count).limit_address
            )
        except MaverikError as error:
            return problems.response_for_error(error)
        return None

    async def _count(self, address: str) -> None:
        count = partial(self._throttle.count, self._action, address)
        if self._is_counted_here:
            count()
        else:
            try:
                with anyio.fail_after(LONGEST_WAIT_S):
                    await anyio.to_thread.run_sync(count, limiter=self._threads, abandon_on_cancel=True)
            except TimeoutError:
                raise UpstreamTimeout("rate_limit_storage") from None


class LimitedByAddress:
    """Middleware: answers what ``limit`` refuses."""

    def __init__(self, app: ASGIApp, *, limit: AddressLimit) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._limit.refusal(scope)
        await (refusal or self._app)(scope, receive, send)
