"""What can be computed about a goal: amounts in a text, and where capital and savings lead."""

from __future__ import annotations

import re
from decimal import Decimal

# Hypothetical yearly returns above inflation. On purpose well below what the embedded optimiser's portfolios made over
# prices from 1990 to 2023 (about 2, 4.6 and 6.4 % before costs): a plan should not need the past to repeat itself.
REAL_ANNUAL_RETURN = {"baja": 0.010, "media": 0.025, "alta": 0.040}
DEFAULT_RISK_TOLERANCE = "media"
MAX_AMOUNT = Decimal(10) ** 13

_MONTHS_A_YEAR = 12
_MULTIPLIERS = {"mil": 1_000, "k": 1_000, "lucas": 1_000, "luca": 1_000}
_MULTIPLIERS |= dict.fromkeys(("millones", "millon", "millón", "palos", "palo"), 1_000_000)
# Only where a number starts: trying each of its digits again would take seconds for a long row of them.
_NUMBER = r"(?<!\d)(?<!\d[.,])(?P<number>\d{1,3}(?:\.\d{3})+(?:,\d{1,2})?|\d+(?:[.,]\d{1,2})?)"
_AMOUNT = rf"{_NUMBER}\s*(?P<multiplier>{'|'.join(sorted(_MULTIPLIERS, key=len, reverse=True))})?\b"
_CURRENCY = r"(?:\s*(?:de\s+)?(?:pesos|d[oó]lares|usd|u\$s|us\$|ars))?"
_A_MONTH = r"\s*(?:por\s+mes|al\s+mes|mensual(?:es)?|mensualmente|cada\s+mes|todos\s+los\s+meses|x\s+mes|/\s*mes)\b"
_MONTHLY = re.compile(_AMOUNT + _CURRENCY + _A_MONTH, re.IGNORECASE)
# "Por mes para llegar en 36 meses" and "por mes para 2030" speak of time.
_NO_MONEY_BEFORE = r"(?!(?:para|en|hasta|desde|durante|dentro)\b)"
_NO_MONEY_AFTER = r"(?![.,]?\d|\s*(?:%|por\s+ciento|d[ií]as?|semanas?|mes(?:es)?|a[ñn]os?|cuotas?|veces)(?!\w))"
_MONTHLY_FIRST = re.compile(
    r"(?:por\s+mes|al\s+mes|cada\s+mes|mensualmente|todos\s+los\s+meses)\s+"
    rf"(?:{_NO_MONEY_BEFORE}\w+\s+){{0,4}}?(?:u\$s|us\$|usd|\$)?\s*{_AMOUNT}{_NO_MONEY_AFTER}",
    re.IGNORECASE,
)


def annual_return_for(risk_tolerance: str | None) -> float:
    """The hypothetical yearly return above inflation, as a fraction; for an unknown tolerance the default's."""
    return REAL_ANNUAL_RETURN.get(risk_tolerance or "", REAL_ANNUAL_RETURN[DEFAULT_RISK_TOLERANCE])


def monthly_saving_in(text: str) -> Decimal | None:
    """The amount a month that ``text`` speaks of ("150 mil pesos por mes"), as written in Argentina; else ``None``."""
    text = " ".join(text.split())
    match = _MONTHLY.search(text) or _MONTHLY_FIRST.search(text)
    if match is None:
        return None
    value = parse_number(match["number"]) * _MULTIPLIERS.get((match["multiplier"] or "").lower(), 1)
    return value if 0 < value <= MAX_AMOUNT else None


def parse_number(number: str) -> Decimal:
    """``1.234.567,89`` and ``1234567.89`` alike: a point before exactly three digits separates thousands."""
    if "," in number or re.fullmatch(r"\d{1,3}(?:\.\d{3})+", number):
        number = number.replace(".", "").replace(",", ".")
    return Decimal(number)


def future_value(*, capital: float, monthly: float, months: int, annual_return: float) -> float:
    """Value after ``months`` of ``capital`` and end-of-month payments (an ordinary annuity), compounded monthly.

    ``annual_return`` is an effective yearly rate as a fraction; all amounts are in the same currency.
    """
    rate = (1 + annual_return) ** (1 / _MONTHS_A_YEAR) - 1
    growth = (1 + rate) ** months
    annuity = (growth - 1) / rate if rate else float(months)
    return float(capital * growth + monthly * annuity)
