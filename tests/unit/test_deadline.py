"""A point in time by which something must be over. Nobody waits here: the moments lie in the past or far ahead."""

from __future__ import annotations

import time

import pytest

from maverik_backend.core.deadline import Deadline


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


def test_it_lies_on_the_clock_that_nobody_can_set() -> None:
    before = time.monotonic()

    assert before + 10 <= Deadline.after(10).at <= time.monotonic() + 10


def test_it_can_be_handed_down_unchanged() -> None:
    deadline = Deadline.after(60)

    with pytest.raises(AttributeError):
        deadline.at = 0  # type: ignore[misc]
