"""The circuit breaker, with a clock of the test's own."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from maverik_backend.clients.breaker import MAX_PROBES, MIN_CALLS, OPEN_S, WINDOW, BreakerState, CircuitBreaker
from maverik_backend.errors import UpstreamCircuitOpen, UpstreamTimeout


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("rag", clock=clock)


def succeed(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with breaker.guard():
            pass


def fail(breaker: CircuitBreaker, times: int = 1) -> None:
    def call() -> None:
        with breaker.guard():
            raise UpstreamTimeout("rag")

    for _ in range(times):
        with pytest.raises(UpstreamTimeout):
            call()


def open_it(breaker: CircuitBreaker) -> None:
    fail(breaker, MIN_CALLS)
    assert breaker.state is BreakerState.OPEN


class TestOpening:
    def test_too_few_calls_say_nothing(self, breaker: CircuitBreaker) -> None:
        fail(breaker, MIN_CALLS - 1)

        assert breaker.state is BreakerState.CLOSED

    def test_half_of_them_failing_is_enough(self, breaker: CircuitBreaker) -> None:
        succeed(breaker, MIN_CALLS // 2)
        fail(breaker, MIN_CALLS // 2)

        assert breaker.state is BreakerState.OPEN

    def test_less_than_half_is_not(self, breaker: CircuitBreaker) -> None:
        succeed(breaker, WINDOW // 2 + 1)
        fail(breaker, WINDOW // 2 - 1)

        assert breaker.state is BreakerState.CLOSED

    def test_only_the_latest_calls_count(self, breaker: CircuitBreaker) -> None:
        succeed(breaker, 10 * WINDOW)
        fail(breaker, WINDOW // 2)

        assert breaker.state is BreakerState.OPEN

    def test_a_defect_of_ours_is_not_the_services_failure(self, breaker: CircuitBreaker) -> None:
        def call() -> None:
            with breaker.guard():
                raise RuntimeError

        for _ in range(WINDOW):
            with pytest.raises(RuntimeError):
                call()

        assert breaker.state is BreakerState.CLOSED


class TestOpen:
    def test_calls_fail_at_once(self, breaker: CircuitBreaker) -> None:
        open_it(breaker)

        with pytest.raises(UpstreamCircuitOpen), breaker.guard():
            pytest.fail("the call went through")

    def test_it_rests_as_long_as_the_table_says(self, breaker: CircuitBreaker, clock: Clock) -> None:
        open_it(breaker)
        states = []
        for passed_s in (OPEN_S - 0.1, 0.1):
            clock.now += passed_s
            states.append(breaker.state)

        assert states == [BreakerState.OPEN, BreakerState.HALF_OPEN]

    def test_a_call_that_began_before_cannot_close_it(self, breaker: CircuitBreaker) -> None:
        with breaker.guard():
            open_it(breaker)

        assert breaker.state is BreakerState.OPEN


class TestProbing:
    def test_a_success_closes_it_and_forgets_the_past(self, breaker: CircuitBreaker, clock: Clock) -> None:
        open_it(breaker)
        clock.now += OPEN_S
        succeed(breaker)

        fail(breaker, MIN_CALLS - 1)
        assert breaker.state is BreakerState.CLOSED

    def test_a_failure_opens_it_for_as_long_again(self, breaker: CircuitBreaker, clock: Clock) -> None:
        open_it(breaker)
        clock.now += OPEN_S
        fail(breaker)

        clock.now += OPEN_S - 0.1
        assert breaker.state is BreakerState.OPEN

    def test_only_so_many_go_through_at_a_time(self, breaker: CircuitBreaker, clock: Clock) -> None:
        open_it(breaker)
        clock.now += OPEN_S
        with ExitStack() as probes:
            for _ in range(MAX_PROBES):
                probes.enter_context(breaker.guard())

            with pytest.raises(UpstreamCircuitOpen), breaker.guard():
                pytest.fail("one probe too many")

    def test_a_place_is_free_again_when_a_probe_ends(self, breaker: CircuitBreaker, clock: Clock) -> None:
        open_it(breaker)
        for _ in range(MAX_PROBES + 1):
            clock.now += OPEN_S
            fail(breaker)

        clock.now += OPEN_S
        succeed(breaker)
        assert breaker.state is BreakerState.CLOSED


def test_no_call_waits_for_another(breaker: CircuitBreaker) -> None:
    """Ten calls are inside at once; a lock held during a call would never let them meet."""
    meeting = threading.Barrier(10, timeout=60)

    def call() -> None:
        with breaker.guard():
            meeting.wait()

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not meeting.broken


def test_the_listener_is_called_when_it_opens_and_closes(clock: Clock) -> None:
    told: list[bool] = []
    breaker = CircuitBreaker("rag", clock=clock, on_change=told.append)
    open_it(breaker)
    clock.now += OPEN_S
    fail(breaker)
    clock.now += OPEN_S

    succeed(breaker)

    assert told == [True, False]
