"""Sums that people ask for: exact, with the stated rate, and nothing invented. Half of the cases was set aside."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.core.markdown import clean
from maverik_backend.schemas.base import MAX_TEXT_CHARS
from maverik_backend.services.advice.sums import MAX_SUM_CHARS, sum_asked
from maverik_backend.texts import sums as texts
from tests.support.paths import FIXTURE_DATA
from tests.support.worst_texts import WORST_TEXTS


def cases() -> list[tuple[list[str], str]]:
    """What was said, and what the answer holds; ``-`` for no sum, ``?`` and names for what is missing."""
    lines = (FIXTURE_DATA / "sum_phrases.txt").read_text(encoding="utf-8").splitlines()
    parts = (line.rpartition(" => ") for line in lines if line and not line.startswith("#"))
    return [(said.split(" || "), expected.strip()) for said, _, expected in parts]


CASES = cases()
TUNED_ON, SET_ASIDE = CASES[::2], CASES[1::2]


def is_right(said: list[str], expected: str) -> bool:
    made = sum_asked(said[-1], said[:-1])
    if expected == "-":
        return made is None
    if made is None:
        return False
    text = made.text.replace("\N{NO-BREAK SPACE}", " ")
    if expected.startswith("?"):
        return made.is_missing and all(texts.NAMES[name] in text for name in expected[1:].split())
    return not made.is_missing and expected in text


@pytest.mark.parametrize(("said", "expected"), TUNED_ON, ids=str)
def test_each_is_right(said: list[str], expected: str) -> None:
    assert is_right(said, expected)


def test_those_that_were_set_aside_are_nearly_all_right() -> None:
    wrong = [(said, expected) for said, expected in SET_ASIDE if not is_right(said, expected)]

    assert len(wrong) <= 0.1 * len(SET_ASIDE), wrong


def test_what_was_said_before_is_read_only_for_a_message_that_may_need_it() -> None:
    earlier = iter(["¿Cuánto es el 21% de 3500?"])

    assert sum_asked("¿Qué hago con lo que ahorro cada mes?", earlier) is None
    assert sum_asked("¿Y el 10%?", earlier) is not None


def test_the_answer_passes_as_one() -> None:
    for said, _ in CASES:
        if made := sum_asked(said[-1], said[:-1]):
            assert clean(made.text) == made.text


@given(st.lists(st.text(alphabet="0123456789.,$% milkporesahntgudcj¿?/*+-", max_size=70), min_size=1, max_size=3))
def test_whatever_is_said_there_is_a_sum_or_none(said: list[str]) -> None:
    made = sum_asked(said[-1], said[:-1])

    assert made is None or made.text


@pytest.mark.parametrize("name", WORST_TEXTS)
def test_the_longest_message_made_to_cost_is_read_at_once(name: str) -> None:
    started = time.thread_time()

    sum_asked(WORST_TEXTS[name](MAX_TEXT_CHARS), [WORST_TEXTS[name](MAX_SUM_CHARS)] * 20)

    assert time.thread_time() - started < 2
