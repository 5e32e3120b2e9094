"""A PostgreSQL server as operators run it: over TCP, with a password. Made from the embedded one's programs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from maverik_backend.core.embedded_postgres import load_pgserver
from tests.processes import free_port

USER = "maverik"
PASSWORD = "una clave: con @ y / y ñ"
_SYSTEM_USER = "pgserver"


class TcpPostgres:
    """A server in ``folder`` on a loopback port; only :data:`USER` with :data:`PASSWORD` gets in.

    ``is_durable``: commits wait for the disk, as they do in production; tests do not need that.
    """

    def __init__(self, folder: Path, *, is_durable: bool = False) -> None:
        self.port = free_port()
        self._library = load_pgserver()
        self._data = folder / "data"
        self._folder = folder
        self._sync_option = "" if is_durable else " -F"
        # PostgreSQL refuses to run as root.
        self._user = _SYSTEM_USER if os.geteuid() == 0 else None

    def __enter__(self) -> Self:
        password_file = self._folder / "password"
        password_file.write_text(PASSWORD, encoding="utf-8")
        if self._user is not None:
            self._library.utils.ensure_user_exists(self._user)
            self._folder.chmod(0o755)
            for path in (self._folder, password_file):
                shutil.chown(path, user=self._user)
        arguments = ("-D", str(self._data), "-U", USER, f"--pwfile={password_file}", "--auth=scram-sha-256", "-N")
        self._run("initdb", *arguments)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        options = f'-h 127.0.0.1 -p {self.port} -k ""{self._sync_option}'
        self._run("pg_ctl", "-w", "-D", str(self._data), "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "fast", "-D", str(self._data), "stop")

    def crash(self) -> None:
        """End it without a checkpoint, as a power cut would; the next start recovers from the write-ahead log."""
        self._run("pg_ctl", "-w", "-m", "immediate", "-D", str(self._data), "stop")

    def variables(self, *, schema: str) -> dict[str, str]:
        """The environment of a process that keeps its tables here."""
        return {
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(self.port),
            "DB_NAME": "postgres",
            "DB_SCHEMA": schema,
            "DB_USERNAME": USER,
            "DB_PASSWORD": PASSWORD,
        }

    def _run(self, program: str, *arguments: str) -> Any:
        utils, pgexec = self._library.utils, self._library.pgexec.pgexec
        programs = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
        return pgexec(program, arguments, bin_path=programs, user=self._user)
