"""What clients that misbehave below HTTP cost one process, and what others notice meanwhile.

headers    one connection that sends 600 MB of header fields, and one with a header line of 600 MB: memory, processor
silent     2,000 connections that say nothing, or half a head, at a process that takes 1,000: others' p99
framing    100 connections with 1 MB of trailers, one trailer or chunks of one byte each: memory, processor
unread     200 connections that ask for the API's document and never read: memory, others' p99
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psutil
import requests

from maverik_backend.connections import raise_open_files_limit
from tests.bench.figures import Figure, Result
from tests.bench.load import LOOPBACK, Samples, make_call, open_loop
from tests.bench.stage import Stage
from tests.support.processes import ServerProcess

MB = 1_000_000
HEADERS_MB = 600
SILENT, PLACES = 2_000, 1_000
UNREAD = 200
FRAMING = 100
BODY = b"POST /user/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
FRAMED = {
    "trailers": (b"0\r\n", b"a:b\r\n"),
    "an endless trailer": (b"0\r\nX: ", b"a"),
    "tiny chunks": (b"", b"1\r\na\r\n"),
}
PER_S, SECONDS = 50, 10
TIMEOUT_S = 30.0


def connections(stage: Stage) -> Result:
    raise_open_files_limit()  # of this process, too
    with stage.product(MAX_CONNECTIONS=str(PLACES)) as server:
        warm_up(server)
        fields = cost_of(server, b"GET / HTTP/1.1\r\n", b"a: " + b"b" * 60 + b"\r\n")
        line = cost_of(server, b"GET / HTTP/1.1\r\na: ", b"b" * 64)
        framing = {title: cost_of_crowd(server, BODY + begun, more) for title, (begun, more) in FRAMED.items()}
        alone = others(server, stage)
        with silent_crowd(server):
            began = time.perf_counter()
            requests.get(f"{server.url}/health/live", timeout=TIMEOUT_S)
            first_ms = (time.perf_counter() - began) * 1000
            among_silent = others(server, stage)
        before_mb = memory_mb(server)
        with unread_crowd(server):
            among_unread = others(server, stage)
            unread_mb = memory_mb(server) - before_mb
    return Result(
        figures=[
            Figure(title=f"{HEADERS_MB} MB of header fields, kept", value=fields[0], unit="MB", at_most=1),
            Figure(title="the same, processor", value=fields[1], unit="s", at_most=2),
            Figure(title=f"a header line of {HEADERS_MB} MB, kept", value=line[0], unit="MB", at_most=1),
            Figure(title="the same, processor", value=line[1], unit="s", at_most=2),
            *itertools.chain.from_iterable(figures_of(title, cost) for title, cost in framing.items()),
            Figure(title="others' p99 without any of this", value=alone.percentile_ms(99), unit="ms"),
            Figure(title=f"{SILENT:,} silent connections came at once, first answer after", value=first_ms, unit="ms"),
            Figure(
                title=f"{SILENT:,} silent connections at {PLACES:,} places, others' p99",
                value=among_silent.percentile_ms(99),
                unit="ms",
                at_most=250,
            ),
            Figure(title="others refused or cut meanwhile", value=sum(among_silent.failures.values()), at_most=0),
            Figure(
                title=f"{UNREAD} clients that never read, others' p99",
                value=among_unread.percentile_ms(99),
                unit="ms",
                at_most=250,
            ),
            Figure(title="the same, memory", value=unread_mb, unit="MB"),
        ],
        details={"alone": alone.failures, "silent": among_silent.failures, "unread": among_unread.failures},
    )


def warm_up(server: ServerProcess) -> None:
    """What is made once is not what a client leaves behind."""
    with connect(server) as client:
        client.sendall(make_call("GET", "/openapi.json"))
        client.recv(1)
    for _ in range(3):
        cost_of(server, b"GET / HTTP/1.1\r\n", b"a: b\r\n", megabytes=10)


def cost_of(server: ServerProcess, begin: bytes, more: bytes, *, megabytes: int = HEADERS_MB) -> tuple[float, float]:
    """Memory (MB) and processor (s) that the process takes for a head that goes on, as far as it lets it."""
    process = psutil.Process(server.pid)
    memory, worked = memory_mb(server), sum(process.cpu_times()[:2])
    piece = more * (MB // len(more))
    with connect(server) as client, contextlib.suppress(ConnectionError):
        client.sendall(begin)
        for _ in range(megabytes):
            client.sendall(piece)
    return memory_mb(server) - memory, sum(process.cpu_times()[:2]) - worked


def cost_of_crowd(server: ServerProcess, begin: bytes, more: bytes) -> tuple[float, float]:
    """As above, of :data:`FRAMING` connections that send 1 MB each and stay open."""
    process = psutil.Process(server.pid)
    memory, worked = memory_mb(server), sum(process.cpu_times()[:2])
    with ExitStack() as stack:
        for _ in range(FRAMING):
            client = stack.enter_context(connect(server))
            with contextlib.suppress(ConnectionError):
                client.sendall(begin + more * (MB // len(more)))
        return memory_mb(server) - memory, sum(process.cpu_times()[:2]) - worked


def figures_of(title: str, cost: tuple[float, float]) -> Iterator[Figure]:
    yield Figure(title=f"{FRAMING} bodies with 1 MB of {title}, kept", value=cost[0], unit="MB", at_most=16)
    yield Figure(title="the same, processor", value=cost[1], unit="s", at_most=2)


@contextmanager
def silent_crowd(server: ServerProcess) -> Iterator[None]:
    with ExitStack() as stack:
        for number in range(SILENT):
            client = stack.enter_context(connect(server))
            with contextlib.suppress(ConnectionError):
                client.sendall(b"GET / HTTP/1.1\r\n" if number % 2 else b"")
        yield


@contextmanager
def unread_crowd(server: ServerProcess) -> Iterator[None]:
    ask = make_call("GET", "/openapi.json")
    with ExitStack() as stack:
        for _ in range(UNREAD):
            client = stack.enter_context(connect(server))
            client.sendall(ask)
            client.recv(1)  # the answer was made, and waits
        yield


def others(server: ServerProcess, stage: Stage) -> Samples:
    calls = itertools.repeat(make_call("GET", "/catalogs"))
    return asyncio.run(open_loop(server.port, calls, per_s=PER_S, seconds=stage.seconds(SECONDS)))


def memory_mb(server: ServerProcess) -> float:
    return float(psutil.Process(server.pid).memory_info().rss) / MB


def connect(server: ServerProcess) -> socket.socket:
    return socket.create_connection((LOOPBACK, server.port), timeout=TIMEOUT_S)
