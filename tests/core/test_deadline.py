"""A point in time by which something must be over. No test waits: the moments lie in the past or far ahead."""

from __future__ import annotations

import time

import pytest

from maverik_backend.core.deadline import Cancellation, Deadline


def test_what_is_left_never_exceeds_what_was_given() -> None:
    assert 59 < Deadline.after(60).remaining_s() <= 60


def test_what_is_left_only_shrinks() -> None:
    deadline = Deadline.after(60)
    earlier = deadline.remaining_s()

    assert deadline.remaining_s() <= earlier


def test_one_ahead_has_not_passed() -> None:
    assert not Deadline.after(60).passed


@pytest.mark.parametrize("seconds", [0, -0.001, -60])
def test_one_behind_has_passed(seconds: float) -> None:
    assert Deadline.after(seconds).passed


def test_what_is_left_is_never_negative() -> None:
    assert Deadline.after(-60).remaining_s() == 0


def test_it_lies_on_the_monotonic_clock() -> None:
    before = time.monotonic()

    assert before + 10 <= Deadline.after(10).at <= time.monotonic() + 10


def test_it_can_be_handed_down_unchanged() -> None:
    deadline = Deadline.after(60)

    with pytest.raises(AttributeError):
        deadline.at = 0  # type: ignore[misc]


def test_a_cancelled_one_has_passed_although_time_is_left() -> None:
    cancellation = Cancellation()
    deadline = Deadline.after(60, cancellation=cancellation)

    cancellation.cancel()

    assert deadline.is_cancelled
    assert deadline.passed
    assert deadline.remaining_s() == 0


def test_cancelling_calls_what_is_registered_once() -> None:
    cancellation, calls = Cancellation(), []

    with cancellation.calling(lambda: calls.append("closed")):
        cancellation.cancel()
        cancellation.cancel()

    assert calls == ["closed"]


def test_what_is_registered_after_cancelling_is_called_at_once() -> None:
    cancellation, calls = Cancellation(), []
    cancellation.cancel()

    with cancellation.calling(lambda: calls.append("closed")):
        assert calls == ["closed"]


def test_what_is_over_is_not_called_any_more() -> None:
    cancellation, calls = Cancellation(), []
    with cancellation.calling(lambda: calls.append("closed")):
        pass

    cancellation.cancel()

    assert not calls
