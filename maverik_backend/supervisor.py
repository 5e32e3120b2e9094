"""Several processes that serve one socket: started, replaced when they end unexpectedly, ended together.

uvicorn has such a supervisor, but its workers run uvicorn's own server: after a SIGTERM they would leave the turns that
have no answer yet unmarked (``server.py`` marks them). This one runs whatever it is given, and ends it with itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Self

import structlog

# How much longer than its grace a worker may take to end before it is killed.
END_MARGIN_S = 5.0
# A worker that dies so soon after it was started did not really start.
EARLY_S = 30.0
MAX_EARLY_DEATHS = 5

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_log = structlog.get_logger(__name__)


class Supervisor:
    """Keeps ``count`` processes alive that each run ``run_worker(number)``, numbered in the order of their start.

        with Supervisor(run_worker, count=2, grace_s=25) as supervisor:
            status = supervisor.run()

    A worker that dies is replaced. One that exits with a status of its own within :data:`EARLY_S` could not start,
    which its successor could not either: then all end, with that status; so they do after :data:`MAX_EARLY_DEATHS` in
    a row that a signal ended so early. And so they do when the block is left.
    """

    def __init__(
        self,
        run_worker: Callable[[int], None],
        *,
        count: int,
        grace_s: float,
        on_death: Callable[[int], None] = lambda _pid: None,
    ) -> None:
        """``run_worker`` is pickled; ``grace_s`` is what a worker may take to end after a SIGTERM.

        Signals that arrive while the workers end are handed on to them, so they are asked once more. ``on_death`` is
        told the process id of a worker that died, before another one takes its place.
        """
        self._run_worker = run_worker
        self._count = count
        self._grace_s = grace_s
        self._on_death = on_death
        self._started = 0
        self._born: list[float] = []
        self._early_deaths = 0
        self._workers: list[SpawnProcess] = []
        self._signals, self._signalled = multiprocessing.Pipe(duplex=False)

    def __enter__(self) -> Self:
        self._handlers = {number: signal.signal(number, self._notice) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        # The handlers last: a second SIGTERM must not leave workers behind.
        self._end_all()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def run(self) -> int:
        """Work until a SIGTERM or SIGINT, or until a worker cannot start; the exit status."""
        self._workers = [self._start() for _ in range(self._count)]
        self._born = [time.monotonic()] * self._count
        status = None
        while status is None:
            wait([self._signals, *(worker.sentinel for worker in self._workers)])
            status = 0 if self._signals.poll() else self._replace_dead()
        return status

    def _notice(self, _signal: int, _frame: FrameType | None) -> None:
        """Wake :meth:`run`."""
        self._signalled.send_bytes(b"!")

    def _start(self) -> SpawnProcess:
        # Spawned, not forked: threads and pooled connections of this process are nothing that a child could use.
        worker = multiprocessing.get_context("spawn").Process(target=_work, args=(self._run_worker, self._started))
        worker.start()
        self._started += 1
        return worker

    def _replace_dead(self) -> int | None:
        """Start successors of those that died; the status of one that could not start."""
        for index, worker in enumerate(self._workers):
            if worker.exitcode is None:
                continue
            is_early = time.monotonic() - self._born[index] < EARLY_S
            self._early_deaths = self._early_deaths + 1 if is_early else 0
            if is_early and (worker.exitcode > 0 or self._early_deaths > MAX_EARLY_DEATHS):
                return max(worker.exitcode, 1)
            _log.error("worker_died", pid=worker.pid, exitcode=worker.exitcode)
            if worker.pid is not None:
                self._on_death(worker.pid)
            self._workers[index] = self._start()
            self._born[index] = time.monotonic()
        return None

    def _end_all(self) -> None:
        """Ask every worker to end, and wait until it has; late ones are killed."""
        self._ask_to_end()
        deadline = time.monotonic() + self._grace_s + END_MARGIN_S
        while (running := self._running()) and (left_s := deadline - time.monotonic()) > 0:
            wait([self._signals, *(worker.sentinel for worker in running)], timeout=left_s)
            if self._signals.poll():
                self._ask_to_end()
        for worker in self._running():
            _log.error("worker_killed", pid=worker.pid)
            worker.kill()
            worker.join()

    def _ask_to_end(self) -> None:
        """Hand the signals that came on as one."""
        while self._signals.poll():
            self._signals.recv_bytes()
        for worker in self._running():
            worker.terminate()

    def _running(self) -> list[SpawnProcess]:
        return [worker for worker in self._workers if worker.exitcode is None]


def _work(run_worker: Callable[[int], None], number: int) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    run_worker(number)


def _end_with_parent() -> None:
    """End the worker when its supervisor was killed: it would keep the port."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
