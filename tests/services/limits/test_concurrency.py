"""Slots by several keys, taken and given back by many threads at once."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from maverik_backend.core.principal import Principal
from maverik_backend.errors import AddressBusy, MaverikError, Overloaded, TooManyAtOnce
from maverik_backend.services.limits import ConcurrencyLimiter, Share

THREADS = 16
ROUNDS = 300


def person(number: int, limit: int = 3) -> Share:
    return Share.of_principal(Principal(id=number), limit=limit, refusal=TooManyAtOnce)


def address(key: str, limit: int = 5) -> Share:
    return Share(kind="address", key=key, limit=limit, refusal=AddressBusy)


def taken_at_once(limiter: ConcurrencyLimiter, *shares: Share) -> int:
    """How many slots there are for ``shares``."""
    with ExitStack() as held:
        for number in range(100):
            try:
                held.enter_context(limiter.slot(*shares))
            except MaverikError:
                return number
    return 100


def test_there_are_as_many_slots_as_it_says() -> None:
    assert taken_at_once(ConcurrencyLimiter(7)) == 7


def test_one_more_than_all_is_refused_as_overload() -> None:
    limiter = ConcurrencyLimiter(1)

    with limiter.slot(), pytest.raises(Overloaded), limiter.slot():
        pass


@pytest.mark.parametrize(("share", "refusal"), [(person(1), TooManyAtOnce), (address("::1"), AddressBusy)])
def test_one_more_than_a_share_is_refused_in_the_words_of_the_share(share: Share, refusal: type[MaverikError]) -> None:
    limiter = ConcurrencyLimiter(100)

    with ExitStack() as held:
        for _ in range(share.limit):
            held.enter_context(limiter.slot(share))
        with pytest.raises(refusal), limiter.slot(share):
            pass


def test_the_smallest_share_decides() -> None:
    limiter = ConcurrencyLimiter(100)

    assert taken_at_once(limiter, person(1), address("::1")) == 3
    assert taken_at_once(limiter, person(1, limit=50), address("::1")) == 5


def test_a_share_is_one_keys_own() -> None:
    limiter = ConcurrencyLimiter(100)

    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(limiter.slot(person(1)))
        assert taken_at_once(limiter, person(2)) == 3


def test_keys_of_two_kinds_are_told_apart() -> None:
    limiter = ConcurrencyLimiter(100)

    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(limiter.slot(person(1)))
        assert taken_at_once(limiter, address("1")) == 5


def test_a_refusal_takes_nothing() -> None:
    limiter = ConcurrencyLimiter(4)
    with limiter.slot(address("::1", limit=1)):
        for _ in range(10):
            with pytest.raises(AddressBusy), limiter.slot(person(1), address("::1", limit=1)):
                pass

        assert taken_at_once(limiter, person(1)) == 3


def test_a_slot_comes_back_when_its_work_fails() -> None:
    limiter = ConcurrencyLimiter(1)

    with pytest.raises(RuntimeError), limiter.slot(person(1)):
        raise RuntimeError

    assert taken_at_once(limiter, person(1)) == 1


def test_keys_that_hold_nothing_are_forgotten() -> None:
    limiter = ConcurrencyLimiter(10)

    for number in range(100):
        with limiter.slot(address(str(number))):
            pass

    assert not limiter._taken_by  # noqa: SLF001 - memory has no other sign


def test_many_threads_never_hold_more_than_allowed_and_give_everything_back() -> None:
    limiter = ConcurrencyLimiter(8)
    lock, holding, most = threading.Lock(), Counter[str](), Counter[str]()

    def work(number: int) -> None:
        keys = (str(number % 4), f"::{number % 2}")
        for _ in range(ROUNDS):
            try:
                with limiter.slot(person(int(keys[0]), limit=2), address(keys[1], limit=3)):
                    with lock:
                        holding.update(["all", *keys])
                        most.update({key: holding[key] - most[key] for key in holding if holding[key] > most[key]})
                    with lock:
                        holding.subtract(["all", *keys])
            except MaverikError:
                continue

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))

    assert most["all"] <= 6
    assert max(most[str(number)] for number in range(4)) <= 2
    assert max(most[f"::{number}"] for number in range(2)) <= 3
    assert taken_at_once(limiter) == 8
