"""Column types for values that PostgreSQL holds and neither Python nor JSON can show.

Constraints keep them out (revision e8b3f05d7a19). An amount or a day that is there all the same, in a table that was
restored without its constraints for instance, reads as NULL instead of breaking every answer that it is part of.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, Numeric
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

LARGEST_AMOUNT = Decimal("1e300")
"""A JSON number is an IEEE 754 binary64, which ends at 1.8e308."""


def showable_amount(column: str) -> str:
    """What must hold of a column of amounts. NaN is greater than every number (PostgreSQL manual, 8.1.2)."""
    return f"{column} BETWEEN -1e300 AND 1e300"


def showable_day(column: str) -> str:
    """What must hold of a column of days."""
    return f"{column} BETWEEN date '0001-01-01' AND date '9999-12-31'"


def showable_moment(column: str) -> str:
    """What must hold of a column of moments: a day less at both ends, so that no time zone leads out of them."""
    return f"{column} BETWEEN timestamptz '0001-01-02 00:00Z' AND timestamptz '9999-12-30 00:00Z'"


class Amount(TypeDecorator[Decimal]):
    """``numeric`` without ``NaN``, ``Infinity`` and numbers beyond :data:`LARGEST_AMOUNT`."""

    impl = Numeric
    cache_ok = True

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:  # noqa: ANN401, ARG002
        is_shown = isinstance(value, Decimal) and value.is_finite() and abs(value) <= LARGEST_AMOUNT
        return value if is_shown else None


class Day(TypeDecorator[date]):
    """``date`` from the year 1 to 9999; the driver hands any other one over as text."""

    impl = Date
    cache_ok = True

    def process_result_value(self, value: Any | None, dialect: Dialect) -> date | None:  # noqa: ANN401, ARG002
        return value if isinstance(value, date) else None
