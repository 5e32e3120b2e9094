"""Real servers on loopback that play the services this product calls; each is a context manager.

    with RagServer() as rag:
        rag.script(Reply.json({"response": "Hola"}), Reply(status=503), HANG)
        ...  # talk to rag.url; what arrived is in rag.requests

Without a script, or when it is used up, they answer as the contract says (DESIGN.md, section 6). Leaving the block cuts
every connection and joins every thread.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self

LOOPBACK = "127.0.0.1"
_POLL_INTERVAL_S = 0.01


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it arrived. ``headers`` has lower-case names; ``json`` is ``None`` for an empty body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer. With ``once`` it waits for that event, so that a test decides when it leaves."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    once: threading.Event | None = None

    @classmethod
    def json(cls, value: Any, *, status: int = 200, once: threading.Event | None = None) -> Self:
        body = json.dumps(value).encode()
        return cls(status=status, body=body, headers={"Content-Type": "application/json"}, once=once)


HANG = Reply(once=threading.Event())
"""No answer for as long as the server lives."""
CUT = Reply(status=0)
"""The connection is closed instead of an answer."""


class ScriptedServer:
    """An HTTP/1.1 server that answers what it is told to, else what ``default`` makes of the request."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.default: Callable[[Request], Reply] = self.answer
        self._replies: deque[Reply] = deque()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._server = _HttpServer(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_INTERVAL_S,))

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_port}"

    def script(self, *replies: Reply) -> None:
        """Answer the next requests with these, in order."""
        self._replies.extend(replies)

    def wait_for_requests(self, count: int, *, timeout_s: float = 60.0) -> list[Request]:
        """The requests so far, as soon as there are ``count`` of them."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.requests) >= count, timeout_s)
            assert arrived, f"{len(self.requests)} of {count} requests arrived"
            return list(self.requests)

    def answer(self, request: Request) -> Reply:
        """The contract's answer to ``request``."""
        return Reply.json({"path": request.path})

    def handle(self, request: Request) -> Reply | None:
        """Note ``request`` and wait until its reply may leave; ``None`` when the server stops first."""
        with self._changed:
            self.requests.append(request)
            reply = self._replies.popleft() if self._replies else self.default(request)
            self._changed.notify_all()
        while reply.once and not reply.once.wait(_POLL_INTERVAL_S):
            if self._stopping.is_set():
                return None
        return None if reply is CUT else reply

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.cut_connections()
        self._server.server_close()
        assert not self._server.failures, self._server.failures


class RagServer(ScriptedServer):
    """``POST /api/chat``; the answer repeats the input."""

    def answer(self, request: Request) -> Reply:
        if (request.method, request.path) != ("POST", "/api/chat"):
            return Reply.json({"detail": "Not Found"}, status=404)
        return Reply.json({"response": f"Respuesta de prueba a: {request.json['input']}"})


class OptimizerServer(ScriptedServer):
    """``POST /portfolio/generate/{risk_profile}``; weights with the noise and dust of the real one."""

    weights: ClassVar[Mapping[str, list[float]]] = {
        "conservative": [20.000000000000004, 79.99999999899999, 1e-9],
        "moderate": [50.00000000000001, 49.99999999899999, 1e-9],
        "bold": [80.00000000000001, 19.99999999899999, 1e-9],
    }

    def answer(self, request: Request) -> Reply:
        folder, _, profile = request.path.rpartition("/")
        if (request.method, folder) != ("POST", "/portfolio/generate") or profile not in self.weights:
            return Reply.json({"detail": "Not Found"}, status=404)
        return Reply.json(
            {
                "risk_profile": profile,
                "assets": ["Acciones", "Bonos", "Oro"],
                "weights": self.weights[profile],
                "commulative_return": [],
            }
        )


class MailApiServer(ScriptedServer):
    """Brevo's ``POST /v3/smtp/email``: 401 without a key, 201 with the id of the mail."""

    @property
    def url(self) -> str:
        return super().url + "/v3/smtp/email"

    def mails_to(self, address: str) -> list[dict[str, Any]]:
        """The bodies of the mails to ``address``, oldest first."""
        return [request.json for request in self.requests if {"email": address} in request.json["to"]]

    def answer(self, request: Request) -> Reply:
        if (request.method, request.path) != ("POST", "/v3/smtp/email"):
            return Reply.json({"message": "Not Found"}, status=404)
        if not request.headers.get("api-key"):
            return Reply.json({"code": "unauthorized", "message": "Key not found"}, status=401)
        return Reply.json({"messageId": f"<{len(self.requests)}@smtp-relay.example>"}, status=201)


