"""The real thing as a subprocess: the command line, and a server with its own data folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import ClassVar, Self

import requests

from maverik_backend.invocation import own_command
from tests.support.paths import ROOT

START_TIMEOUT_S = 120.0
# Clients of a test share one address and, often, one person. Counted all the same, as in production.
PLENTY = {
    "RATE_LIMIT_TURNS_PER_MINUTE": "1000000",
    "RATE_LIMIT_HISTORY_READS_PER_MINUTE": "1000000",
    "RATE_LIMIT_REQUESTS_PER_MINUTE": "1000000",
    "MAX_CONCURRENT_TURNS_PER_PERSON": "5000",
    "MAX_CONCURRENT_TURNS_PER_ADDRESS": "5000",
}
STOP_TIMEOUT_S = 60.0
RUN_TIMEOUT_S = 240.0


def clean_environment(**variables: str) -> dict[str, str]:
    """What a process needs to run at all, and ``variables``; nothing that configures Maverik by accident."""
    kept = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **variables}


def run_maverik(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """``python -m maverik_backend ...`` in ``cwd``, where no ``.env`` of a developer lies."""
    return run_python("-m", "maverik_backend", *arguments, cwd=cwd, **variables)


def run_python(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        cwd=cwd,
        env=clean_environment(PYTHONPATH=str(ROOT), **variables),
    )


def told_command(arguments: str) -> str:
    """How a process in a folder of a test's says that ``arguments`` are to be typed."""
    with TemporaryDirectory() as folder, chdir(folder):
        return own_command(arguments)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class ServerProcess:
    """``maverik serve`` with everything in ``folder``; ended by process id, whatever happens."""

    command: ClassVar[tuple[str, ...]] = ("-m", "maverik_backend", "serve")

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = (folder / "server.log").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, *self.command, "--port", str(self.port), *arguments],
            cwd=folder,
            env=clean_environment(
                **{"PYTHONPATH": str(ROOT), "LOCAL_DATA_DIR": str(folder / "data"), **PLENTY, **variables}
            ),
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                output = self.output()
                self.__exit__(None, None, None)  # which Python does not call for what fails in here
                raise AssertionError(f"the server did not start:\n{output}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.kill()
        self._log.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def memory_mib(self, name: str) -> float:
        """A line of the process's status (proc(5)): ``VmRSS`` for what it has, ``VmHWM`` for the most that it had."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition(f"{name}:")[2].split()[0]) / 1024

    def output(self) -> str:
        """Everything that it printed and logged so far."""
        self._log.flush()
        return Path(self._log.name).read_text(encoding="utf-8")

    def wait_for_output(self, text: str, *, times: int = 1) -> None:
        """Until ``text`` was printed or logged so often."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.output().count(text) < times:
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)

    def stop(self) -> int:
        """Ask it to end, as an operator does; its exit status."""
        self.ask_to_stop()
        return self.wait()

    def ask_to_stop(self) -> None:
        self._process.terminate()

    def wait(self) -> int:
        """Until it has ended; its exit status."""
        try:
            return self._process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server did not end:\n{self.output()}") from None

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._process.wait(timeout=STOP_TIMEOUT_S)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/health", timeout=10).ok
        except requests.RequestException:  # it listens before it is ready to answer
            return False
