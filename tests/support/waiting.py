"""Waiting until something is true, so that tests need not guess when a thread or a process has got there."""

from __future__ import annotations

import time
from collections.abc import Callable

from maverik_backend.core.deadline import Deadline
from maverik_backend.services.limits import FairQueue

PATIENCE_S = 60.0
INTERVAL_S = 0.002


def eventually(condition: Callable[[], bool], *, told: Callable[[], object] = lambda: "it did not come true") -> None:
    """Until ``condition`` holds; a failure after :data:`PATIENCE_S` says what ``told`` does."""
    deadline = Deadline.after(PATIENCE_S)
    while not condition():
        assert not deadline.passed, told()
        time.sleep(10 * INTERVAL_S)


def waiting_in(queue: FairQueue, *, until: int | None = None) -> dict[str, int]:
    """How many wait by key; with ``until`` as soon as there are so many in all."""
    deadline = Deadline.after(PATIENCE_S)
    while True:
        with queue._lock:  # noqa: SLF001 - a thread that waits has no other sign
            found = {key: len(waiters) for key, waiters in queue._waiting.items()}  # noqa: SLF001
        if until is None or sum(found.values()) == until:
            return found
        assert not deadline.passed, f"{found} wait, not {until}"
        time.sleep(INTERVAL_S)
