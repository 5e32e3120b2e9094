"""When a piece of work must be over: at a point in time, or as soon as it is cancelled.

A :class:`Deadline` is handed down through every call that waits. Nothing that only asks how much time is left needs to
know about cancellation: none is left then. What blocks on a socket registers a callback that shuts the socket down.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class Cancellation:
    """A request, made once and from any thread, to end a piece of work early."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_set = False
        self._callbacks: dict[object, Callable[[], None]] = {}

    @property
    def is_set(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._is_set

    def cancel(self) -> None:
        """Set the request and call every callback that is registered, in the calling thread."""
        with self._lock:
            self._is_set = True
            callbacks = tuple(self._callbacks.values())
            self._callbacks.clear()
        for callback in callbacks:
            callback()

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call ``callback`` when :meth:`cancel` is called within the block, or at once when it was called before.

        ``callback`` runs in the thread that cancels, so it must neither block nor raise.
        """
        key = object()
        with self._lock:
            is_set = self._is_set
            if not is_set:
                self._callbacks[key] = callback
        if is_set:
            callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.pop(key, None)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock. One turn has one deadline; each wait inside asks how much of it is left."""

    at: float
    cancellation: Cancellation = field(default_factory=Cancellation, compare=False)

    @classmethod
    def after(cls, seconds: float, *, cancellation: Cancellation | None = None) -> Deadline:
        """The deadline that lies ``seconds`` from now, or at the moment when ``cancellation`` is set."""
        return cls(time.monotonic() + seconds, cancellation or Cancellation())

    def remaining_s(self) -> float:
        """Seconds left, never negative; none once cancelled."""
        return 0.0 if self.is_cancelled else max(0.0, self.at - time.monotonic())

    def sleep(self, seconds: float) -> None:
        """Wait for so long, or until the work is cancelled."""
        cancelled = threading.Event()
        with self.cancellation.calling(cancelled.set):
            cancelled.wait(seconds)

    @property
    def is_cancelled(self) -> bool:
        """Whether the work was cancelled; time may be left then."""
        return self.cancellation.is_set

    @property
    def passed(self) -> bool:
        """Whether no time is left, or the work was cancelled."""
        return self.remaining_s() <= 0
