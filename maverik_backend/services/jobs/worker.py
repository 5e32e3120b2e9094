"""A thread that repeats one piece of work beside the requests: running jobs of a kind, cleaning up."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from maverik_backend.errors import DatabaseUnavailable

_log = structlog.get_logger(__name__)


class Worker:
    """Calls ``work`` every ``interval_s`` seconds until it is stopped, and again at once while it returns ``True``.

    Work in small steps stops soon: only the step that is running is finished.
    """

    def __init__(self, name: str, work: Callable[[], object], *, interval_s: float) -> None:
        self._name = name
        self._work = work
        self._interval_s = interval_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let the running step finish, then end the thread."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            try:
                while self._work() is True and not self._stopping.is_set():
                    pass
            except DatabaseUnavailable:
                _log.warning("worker_database_unavailable", worker=self._name)
            except Exception:  # noqa: BLE001 - the thread must outlive whatever one piece of work does to it
                _log.exception("worker_failed", worker=self._name)
