"""The log of one turn: appended to by the thread that generates, read by any number of edges.

Reading never blocks the writer and waking is coalesced: a reader is woken at most once between two of its reads, so a
turn of 40 pieces a second costs its event loop as many wakes as the reader's flush interval allows, not one a piece.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from typing import Protocol

from maverik_backend.services.turns.events import TurnEvent, is_last

FLUSH_INTERVAL_S = 0.025
"""A reader that was silent for so long is woken at once; one that has just read waits for the rest of it."""


class Listener(Protocol):
    """What is called when a log has grown."""

    def notify(self) -> None:
        """Called after each append, in the appending thread; must neither block nor raise."""


class TurnLog:
    """An append-only list of events. Appended to by one thread at a time, read from any."""

    def __init__(self) -> None:
        self._events: list[TurnEvent] = []
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()

    @property
    def is_complete(self) -> bool:
        """Whether the last event is there."""
        return bool(self._events) and is_last(self._events[-1])

    @property
    def listener_count(self) -> int:
        """How many read it now."""
        return len(self._listeners)

    def append(self, event: TurnEvent) -> None:
        """Add ``event`` and tell the listeners."""
        self._events.append(event)
        for listener in self._listeners:
            listener.notify()

    def read(self, after: int = 0) -> Sequence[TurnEvent]:
        """The events from number ``after`` on."""
        return self._events[after:]

    def has_after(self, number: int) -> bool:
        """Whether there are events from ``number`` on."""
        return len(self._events) > number

    def add_listener(self, listener: Listener) -> None:
        """Notify ``listener`` of everything that is appended from now on."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def remove_listener(self, listener: Listener) -> None:
        """Undo :meth:`add_listener`."""
        with self._lock:
            self._listeners = tuple(known for known in self._listeners if known is not listener)


class Subscription:
    """Reads a log from an event loop: ``async for batch in subscription.batches()`` until the log's last event.

    A batch holds what was appended since the one before. It is empty when nothing came for ``idle_s``, so that an edge
    can send something that keeps the connection open. At most one batch comes in :data:`FLUSH_INTERVAL_S`.

    A stream has thousands of batches, so each of them costs one callback of the loop and one step of the reading task:
    no timer, unless the log grows faster than it is flushed, and none for ``idle_s`` but one for the whole stream.
    """

    def __init__(self, log: TurnLog, *, idle_s: float) -> None:
        self._log = log
        self._idle_s = idle_s
        self._cursor = 0
        self._loop = asyncio.get_running_loop()
        self._batch_at = -math.inf
        self._waiter: asyncio.Future[bool] | None = None
        self._timers: dict[Callable[[], None], asyncio.TimerHandle] = {}
        self._is_armed = False

    def notify(self) -> None:
        """Wake the reader if it waits. The flag is set by the loop and cleared here, so one read costs one wake."""
        if self._is_armed and not self._loop.is_closed():
            self._is_armed = False
            with suppress(RuntimeError):  # the loop was closed at this moment
                self._loop.call_soon_threadsafe(self._flush)

    async def batches(self) -> AsyncGenerator[Sequence[TurnEvent]]:
        """The batches. Close the generator (``contextlib.aclosing``) to stop listening before the end."""
        self._log.add_listener(self)
        self._call_later(self._idle_s, self._look_for_silence)
        try:
            while True:
                batch = await self._next_batch()
                self._batch_at = self._loop.time()
                yield batch
                if batch and is_last(batch[-1]):
                    return
        finally:
            self._log.remove_listener(self)
            for timer in self._timers.values():
                timer.cancel()

    async def _next_batch(self) -> Sequence[TurnEvent]:
        is_silent = False
        while True:
            self._waiter = self._loop.create_future()
            # Armed before it reads: what is appended after the read finds it armed.
            self._is_armed = True
            if self._log.has_after(self._cursor):
                self._is_armed = False
                self._flush()
            is_silent = await self._waiter
            self._is_armed = False
            batch = self._log.read(self._cursor)
            self._cursor += len(batch)
            if batch or is_silent:
                return batch or ()

    def _flush(self) -> None:
        """Wake the reader, but not before the interval since its last batch is over."""
        wait_s = self._batch_at + FLUSH_INTERVAL_S - self._loop.time()
        if wait_s > 0:
            self._call_later(wait_s, self._wake)
        else:
            self._wake()

    def _wake(self, *, is_silent: bool = False) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(is_silent)

    def _look_for_silence(self) -> None:
        """One timer for a whole stream: it looks when the last batch came, and comes back when that is too long ago."""
        remaining_s = self._batch_at + self._idle_s - self._loop.time()
        if remaining_s <= 0:
            self._wake(is_silent=True)
            remaining_s = self._idle_s
        self._call_later(remaining_s, self._look_for_silence)

    def _call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        self._timers[callback] = self._loop.call_later(seconds, callback)
