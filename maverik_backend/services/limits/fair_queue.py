"""Waiting for one of a few slots, in turn by key: a key with many waiters delays the others by one slot at a time.

``services/limits/concurrency.py`` refuses at once what is too much; this is for work that is short and worth waiting
for. Each waiter keeps its thread, so what uses this bounds how many there may be.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager

from maverik_backend.errors import Overloaded


class FairQueue:
    """Hands out ``slots`` by round robin between keys, first come first served within one. Safe to use from threads."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, deque[threading.Event]] = OrderedDict()
        """By key, the one that is next first."""

    @contextmanager
    def slot(self, key: str, *, timeout_s: float) -> Iterator[None]:
        """Hold one slot while the block runs, waiting for it ``timeout_s`` at most.

        Raises:
            Overloaded: when none came free for this waiter in time.
        """
        self._acquire(key, timeout_s)
        try:
            yield
        finally:
            with self._lock:
                self._free += 1
                self._grant()

    def _acquire(self, key: str, timeout_s: float) -> None:
        granted = threading.Event()
        with self._lock:
            self._waiting.setdefault(key, deque()).append(granted)
            self._grant()
        if not granted.wait(timeout_s):
            self._give_up(key, granted)

    def _grant(self) -> None:
        """Give free slots to those whose turn it is; the lock is held."""
        while self._free and self._waiting:
            key, waiters = self._waiting.popitem(last=False)
            waiters.popleft().set()
            self._free -= 1
            if waiters:
                self._waiting[key] = waiters  # at the end: every other key comes before its next one

    def _give_up(self, key: str, granted: threading.Event) -> None:
        with self._lock:
            if granted.is_set():  # between the end of the wait and taking the lock
                return
            self._waiting[key].remove(granted)
            if not self._waiting[key]:
                del self._waiting[key]
        raise Overloaded
