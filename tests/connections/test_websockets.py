"""What one WebSocket may take of the server, with the ``websockets`` client, aiohttp's, and none at all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest
from starlette.types import Receive, Scope, Send
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from maverik_backend.connections import ConnectionLimits
from tests.connections.served import GET, PATIENCE_S, Served, answer_on, problem_in, rest_of, serving

LIMITS = ConnectionLimits()
SHORT_S = 0.3
KEY = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
UPGRADE = f"GET /ws/echo?token=secreto HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{KEY}\r\n"
PIECE = "x" * 1_000_000


class Route:
    """On ``/ws/echo`` says what it is told; on ``/ws/flood`` talks until the client is gone; on ``/ws/deaf`` reads one
    message when it is let. ``ended`` has what each connection ended with."""

    def __init__(self) -> None:
        self.ended: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self.sent = 0
        self.released = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if scope["path"] == "/ws/hesitant":
            await self.released.wait()
        with contextlib.suppress(OSError):  # what send raises once the client is gone
            await send({"type": "websocket.accept"})
            await {"/ws/flood": self._flood, "/ws/deaf": self._deaf}.get(scope["path"], self._echo)(receive, send)
            return
        await self._read_to_the_end(receive)

    async def _echo(self, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})
        self.ended.put(message["code"])

    async def _flood(self, _receive: Receive, send: Send) -> None:
        while True:
            await send({"type": "websocket.send", "text": PIECE})
            self.sent += 1

    async def _deaf(self, receive: Receive, send: Send) -> None:
        await self.released.wait()
        await self._echo(receive, send)

    async def _read_to_the_end(self, receive: Receive) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            pass
        self.ended.put(message["code"])


@pytest.fixture
def route() -> Route:
    return Route()


@pytest.fixture
def served(route: Route) -> Iterator[Served]:
    with serving(websockets=route) as served:
        yield served


@contextmanager
def opened(served: Served, path: str = "/ws/echo", **options: Any) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{served.port}{path}", **options) as client:
        yield client


def close_of(client: ClientConnection) -> int:
    """How the server closes, whatever it says before."""
    try:
        while True:
            client.recv(timeout=PATIENCE_S)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else CloseCode.ABNORMAL_CLOSURE


def when_pinged(client: ClientConnection, call: Callable[[], object]) -> None:
    """Let ``call`` know of each ping that reaches ``client``."""
    receive = client.protocol.recv_frame

    def receive_and_tell(frame: Frame) -> None:
        receive(frame)
        if frame.opcode is Opcode.PING:
            call()

    client.protocol.recv_frame = receive_and_tell  # type: ignore[method-assign] # the library tells no one


def raw(served: Served) -> socket.socket:
    """An open WebSocket without a library on this side."""
    client = served.connect()
    client.sendall(UPGRADE.encode())
    assert client.recv(10_000).startswith(b"HTTP/1.1 101")
    return client


def frame(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


class TestTalking:
    def test_messages_pass_in_both_ways(self, served: Served, route: Route) -> None:
        with opened(served) as client:
            for message in ("¿Cómo viene?", b"\x00\xff", "x" * LIMITS.max_message_bytes):
                client.send(message)
                assert client.recv(timeout=PATIENCE_S) == message

        assert route.ended.get(timeout=PATIENCE_S) == CloseCode.NORMAL_CLOSURE

    def test_with_another_implementation_of_the_protocol(self, served: Served) -> None:
        async def talk() -> tuple[str, int | None]:
            url = f"ws://127.0.0.1:{served.port}/ws/echo"
            async with aiohttp.ClientSession() as session, session.ws_connect(url, compress=15) as client:
                await client.send_str("hola")
                return await client.receive_str(timeout=PATIENCE_S), client.compress

        assert asyncio.run(talk()) == ("hola", 0)

    def test_a_message_may_come_in_fragments(self, served: Served) -> None:
        with opened(served) as client:
            client.send(iter(["ho", "la"]))
            assert client.recv(timeout=PATIENCE_S) == "hola"

    def test_nothing_is_compressed(self, served: Served) -> None:
        with opened(served, compression="deflate") as client:
            assert client.response
            assert "Sec-WebSocket-Extensions" not in client.response.headers

    def test_neither_query_nor_message_is_logged(self, served: Served, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG, "uvicorn"), raw(served) as client:
            client.sendall(frame(Opcode.TEXT, b"privado") + frame(Opcode.TEXT, b"\xff"))
            rest_of(client)

        assert [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn.error.w")] == []
        assert "secreto" not in caplog.text
        assert "privado" not in caplog.text


class TestPlaces:
    def test_an_upgraded_connection_stays_counted_and_is_not_idle(self, route: Route) -> None:
        with serving(websockets=route, max_connections=2) as served, opened(served) as client:
            client.send("hola")
            assert client.recv(timeout=PATIENCE_S) == "hola"
            assert (len(served.table), served.table.websockets) == (1, 1)
            for _ in range(3):  # requests take the other place one after the other
                with served.connect() as other:
                    other.sendall(GET)
                    assert answer_on(other).startswith(b"HTTP/1.1 200")
            client.send("todavía")
            assert client.recv(timeout=PATIENCE_S) == "todavía"

        assert served.table.websockets == 0

    def test_requests_keep_a_quarter_of_all_places(self, route: Route) -> None:
        with serving(websockets=route, max_connections=4) as served, contextlib.ExitStack() as clients:
            for _ in range(3):
                clients.enter_context(opened(served))
            with served.connect() as one_too_many:
                one_too_many.sendall(UPGRADE.encode())
                assert problem_in(rest_of(one_too_many))[0] == 503
            with served.connect() as request:
                request.sendall(GET)
                assert answer_on(request).startswith(b"HTTP/1.1 200")
            served.wait_for_cut("full")

    def test_one_address_has_its_share_of_them(self, route: Route) -> None:
        with (
            serving(websockets=route, max_connections_per_address=1) as served,
            opened(served),
            served.connect() as other,
        ):
            assert problem_in(rest_of(other))[0] == 503


class TestHandshake:
    @pytest.mark.parametrize(
        "handshake",
        [
            UPGRADE.replace("Version: 13", "Version: 8"),
            UPGRADE.replace("Key: ", "Key: x"),
            UPGRADE.replace("Sec-WebSocket-Key", "a"),
        ],
    )
    def test_a_malformed_one_is_a_400_that_names_the_version(self, served: Served, handshake: str) -> None:
        with served.connect() as client:
            client.sendall(handshake.encode())
            answer = rest_of(client)

        assert problem_in(answer)[0] == 400
        assert b"sec-websocket-version: 13" in answer.lower()
        assert served.app.scopes == []

    @pytest.mark.parametrize(
        "head",
        [
            UPGRADE.replace("/ws/echo", "/elsewhere"),
            UPGRADE.replace("Upgrade: websocket", "Upgrade: h2c"),
            UPGRADE.replace("GET", "POST"),
        ],
    )
    def test_where_no_route_takes_one_the_answer_is_http(self, served: Served, head: str) -> None:
        with served.connect() as client:
            client.sendall(head.encode())
            assert rest_of(client).startswith(b"HTTP/1.1 200")

        assert [scope["type"] for scope in served.app.scopes] == ["http"]

    @pytest.mark.parametrize("name", ["a", "Sec-WebSocket-Protocol"])
    def test_its_head_is_bounded(self, served: Served, name: str) -> None:
        for size in (LIMITS.max_head_bytes, LIMITS.max_head_bytes // 2):
            with served.connect() as client, contextlib.suppress(ConnectionError):
                client.sendall(UPGRADE.replace("\r\n\r\n", f"\r\n{name}: {'a' * size}\r\n\r\n").encode())
                assert problem_in(rest_of(client))[0] == 431
        assert served.app.scopes == []

    def test_frames_before_the_answer_are_refused(self, served: Served) -> None:
        with served.connect() as client:
            client.sendall(UPGRADE.replace("/ws/echo", "/ws/hesitant").encode())
            served.wait_until(lambda: served.app.scopes)
            client.sendall(frame(Opcode.TEXT, b"hola"))
            assert problem_in(rest_of(client))[0] == 400

    def test_so_are_those_that_come_with_its_head(self, served: Served) -> None:
        with served.connect() as client:
            client.sendall(UPGRADE.encode() + frame(Opcode.TEXT, b"hola"))
            assert problem_in(rest_of(client))[0] == 400


class TestMessages:
    def test_a_large_one_is_a_1009_that_reaches_the_client(self, served: Served, route: Route) -> None:
        with opened(served) as client:
            with contextlib.suppress(ConnectionClosed):
                client.send("x" * (LIMITS.max_message_bytes + 1))
            assert close_of(client) == CloseCode.MESSAGE_TOO_BIG

        assert route.ended.get(timeout=PATIENCE_S) == CloseCode.MESSAGE_TOO_BIG
        served.wait_for_cut("message_too_large")

    def test_also_when_its_fragments_are_small(self, served: Served) -> None:
        with raw(served) as client:
            client.sendall(frame(Opcode.TEXT, b"x" * 40_000, fin=False) + frame(Opcode.CONT, b"x" * 40_000))
            rest_of(client)

        served.wait_for_cut("message_too_large")

    @pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.PING, Opcode.PONG])
    def test_too_many_frames_are_a_1008(self, route: Route, opcode: Opcode) -> None:
        with serving(websockets=route, max_frames_per_s=0.001, max_frames_at_once=9) as served, raw(served) as client:
            client.sendall(frame(opcode, b"a") * 10)
            assert rest_of(client).endswith(b"\x03\xf0too many frames")
            assert route.ended.get(timeout=PATIENCE_S) == CloseCode.POLICY_VIOLATION
            served.wait_for_cut("too_many_frames")

    def test_the_allowance_comes_back(self, route: Route) -> None:
        with serving(websockets=route, max_frames_per_s=1e9, max_frames_at_once=1) as served, raw(served) as client:
            for _ in range(5):
                client.sendall(frame(Opcode.TEXT, b"a"))
                assert client.recv(100) == b"\x81\x01a"

    def test_too_many_fragments_of_one_are_as_well(self, served: Served) -> None:
        with raw(served) as client:
            client.sendall(frame(Opcode.TEXT, fin=False) + frame(Opcode.CONT, fin=False) * LIMITS.max_fragments)
            assert rest_of(client).endswith(b"\x03\xf0too many frames")

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (frame(Opcode.TEXT, b"\xff") + frame(Opcode.PING) * 3, CloseCode.INVALID_DATA),
            (frame(Opcode.CONT, b"a"), CloseCode.PROTOCOL_ERROR),
            (Frame(Opcode.TEXT, b"a").serialize(mask=False), CloseCode.PROTOCOL_ERROR),
            (b"\xf1\x81aaaaa", CloseCode.PROTOCOL_ERROR),
        ],
        ids=["no UTF-8", "no message to continue", "not masked", "reserved bit"],  # masks are random
    )
    def test_bad_frames_are_closed_with_their_code(
        self, served: Served, route: Route, data: bytes, code: CloseCode
    ) -> None:
        with raw(served) as client:
            client.sendall(data)
            assert code.to_bytes(2, "big") in rest_of(client)

        assert route.ended.get(timeout=PATIENCE_S) == code
        served.wait_for_cut("bad_frame")


class TestSilence:
    def test_a_client_that_answers_no_ping_is_closed(self, route: Route) -> None:
        with serving(websockets=route, ping_interval_s=0.05, ping_timeout_s=0.05) as served, raw(served) as client:
            assert rest_of(client).endswith(b"\x03\xf3ping unanswered")
            assert route.ended.get(timeout=PATIENCE_S) == CloseCode.INTERNAL_ERROR
            served.wait_for_cut("ping_unanswered")

    def test_one_that_answers_them_stays(self, route: Route) -> None:
        short = {"ping_interval_s": 0.1, "ping_timeout_s": PATIENCE_S, "head_s": 1, "keep_alive_s": 1}
        with serving(websockets=route, **short) as served, opened(served) as client:
            pings = threading.Semaphore(0)
            when_pinged(client, pings.release)
            for _ in range(20):
                assert pings.acquire(timeout=PATIENCE_S)
            client.send("hola")
            assert client.recv(timeout=PATIENCE_S) == "hola"

    def test_one_whose_pong_waits_behind_its_messages_stays(self, route: Route) -> None:
        impatient = {"ping_interval_s": 0.25, "ping_timeout_s": 0.75}
        pings = threading.Semaphore(0)
        with serving(websockets=route, **impatient) as served, opened(served, "/ws/deaf") as client:
            client.send("hola")
            when_pinged(client, pings.release)
            for _ in range(3):  # longer than both together
                assert pings.acquire(timeout=PATIENCE_S)
            served.loop.call_soon_threadsafe(route.released.set)
            assert client.recv(timeout=PATIENCE_S) == "hola"


class TestSlowReaders:
    def test_what_waits_to_be_read_is_bounded_and_then_cut(self, route: Route) -> None:
        with serving(websockets=route, unread_window_s=SHORT_S) as served, served.connect() as client:
            client.sendall(UPGRADE.replace("/ws/echo", "/ws/flood").encode())
            served.wait_for_cut("unread")

            assert route.ended.get(timeout=PATIENCE_S) == CloseCode.ABNORMAL_CLOSURE
            assert route.sent < 20  # what the kernel takes, and one message
            served.wait_until(lambda: not len(served.table))

    def test_a_closed_one_that_does_not_close_is_cut(self, route: Route) -> None:
        with serving(websockets=route, linger_s=SHORT_S) as served, raw(served) as client:
            client.sendall(frame(Opcode.TEXT, b"\xff"))
            served.wait_until(lambda: not len(served.table))


class TestShutdown:
    def test_open_ones_are_closed_with_1012(self, route: Route) -> None:
        with contextlib.ExitStack() as clients:
            with serving(websockets=route) as served:
                client = clients.enter_context(opened(served))
                client.send("hola")
                assert client.recv(timeout=PATIENCE_S) == "hola"

            assert close_of(client) == CloseCode.SERVICE_RESTART
            assert route.ended.get(timeout=PATIENCE_S) == CloseCode.SERVICE_RESTART
