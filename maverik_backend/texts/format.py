"""Numbers as they are written in Argentina: points between thousands, a comma before decimals."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

ARGENTINA = timezone(timedelta(hours=-3))  # without daylight saving since 2009
_SWAP = str.maketrans(",.", ".,")


def number(value: Decimal | float, *, decimals: int = 0) -> str:
    """``1234567.8`` -> ``1.234.568``; with one decimal, ``1.234.567,8``."""
    return f"{value:z,.{decimals}f}".translate(_SWAP)  # z: no minus before a zero


def amount(value: Decimal | float) -> str:
    """An amount of money: two decimals only where there are any."""
    return number(value, decimals=0 if value == int(value) else 2)


def percent(value: Decimal | float) -> str:
    """One decimal and the sign: ``12,3 %`` (a no-break space keeps them together)."""
    return f"{number(value, decimals=1)}\N{NO-BREAK SPACE}%"


def local_minute(moment: datetime) -> str:
    """A moment on the clocks of Argentina: ``14/03/2026 15:04``."""
    return moment.astimezone(ARGENTINA).strftime("%d/%m/%Y %H:%M")


def lower_first(text: str) -> str:
    """``text`` as the middle of a sentence."""
    return text[:1].lower() + text[1:]


def enumerate_spanish(parts: list[str]) -> str:
    """``a, b y c``."""
    return " y ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def months(count: int) -> str:
    """A span of months in words: whole years as years, the rest as months."""
    years, rest = divmod(count, 12)
    if rest or not years:
        return "1 mes" if count == 1 else f"{count} meses"
    return "1 año" if years == 1 else f"{years} años"
