"""How many connections there may be, and which one gives way."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import ClassVar

import pytest

from maverik_backend.connections import ConnectionLimits, ConnectionTable
from maverik_backend.core.metrics import Metrics
from tests.connections.served import GET, Served, answer_on, problem_in, rest_of, serving

MAX = 8
LATER = GET.replace(b"/", b"/later", 1)


@pytest.fixture
def small() -> Iterator[Served]:
    with serving(max_connections=MAX, max_connections_per_address=None, head_s=600) as served:
        yield served


@pytest.fixture
def shared() -> Iterator[Served]:
    """A quarter for each address."""
    with serving(max_connections=MAX, max_connections_per_address=MAX // 4, head_s=600) as served:
        yield served


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def fill(served: Served, stack: ExitStack, said: bytes, *, count: int = MAX) -> list[socket.socket]:
    """Connections that said so much; each is known to the server before the next comes."""
    clients = []
    for _ in range(count):
        client = stack.enter_context(served.connect())
        client.sendall(said)
        clients.append(client)
        served.wait_until(lambda: len(served.table) == min(len(clients), MAX))
    return clients


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost:", b"\r\n"], ids=["nothing", "a part", "a line"])
def test_a_new_connection_takes_the_place_of_the_one_that_was_idle_for_longest(
    small: Served, stack: ExitStack, said: bytes
) -> None:
    silent = fill(small, stack, said)
    with small.connect() as client:
        client.sendall(GET)
        assert answer_on(client).startswith(b"HTTP/1.1 200")

    assert rest_of(silent[0]) == b""
    silent[1].sendall(b"\r\n\r\n" if said.startswith(b"GET") else GET)
    assert answer_on(silent[1]).startswith(b"HTTP/1.1 200")
    small.wait_for_cut("evicted")


def test_one_that_was_answered_lately_stays_longer_than_one_that_never_asked(small: Served, stack: ExitStack) -> None:
    answered, silent, *_ = fill(small, stack, b"")
    answered.sendall(GET)
    answer_on(answered)
    stack.enter_context(small.connect())

    assert rest_of(silent) == b""
    answered.sendall(GET)
    assert answer_on(answered).startswith(b"HTTP/1.1 200")


def test_requests_under_way_never_give_way(small: Served, stack: ExitStack) -> None:
    busy = fill(small, stack, LATER)
    small.wait_until(lambda: len(small.app.scopes) == MAX)
    with small.connect() as client:
        status, body = problem_in(rest_of(client))

    assert (status, body["error"]) == (503, "overloaded")
    small.release()
    assert all(answer_on(client).startswith(b"HTTP/1.1 200") for client in busy)
    small.wait_for_cut("full")


def test_a_connection_that_ended_leaves_its_place(small: Served, stack: ExitStack) -> None:
    for client in fill(small, stack, LATER):
        client.close()
    small.wait_until(lambda: len(small.table) == 0)

    assert fill(small, stack, GET)


def test_one_address_gets_its_share_and_no_more(shared: Served, stack: ExitStack) -> None:
    silent = fill(shared, stack, b"", count=MAX // 4)
    later = stack.enter_context(shared.connect())
    later.sendall(GET)

    assert answer_on(later).startswith(b"HTTP/1.1 200")
    assert rest_of(silent[0]) == b""
    assert len(shared.table) == MAX // 4


def test_crowds_of_silent_connections_do_not_keep_new_ones_out(small: Served, stack: ExitStack) -> None:
    for _ in range(50):
        for _ in range(5):
            stack.enter_context(small.connect())
        with small.connect() as client:
            client.sendall(GET)
            assert answer_on(client).startswith(b"HTTP/1.1 200")


class Silent:
    """A connection that never said anything; counts how often any of them is looked up."""

    lookups: ClassVar[int] = 0
    unsent_bytes = 0
    unread_since = 0.0

    def __init__(self) -> None:
        self.is_aborted = False

    def __hash__(self) -> int:
        Silent.lookups += 1
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def check(self, now: float) -> None:
        """Nothing takes long here."""

    def abort(self) -> None:
        self.is_aborted = True


class TestShares:
    @pytest.fixture
    def table(self) -> ConnectionTable:
        """Full of idle connections of others, but for the two of one address, which have requests under way."""
        limits = ConnectionLimits(max_connections=1_000, max_connections_per_address=2)
        table = ConnectionTable(limits, metrics=Metrics())
        for number in range(998):
            table.enter(Silent(), address=f"other {number // 2}")
        for _ in range(2):
            busy = Silent()
            table.enter(busy, address="one")
            table.set_idle(busy, is_idle=False)
        return table

    def test_an_address_without_an_idle_connection_is_refused_without_a_look_at_those_of_others(
        self, table: ConnectionTable
    ) -> None:
        Silent.lookups = 0

        assert not table.enter(Silent(), address="one")
        assert Silent.lookups < 10

    def test_the_longest_idle_one_of_the_address_gives_way(self, table: ConnectionTable) -> None:
        first, second, third = Silent(), Silent(), Silent()
        for connection in (first, second, third):
            assert table.enter(connection, address="another")

        assert [first.is_aborted, second.is_aborted, third.is_aborted] == [True, False, False]

    def test_one_that_is_busy_does_not(self, table: ConnectionTable) -> None:
        first, second = Silent(), Silent()
        table.enter(first, address="another")
        table.set_idle(first, is_idle=False)
        table.enter(second, address="another")

        assert table.enter(Silent(), address="another")
        assert [first.is_aborted, second.is_aborted] == [False, True]
