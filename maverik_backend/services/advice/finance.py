"""The finance functions of the product, in exact decimals. Rates are fractions (0.03 is 3 %), amounts of one currency.

Sources: the ordinary annuity and the French system as in any textbook of financial mathematics; the nominal rate
(TNA) and
the effective one (TEA) as the BCRA defines them; the aguinaldo (SAC) by law 23.041 and article 121 of law 20.744:
half of
the best monthly pay of the half-year, in proportion to the months worked.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from maverik_backend.services.advice.calculator import CONTEXT

MONTHS_A_YEAR = 12
DAYS_A_YEAR = 365
MONTHS_A_HALF_YEAR = 6
_ONE = Decimal(1)
# A month more is not begun for a rounding of the last digits.
_LAST_DIGITS = 12


def monthly_of_nominal(tna: Decimal) -> Decimal:
    """The rate of a month behind a nominal yearly rate that is capitalised by month."""
    return CONTEXT.divide(tna, Decimal(MONTHS_A_YEAR))


def monthly_of_effective(tea: Decimal) -> Decimal:
    """The rate of a month that makes ``tea`` in a year."""
    return CONTEXT.subtract(CONTEXT.power(_ONE + tea, CONTEXT.divide(_ONE, Decimal(MONTHS_A_YEAR))), _ONE)


def effective_of_nominal(tna: Decimal, *, periods: int = MONTHS_A_YEAR) -> Decimal:
    """TEA of a TNA that is capitalised ``periods`` times a year."""
    return effective_of_period(CONTEXT.divide(tna, Decimal(periods)), periods=periods)


def effective_of_period(rate: Decimal, *, periods: int = MONTHS_A_YEAR) -> Decimal:
    """TEA of a rate that is earned ``periods`` times a year."""
    return CONTEXT.subtract(CONTEXT.power(_ONE + rate, Decimal(periods)), _ONE)


def nominal_of_effective(tea: Decimal) -> Decimal:
    """TNA, capitalised by month, of a TEA."""
    return CONTEXT.multiply(monthly_of_effective(tea), Decimal(MONTHS_A_YEAR))


def real_rate(nominal: Decimal, inflation: Decimal) -> Decimal:
    """What is left above inflation: (1 + nominal) / (1 + inflation) - 1 (Fisher)."""
    return CONTEXT.subtract(CONTEXT.divide(_ONE + nominal, _ONE + inflation), _ONE)


def simple_interest(capital: Decimal, tna: Decimal, *, days: int) -> Decimal:
    """What a deposit at a nominal rate earns in so many days, as plazo fijo is computed."""
    return CONTEXT.divide(CONTEXT.multiply(CONTEXT.multiply(capital, tna), Decimal(days)), Decimal(DAYS_A_YEAR))


def future_value(*, capital: Decimal, monthly: Decimal, months: int, rate: Decimal) -> Decimal:
    """Value after ``months`` of ``capital`` and end-of-month payments at ``rate`` a month (an ordinary annuity)."""
    growth, annuity = _factors(months, rate)
    return CONTEXT.add(CONTEXT.multiply(capital, growth), CONTEXT.multiply(monthly, annuity))


def required_monthly(*, target: Decimal, capital: Decimal, months: int, rate: Decimal) -> Decimal:
    """The end-of-month payment that makes ``target`` in ``months``; 0 when the capital does by itself."""
    growth, annuity = _factors(months, rate)
    missing = CONTEXT.subtract(target, CONTEXT.multiply(capital, growth))
    return max(Decimal(0), CONTEXT.divide(missing, annuity))


def months_needed(*, target: Decimal, capital: Decimal, monthly: Decimal, rate: Decimal) -> int:
    """After how many end-of-month payments ``target`` is reached; ``monthly`` is positive."""
    if capital >= target:
        return 0
    if not rate:
        return _rounded_up(CONTEXT.divide(target - capital, monthly))
    ratio = CONTEXT.divide(target * rate + monthly, capital * rate + monthly)
    return _rounded_up(CONTEXT.divide(CONTEXT.ln(ratio), CONTEXT.ln(_ONE + rate)))


def instalment(principal: Decimal, *, rate: Decimal, count: int) -> Decimal:
    """The constant instalment of a loan by the French system, at ``rate`` a month."""
    if not rate:
        return CONTEXT.divide(principal, Decimal(count))
    discount = CONTEXT.subtract(_ONE, CONTEXT.power(_ONE + rate, Decimal(-count)))
    return CONTEXT.divide(CONTEXT.multiply(principal, rate), discount)


def periods_to_double(rate: Decimal) -> Decimal:
    """How many periods a positive ``rate`` takes to double an amount."""
    return CONTEXT.divide(CONTEXT.ln(Decimal(2)), CONTEXT.ln(_ONE + rate))


def aguinaldo(best_pay: Decimal, *, months: int = MONTHS_A_HALF_YEAR) -> Decimal:
    """The half-yearly bonus (SAC), in proportion to the months worked of the half-year."""
    return CONTEXT.divide(CONTEXT.multiply(best_pay, Decimal(months)), Decimal(2 * MONTHS_A_HALF_YEAR))


def percentage_change(before: Decimal, after: Decimal) -> Decimal:
    """By which fraction ``after`` is more (or less) than ``before``, which is not 0."""
    return CONTEXT.divide(CONTEXT.subtract(after, before), before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """An income by the 50/30/20 rule."""

    needs: Decimal
    wants: Decimal
    savings: Decimal


def budget_50_30_20(income: Decimal) -> Budget:
    return Budget(needs=income * 5 / 10, wants=income * 3 / 10, savings=income * 2 / 10)


def _factors(months: int, rate: Decimal) -> tuple[Decimal, Decimal]:
    """What one unit now, and one unit at every month's end, are worth after ``months``."""
    growth = CONTEXT.power(_ONE + rate, Decimal(months))
    return growth, CONTEXT.divide(growth - _ONE, rate) if rate else Decimal(months)


def _rounded_up(periods: Decimal) -> int:
    return int(round(periods, _LAST_DIGITS).to_integral_value(ROUND_CEILING))
