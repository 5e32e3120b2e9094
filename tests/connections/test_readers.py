"""Clients that do not read their answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.connections.served import GET, Served, answer_on, rest_of, serving

BIG = GET.replace(b"/", b"/big", 1)
# More than the system keeps for a connection, on either side.
SIZE = 32 * 1024 * 1024


@pytest.fixture
def impatient() -> Iterator[Served]:
    with serving(unread_window_s=3, min_read_bytes=32_768, keep_alive_s=3) as served:
        served.app.size = SIZE
        yield served


@pytest.fixture
def frugal() -> Iterator[Served]:
    """Has room for one unread answer."""
    with serving(max_unsent_bytes=int(1.5 * SIZE), keep_alive_s=600) as served:
        served.app.size = SIZE
        yield served


def ask(served: Served) -> socket.socket:
    client = served.connect()
    client.sendall(BIG)
    return client


def test_an_answer_that_is_not_read_is_thrown_away(impatient: Served) -> None:
    with ask(impatient) as client:
        impatient.wait_for_cut("unread")
        impatient.wait_until(lambda: len(impatient.table) == 0)

        assert len(rest_of(client)) < SIZE


def test_one_that_is_read_slowly_is_delivered_whole(impatient: Served) -> None:
    received = 0
    with impatient.connect() as client:
        client.sendall(BIG)
        while received < SIZE:
            data = client.recv(1024 * 1024)
            assert data
            received += len(data)

    assert "unread" not in impatient.cuts()


def test_unread_answers_take_so_much_memory_together_and_no_more(frugal: Served) -> None:
    with ask(frugal) as first:
        frugal.wait_until(lambda: frugal.app.scopes)
        with ask(frugal) as second:
            frugal.wait_for_cut("unread")

            assert len(rest_of(first)) < SIZE
            assert len(answer_on(second)) > SIZE
    assert frugal.cuts() == {"unread": 1}
