"""A cancelled call ends at once, whatever it waits for: its socket is shut down, and the service is not blamed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from maverik_backend.clients.breaker import MIN_CALLS, BreakerState
from maverik_backend.clients.http import HttpService
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import Cancelled
from tests.support.servers import Peer, RawServer

AMPLE_S = 120.0
PATIENCE_S = 60.0

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
SENT_BEFORE_IT_HANGS = {
    "before the head": b"",
    "within the head": HEAD[:20],
    "within the body": HEAD + b'{"respo',
    "within a body without a length": b'HTTP/1.1 200 OK\r\n\r\n{"a": 1}',
}


@contextmanager
def service_at(url: str) -> Iterator[HttpService]:
    with closing(HttpService("rag", url)) as service:
        yield service


def ask(service: HttpService, deadline: Deadline) -> object:
    return service.ask("/api/chat", {"input": "hola"}, parse=lambda body: body, deadline=deadline)


def hanging_after(sent: bytes, asked: threading.Semaphore) -> Callable[[Peer], None]:
    """Take the request, send what is given, then wait until the client goes."""

    def serve(peer: Peer) -> None:
        peer.read_request()
        peer.send(sent)
        asked.release()
        peer.read_line()

    return serve


@pytest.mark.parametrize("sent", SENT_BEFORE_IT_HANGS.values(), ids=SENT_BEFORE_IT_HANGS.keys())
def test_it_ends_and_the_service_sees_the_connection_closed(sent: bytes) -> None:
    asked = threading.Semaphore(0)
    deadline = Deadline.after(AMPLE_S)
    with (
        RawServer(hanging_after(sent, asked)) as server,
        service_at(server.url) as service,
        ThreadPoolExecutor(1) as thread,
    ):
        call = thread.submit(ask, service, deadline)
        assert asked.acquire(timeout=PATIENCE_S)
        deadline.cancellation.cancel()

        with pytest.raises(Cancelled):
            call.result(timeout=PATIENCE_S)
        assert server.closed.acquire(timeout=PATIENCE_S)
        assert server.connections == 1


def test_a_call_of_what_was_cancelled_before_is_not_made() -> None:
    deadline = Deadline.after(AMPLE_S)
    deadline.cancellation.cancel()
    with RawServer(Peer.hang) as server, service_at(server.url) as service:
        with pytest.raises(Cancelled):
            ask(service, deadline)
        assert server.connections == 0


def test_the_wait_before_a_retry_ends_too() -> None:
    refused = threading.Semaphore(0)

    def refuse(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 503 Busy\r\nRetry-After: 50\r\nContent-Length: 0\r\n\r\n")
        refused.release()

    deadline = Deadline.after(AMPLE_S)
    with RawServer(refuse) as server, service_at(server.url) as service, ThreadPoolExecutor(1) as thread:
        call = thread.submit(ask, service, deadline)
        assert refused.acquire(timeout=PATIENCE_S)
        deadline.cancellation.cancel()

        with pytest.raises(Cancelled):
            call.result(timeout=PATIENCE_S)


def test_the_breaker_counts_it_neither_as_failure_nor_as_success() -> None:
    asked = threading.Semaphore(0)
    with (
        RawServer(hanging_after(b"", asked)) as server,
        service_at(server.url) as service,
        ThreadPoolExecutor(MIN_CALLS) as threads,
    ):
        deadlines = [Deadline.after(AMPLE_S) for _ in range(MIN_CALLS)]
        calls = [threads.submit(ask, service, deadline) for deadline in deadlines]
        for _ in calls:
            assert asked.acquire(timeout=PATIENCE_S)
        for deadline in deadlines:
            deadline.cancellation.cancel()
        failures = [call.exception(timeout=PATIENCE_S) for call in calls]

        assert {type(failure) for failure in failures} == {Cancelled}
        assert service.breaker.state is BreakerState.CLOSED
