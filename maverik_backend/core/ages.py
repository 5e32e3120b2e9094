"""Ages, for what people may do and what advisors are told."""

from __future__ import annotations

from datetime import date


def age_on(born: date, today: date) -> int:
    """Whole years lived on ``today``."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
