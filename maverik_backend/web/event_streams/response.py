"""A response that sends a turn's events as they come, and notices at once that its client has left.

Of its own because Starlette's holds a thread for each synchronous generator, and FastAPI's costs twice as much a frame
and has begun to answer before a refusal can still be said. ``send`` of a client that has left returns silently, so
``receive`` is watched beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextlib import aclosing
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from maverik_backend.services.turns import Subscription, TurnEvent, TurnLog

PING_INTERVAL_S = 15.0
WRITE_TIMEOUT_S = 30.0
"""A client that takes no more of what it was sent for so long is cut off; its turn goes on and can be resumed."""


class StreamEnd(StrEnum):
    """How a stream ended, for the request's log line and the metrics."""

    COMPLETE = "complete"
    CLIENT_LEFT = "client_left"
    CLIENT_STALLED = "client_stalled"
    FAILED = "failed"


class EventStreamResponse(Response):
    """``headers``, then what ``encode`` makes of each batch of events until the log is complete."""

    def __init__(
        self,
        log: TurnLog,
        *,
        encode: Callable[[Iterable[TurnEvent]], bytes],
        headers: Mapping[str, str],
        ping: bytes,
        write_timeout_s: float = WRITE_TIMEOUT_S,
    ) -> None:
        self._log = log
        self._encode = encode
        self.status_code = 200
        self.background = None
        self.init_headers(headers)
        self._ping = ping
        self._write_timeout_s = write_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        state["stream_end"] = StreamEnd.FAILED.value
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_until_disconnect, receive, state, tasks.cancel_scope)
            # In a task of its own: every batch resumes it, and would else resume each middleware's frame on the way.
            tasks.start_soon(self._deliver, send, state, tasks.cancel_scope)

    async def _deliver(self, send: Send, state: MutableMapping[str, Any], scope: anyio.CancelScope) -> None:
        state["stream_end"] = (await self._send_events(send)).value
        scope.cancel()

    async def _send_events(self, send: Send) -> StreamEnd:
        batches = Subscription(self._log, idle_s=PING_INTERVAL_S).batches()
        async with aclosing(batches):
            with _StallGuard(self._write_timeout_s) as guard:
                async for batch in batches:
                    body = self._encode(batch) if batch else self._ping
                    guard.begins()
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                    guard.ends()
        if guard.has_stalled:
            return StreamEnd.CLIENT_STALLED
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return StreamEnd.COMPLETE


class _StallGuard:
    """Ends its block when one write in it takes longer than ``timeout_s``, at most twice as long.

    One timer for the whole stream looks whether a write is under way: a time-out for each of them costs more than the
    write.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._scope = anyio.CancelScope()
        self._loop = asyncio.get_running_loop()
        self._began: float | None = None

    def begins(self) -> None:
        """A write begins."""
        self._began = self._loop.time()

    def ends(self) -> None:
        """It ended."""
        self._began = None

    @property
    def has_stalled(self) -> bool:
        """Whether the block was ended so."""
        return self._scope.cancelled_caught

    def __enter__(self) -> Self:
        self._scope.__enter__()
        self._timer = self._loop.call_later(self._timeout_s, self._look)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        self._timer.cancel()
        return self._scope.__exit__(kind, error, traceback)

    def _look(self) -> None:
        remaining_s = self._timeout_s
        if self._began is not None:
            remaining_s = self._began + self._timeout_s - self._loop.time()
        if remaining_s <= 0:
            self._scope.cancel()
        else:
            self._timer = self._loop.call_later(remaining_s, self._look)


async def _until_disconnect(receive: Receive, state: MutableMapping[str, Any], scope: anyio.CancelScope) -> None:
    """End the stream as soon as the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    if state["stream_end"] == StreamEnd.FAILED.value:  # a complete one is left too, in the end
        state["stream_end"] = StreamEnd.CLIENT_LEFT.value
    scope.cancel()