class _HttpServer(ThreadingHTTPServer):
    """Knows its connections, so that it can end them and join their threads."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, scripted: ScriptedServer) -> None:
        self.scripted = scripted
        self.failures: list[BaseException] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((LOOPBACK, 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(connection)
            self.scripted.connections += 1
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        with self._lock:
            for connection in self._open:
                _shut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the signature of socketserver
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):  # clients may go whenever they like
            self.failures.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet a reply
    server: _HttpServer

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.scripted.handle(Request(method=self.command, path=self.path, headers=headers, body=body))
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_POST = _answer  # noqa: N815 - the name that http.server looks for

    def do_GET(self) -> None:
        """The root answers health probes: neither scripted nor counted."""
        if self.path != "/":
            self._answer()
            return
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: a test run is no place for an access log."""


class Peer:
    """One connection of a :class:`RawServer`, for servers that misbehave below HTTP."""

    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        self._connection = connection
        self._stopping = stopping
        self._stream = connection.makefile("rb")

    def read_line(self) -> bytes:
        """The next line with its end; empty when the client has gone."""
        return self._stream.readline()

    def read_request(self) -> bytes:
        """One HTTP request, as it came; empty when the client has gone."""
        head = b""
        while (line := self._stream.readline()) not in {b"\r\n", b""}:
            head += line
        if not head:
            return b""
        fields = dict(line.lower().split(b": ", 1) for line in head.splitlines()[1:])
        return head + line + self._stream.read(int(fields.get(b"content-length", b"0")))

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def drip(self, data: bytes, *, every_s: float = 0.05) -> None:
        """Send one byte each ``every_s``, for as long as client and server are there."""
        for position in range(len(data)):
            self._connection.sendall(data[position : position + 1])
            if self._stopping.wait(every_s):
                return

    def hang(self) -> None:
        """Say nothing until the server stops."""
        self._stopping.wait()

    def stops_within(self, seconds: float) -> bool:
        """Wait, and say whether the server stopped meanwhile."""
        return self._stopping.wait(seconds)

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        self._stream.close()
        self._connection.close()


class RawServer:
    """A TCP (or TLS) server that does with its connections what it is told: one ``behaviour`` each, the last for all
    that follow. A connection is closed when its behaviour returns.
    """

    def __init__(self, *behaviours: Callable[[Peer], None], tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.closed = threading.Semaphore(0)
        """Released once for each connection that has been closed."""
        self._behaviours = deque(behaviours)
        self._tls = tls
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._workers: list[threading.Thread] = []
        self._failures: list[BaseException] = []
        self._listener = socket.create_server((LOOPBACK, 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{LOOPBACK}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        socket.create_connection((LOOPBACK, self.port)).close()  # wakes the one that accepts
        self._thread.join()
        self._listener.close()
        for connection in list(self._open):
            _shut(connection)
        for worker in self._workers:
            worker.join()
        assert not self._failures, self._failures

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._stopping.is_set():
                connection.close()
                return
            self.connections += 1
            behaviour = self._behaviours.popleft() if len(self._behaviours) > 1 else self._behaviours[0]
            self._open.add(connection)
            worker = threading.Thread(target=self._serve, args=(connection, behaviour))
            self._workers.append(worker)
            worker.start()

    def _serve(self, connection: socket.socket, behaviour: Callable[[Peer], None]) -> None:
        try:
            with self._secured(connection) as secured:
                peer = Peer(secured, self._stopping)
                try:
                    behaviour(peer)
                finally:
                    peer.close()
        except OSError:
            pass  # the client went first
        except Exception as error:  # noqa: BLE001 - told at the end, in the test's own thread
            self._failures.append(error)
        finally:
            self._open.discard(connection)
            self.closed.release()

    def _secured(self, connection: socket.socket) -> socket.socket:
        if self._tls is None:
            return connection
        connection.settimeout(60)  # a client that never speaks TLS
        secured = self._tls.wrap_socket(connection, server_side=True)
        self._open.discard(connection)
        self._open.add(secured)
        secured.settimeout(None)
        return secured


@contextlib.contextmanager
def refusing_port() -> Iterator[int]:
    """A port that refuses connections: taken, so that no other process gets it, but not listened on."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        yield taken.getsockname()[1]


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
