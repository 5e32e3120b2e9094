"""Who waits for a slot gets it in turn by key, and not for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from maverik_backend.errors import Overloaded
from maverik_backend.services.limits import FairQueue
from tests.support.waiting import waiting_in

THREADS = 16
ROUNDS = 300
PATIENCE_S = 60.0
AT_ONCE_S = 0.0


class Served:
    """Waiters of a queue of one slot, in threads: ``a2`` waits by the key ``a``; ``names`` are in their order."""

    def __init__(self, queue: FairQueue, pool: ThreadPoolExecutor) -> None:
        self.names: list[str] = []
        self._queue = queue
        self._pool = pool

    def wait(self, *names: str) -> list[Future[None]]:
        """A waiter for each of ``names``, each begun once the one before is waiting."""
        futures = []
        for name in names:
            before = sum(waiting_in(self._queue).values())
            futures.append(self._pool.submit(self._take, name))
            assert waiting_in(self._queue, until=before + 1)
        return futures

    def _take(self, name: str) -> None:
        with self._queue.slot(name[0], timeout_s=PATIENCE_S):
            self.names.append(name)


@pytest.fixture
def queue() -> FairQueue:
    return FairQueue(1)


@pytest.fixture
def served(queue: FairQueue) -> Iterator[Served]:
    with ThreadPoolExecutor(THREADS) as pool:
        yield Served(queue, pool)


def test_there_are_as_many_slots_as_it_says() -> None:
    queue = FairQueue(3)

    with ExitStack() as held:
        for number in range(3):
            held.enter_context(queue.slot(str(number), timeout_s=AT_ONCE_S))
        with pytest.raises(Overloaded), queue.slot("another", timeout_s=AT_ONCE_S):
            pass


def test_one_key_may_have_all_of_them_while_no_other_waits() -> None:
    queue = FairQueue(3)

    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(queue.slot("a", timeout_s=AT_ONCE_S))


def test_of_one_key_the_first_to_come_is_the_first_to_go(queue: FairQueue, served: Served) -> None:
    names = ["a1", "a2", "a3", "a4", "a5"]
    with queue.slot("x", timeout_s=AT_ONCE_S):
        futures = served.wait(*names)
    for future in futures:
        future.result(PATIENCE_S)

    assert served.names == names


def test_keys_take_turns_however_many_wait_of_one(queue: FairQueue, served: Served) -> None:
    with queue.slot("x", timeout_s=AT_ONCE_S):
        futures = served.wait("a1", "a2", "a3", "a4", "b1", "b2", "c1")
    for future in futures:
        future.result(PATIENCE_S)

    assert served.names == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]


def test_who_gave_up_is_passed_over(queue: FairQueue, served: Served) -> None:
    with queue.slot("x", timeout_s=AT_ONCE_S):
        (first,) = served.wait("a1")
        with pytest.raises(Overloaded), queue.slot("a", timeout_s=AT_ONCE_S):
            pass
        with pytest.raises(Overloaded), queue.slot("b", timeout_s=AT_ONCE_S):
            pass
        assert waiting_in(queue) == {"a": 1}
    first.result(PATIENCE_S)

    assert served.names == ["a1"]


def test_what_fails_gives_its_slot_back(queue: FairQueue) -> None:
    with pytest.raises(RuntimeError), queue.slot("a", timeout_s=AT_ONCE_S):
        raise RuntimeError

    with queue.slot("a", timeout_s=AT_ONCE_S):
        pass


def test_many_threads_never_hold_more_than_allowed_and_give_everything_back() -> None:
    queue, lock, holding, most = FairQueue(3), threading.Lock(), 0, 0

    def work(number: int) -> None:
        nonlocal holding, most
        for turn in range(ROUNDS):
            try:
                # Some of them give up, at any moment.
                with queue.slot(str(number % 4), timeout_s=PATIENCE_S if turn % 3 else 1e-5):
                    with lock:
                        holding += 1
                        most = max(most, holding)
                    with lock:
                        holding -= 1
            except Overloaded:
                continue

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(work, range(THREADS))) == [None] * THREADS

    assert 0 < most <= 3
    assert waiting_in(queue) == {}
    with ExitStack() as held:
        for number in range(3):
            held.enter_context(queue.slot(str(number), timeout_s=AT_ONCE_S))
