"""Where capital and savings lead, and what a target needs. Amounts are floats of one currency."""

from __future__ import annotations

import math

# Hypothetical yearly returns above inflation. On purpose well below what the embedded optimiser's portfolios made over
# prices from 1990 to 2023 (about 2, 4.6 and 6.4 % before costs): a plan should not need the past to repeat itself.
REAL_ANNUAL_RETURN = {"baja": 0.010, "media": 0.025, "alta": 0.040}
DEFAULT_RISK_TOLERANCE = "media"

_MONTHS_A_YEAR = 12


def annual_return_for(risk_tolerance: str | None) -> float:
    """The hypothetical yearly return above inflation, as a fraction; for an unknown tolerance the default's."""
    return REAL_ANNUAL_RETURN.get(risk_tolerance or "", REAL_ANNUAL_RETURN[DEFAULT_RISK_TOLERANCE])


def future_value(*, capital: float, monthly: float, months: int, annual_return: float) -> float:
    """Value after ``months`` of ``capital`` and end-of-month payments (an ordinary annuity), compounded monthly.

    ``annual_return`` is an effective yearly rate as a fraction; all amounts are in the same currency.
    """
    growth, annuity = _factors(months, annual_return)
    return float(capital * growth + monthly * annuity)


def required_monthly(*, target: float, capital: float, months: int, annual_return: float) -> float:
    """The end-of-month payment that makes ``capital`` grow to ``target`` in ``months``; 0 when it does by itself."""
    growth, annuity = _factors(months, annual_return)
    return max(0.0, (target - capital * growth) / annuity)


def months_needed(*, target: float, capital: float, monthly: float, annual_return: float) -> int:
    """After how many end-of-month payments ``target`` is reached; ``monthly`` is positive."""
    rate = _monthly_rate(annual_return)
    if capital >= target:
        return 0
    if not rate:
        return math.ceil((target - capital) / monthly)
    return math.ceil(round(math.log((target * rate + monthly) / (capital * rate + monthly)) / math.log1p(rate), 9))


def _factors(months: int, annual_return: float) -> tuple[float, float]:
    """What one unit now, and one unit at every month's end, are worth after ``months``."""
    rate = _monthly_rate(annual_return)
    growth = (1 + rate) ** months
    return growth, (growth - 1) / rate if rate else float(months)


def _monthly_rate(annual_return: float) -> float:
    return float((1 + annual_return) ** (1 / _MONTHS_A_YEAR) - 1)
