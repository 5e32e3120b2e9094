"""A small application behind the bounded protocol, on a real socket in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from maverik_backend.connections import (
    BoundedProtocol,
    BoundedWebSocket,
    ConnectionLimits,
    ConnectionTable,
    make_refusals,
)
from maverik_backend.core.metrics import Metrics
from maverik_backend.web.middleware.security_headers import HEADERS
from tests.support.scrape import samples

PATIENCE_S = 60.0
CUT = "maverik_connections_cut_total"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Application:
    """Answers with what it was sent. On ``/later`` once it is let; on ``/big`` with ``size`` bytes, body unread."""

    size: int = 0
    scopes: list[Scope] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    disconnected: threading.Event = field(default_factory=threading.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    websockets: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] == "websocket" and self.websockets:
            await self.websockets(scope, receive, send)
            return
        if scope["path"] == "/early":
            await answer(send, b"early")
            return
        if scope["path"] == "/big":
            await answer(send, b"x" * self.size)
            return
        if scope["path"] == "/broken":
            raise RuntimeError("broken")
        if scope["path"] == "/later":
            await self.released.wait()
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                self.bodies.append(body)
                await answer(send, body)
                return
        self.disconnected.set()


async def answer(send: Send, body: bytes) -> None:
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})


@dataclass(kw_only=True)
class Served:
    """The application, where it answers, and what was counted."""

    app: Application
    port: int
    table: ConnectionTable
    loop: asyncio.AbstractEventLoop
    metrics: Metrics

    def connect(self) -> socket.socket:
        client = socket.socket()
        client.settimeout(PATIENCE_S)
        client.connect(("127.0.0.1", self.port))
        return client

    def release(self) -> None:
        self.loop.call_soon_threadsafe(self.app.released.set)

    def cuts(self) -> dict[str, float]:
        """How many connections were ended, by reason."""
        found = samples(self.metrics.render().decode())
        return {one.labels["reason"]: one.value for one in found if one.name == CUT and one.value}

    def wait_for_cut(self, reason: str, *, count: int = 1) -> None:
        self.wait_until(lambda: self.cuts().get(reason, 0) >= count)

    @staticmethod
    def wait_until(condition: Any) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, table: ConnectionTable) -> None:
        super().__init__(config)
        self.is_ready = threading.Event()
        self.table = table
        self.loop: asyncio.AbstractEventLoop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.table.start()
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.is_ready.set()


@contextmanager
def serving(*, websockets: ASGIApp | None = None, **limits: Any) -> Iterator[Served]:
    """With these limits instead of those of the table; what is below ``/ws/`` takes ``websockets``, if given."""
    metrics, app = Metrics(), Application(websockets=websockets)
    table = ConnectionTable(ConnectionLimits(**{"sweep_interval_s": 0.1, **limits}), metrics=metrics)
    http = partial(
        BoundedProtocol,
        table=table,
        refusals=make_refusals(),
        takes_websocket=lambda path: websockets is not None and path.startswith("/ws/"),
    )
    config = uvicorn.Config(
        app,
        http=cast(type[asyncio.Protocol], http),
        ws=cast(type[asyncio.Protocol], partial(BoundedWebSocket, table=table, refusals=make_refusals())),
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = _Server(config, table)
        thread = threading.Thread(target=partial(server.run, sockets=[listener]))
        thread.start()
        assert server.is_ready.wait(PATIENCE_S)
        try:
            yield Served(app=app, port=listener.getsockname()[1], table=table, loop=server.loop, metrics=metrics)
        finally:
            server.should_exit = True
            thread.join()


def rest_of(client: socket.socket) -> bytes:
    """Everything until the server closes; a connection that was reset ends there too."""
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while data := client.recv(1_000_000):
            received += data
    return bytes(received)


def answer_on(client: socket.socket) -> bytes:
    """One answer with its body, on a connection that stays open."""
    received = bytearray()
    while b"\r\n\r\n" not in received:
        received += _more(client)
    head = received.partition(b"\r\n\r\n")[0].lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(received) < len(head) + 4 + length:
        received += _more(client)
    return bytes(received)


def _more(client: socket.socket) -> bytes:
    data = client.recv(1_000_000)
    assert data, "the server closed the connection"
    return data


def problem_in(answer: bytes) -> tuple[int, dict[str, Any]]:
    """Status and body of a refusal, which says that it is one and that the connection is closed."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    assert b"connection: close" in head.lower()
    for name, value in HEADERS.items():
        assert f"{name}: {value}".lower().encode() in head.lower()
    return int(head[9:12]), json.loads(body)
