"""What clients that misbehave below HTTP cost a real server, and what others notice of it."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest
import requests

from maverik_backend.connections import raise_open_files_limit
from maverik_backend.texts import problems as texts
from tests.connections.served import rest_of
from tests.support.processes import ServerProcess

MIB = 1024 * 1024
HEADERS_MIB = 40
SILENT = 600
ENDLESS_BODIES, BODY_BYTES = 100, 1_000_000
# Of 600 MB that the server used to keep; the rest is what reading them for the first time allocates.
KEPT_MIB = 8
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with (
        TemporaryDirectory(prefix="maverik-test-") as folder,
        ServerProcess(Path(folder), MAX_CONNECTIONS="256", FRONTEND_URL="https://app.example.com") as server,
    ):
        yield server


def connect(server: ServerProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)


def send_and_read(client: socket.socket, data: bytes) -> bytes:
    """Send as much as is taken; what comes back."""
    with contextlib.suppress(ConnectionError):
        client.sendall(data)
    with contextlib.suppress(ConnectionError):
        return client.recv(65_536)
    return b""


def test_endless_headers_leave_nothing_in_memory_and_cost_little(server: ServerProcess) -> None:
    process = psutil.Process(server.pid)
    with connect(server) as client:
        send_and_read(client, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 10_000)
    kept, worked = process.memory_info().rss, sum(process.cpu_times()[:2])
    for line in (b"a" * (HEADERS_MIB * MIB), b"a: " + b"b" * 1_000 + b"\r\n"):
        with connect(server) as client:
            answer = send_and_read(client, b"GET / HTTP/1.1\r\nb: " + line * (HEADERS_MIB * MIB // len(line)))
            assert answer.startswith(b"HTTP/1.1 431")

    assert (process.memory_info().rss - kept) / MIB < KEPT_MIB
    assert sum(process.cpu_times()[:2]) - worked < 2.0


BODIES = {
    "trailers": (b"0\r\n", b"a:b\r\n"),
    "an endless trailer": (b"2\r\n{}\r\n0\r\nX: ", b"a"),
    "an endless chunk extension": (b"1;", b"a"),
    "chunks of one byte": (b"", b"1\r\na\r\n"),
}


@pytest.mark.parametrize(("begun", "unit"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("call", ["GET /health/live", "POST /user/login"])
def test_endless_framing_of_a_body_leaves_nothing_in_memory_and_costs_little(
    server: ServerProcess, call: str, begun: bytes, unit: bytes
) -> None:
    head = (
        f"{call} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    endless = head + begun + unit * (BODY_BYTES // len(unit))
    with connect(server) as client:
        send_and_read(client, endless)
    process = psutil.Process(server.pid)
    kept, worked = process.memory_info().rss, sum(process.cpu_times()[:2])
    with ExitStack() as stack:
        for _ in range(ENDLESS_BODIES):
            send_and_read(stack.enter_context(connect(server)), endless)

        assert (process.memory_info().rss - kept) / MIB < KEPT_MIB
        assert sum(process.cpu_times()[:2]) - worked < 2.0


def test_more_silent_connections_than_there_are_places_keep_nobody_out(server: ServerProcess) -> None:
    raise_open_files_limit()  # of this process, too
    with ExitStack() as stack:
        for number in range(SILENT):
            client = stack.enter_context(connect(server))
            client.sendall(b"GET / HTTP/1.1\r\n" if number % 2 else b"")
            if number % 50 == 0:
                assert requests.get(f"{server.url}/health/live", timeout=PATIENCE_S).ok
        assert requests.get(f"{server.url}/catalogs", timeout=PATIENCE_S).ok
    server.wait_for_output('"evicted"')


def test_a_body_that_does_not_come_is_a_408_that_the_frontend_can_read(server: ServerProcess) -> None:
    with connect(server) as client:
        client.sendall(
            b"POST /user/login HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example.com\r\n"
            b'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"email":'
        )
        answer = rest_of(client).decode()

    assert answer.startswith("HTTP/1.1 408")
    assert texts.TOO_SLOW.detail in answer
    assert "access-control-allow-origin: https://app.example.com" in answer.lower()
    assert "connection: close" in answer.lower()


def test_the_limit_of_open_files_is_raised(server: ServerProcess) -> None:
    soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)

    assert soft == min(hard, max(soft, 65_536))
