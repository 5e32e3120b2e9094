"""Arithmetic in words' place: exact, bounded, and never code."""

from __future__ import annotations

import time
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.services.advice.calculator import (
    MAX_EXPRESSION_CHARS,
    NotCalculable,
    evaluate,
    parse_number,
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1.250.000,50 * 2", "2500001"),
        ("1250000.50 + 1", "1250001.5"),
        ("0,1 + 0,2", "0.3"),
        ("(3 + 4) * 2 ^ 3", "56"),
        ("15% * 80.000", "12000"),
        ("-5 + 2", "-3"),
        ("2 - -3", "5"),
        ("10 / 4", "2.5"),
        ("350 x 12", "4200"),
        ("350 \u00d7 12 \u00f7 2", "2100"),
    ],
)
def test_it_is_computed_exactly(expression: str, value: str) -> None:
    assert evaluate(expression) == Decimal(value)


@pytest.mark.parametrize(
    "expression",
    ["", "1 +", "(1", "1)", "1 / 0", "0 ^ -1", "abs(1)", "__import__('os')", "1; 2", "9 ^ 9 ^ 9", "10 ^ 601", "1..2",
     "(" * 30 + "1" + ")" * 30, "9" * (MAX_EXPRESSION_CHARS + 1), "1+" * 90 + "1"],
)  # fmt: skip
def test_what_is_none_or_out_of_bounds_is_refused(expression: str) -> None:
    with pytest.raises(NotCalculable):
        evaluate(expression)


@given(st.text(alphabet="0123456789.,+-*/^()% x", max_size=MAX_EXPRESSION_CHARS))
def test_whatever_is_written_there_is_a_value_or_a_refusal_at_once(expression: str) -> None:
    started = time.thread_time()
    with suppress(NotCalculable):
        assert evaluate(expression).is_finite()
    assert time.thread_time() - started < 2


@pytest.mark.parametrize(
    ("written", "value"), [("1.234", "1234"), ("1.5", "1.5"), ("1.234,5", "1234.5"), ("1,5", "1.5")]
)
def test_numbers_are_read_as_in_argentina(written: str, value: str) -> None:
    assert parse_number(written) == Decimal(value)
