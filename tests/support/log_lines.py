"""What is logged while a test runs, each line with its context."""

from __future__ import annotations

import threading
from typing import Any


class Lines:
    """A processor of structlog; also for lines of other threads."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self._changed = threading.Condition()

    def __call__(self, _logger: object, _name: str, event: Any) -> Any:
        with self._changed:
            self.all.append(dict(event))
            self._changed.notify_all()
        return event

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.all if line["event"] == event]

    def arrived(self, event: str, *, timeout_s: float) -> bool:
        """Whether there is such a line by then."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self.of(event)), timeout_s)
