"""How much a principal may use of language models in a day and in a month, and when a used-up limit ends."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import NoReturn, Self

from maverik_backend.errors import QuotaUsedUp, TooManyAtOnce
from maverik_backend.settings import UsageSettings
from maverik_backend.texts.format import ARGENTINA

MICROUSD = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of each principal; ``None`` is none."""

    tokens_per_day: int | None = None
    tokens_per_month: int | None = None
    microusd_per_day: int | None = None
    microusd_per_month: int | None = None

    @classmethod
    def from_settings(cls, settings: UsageSettings) -> Self:
        return cls(
            tokens_per_day=settings.tokens_per_day,
            tokens_per_month=settings.tokens_per_month,
            microusd_per_day=_microusd(settings.usd_per_day),
            microusd_per_month=_microusd(settings.usd_per_month),
        )

    @property
    def are_set(self) -> bool:
        """Whether there is any."""
        return any(limit is not None for limit in astuple(self))

    def refuse(self, spent: Spent) -> NoReturn:
        """Say why nothing is left to be reserved.

        Raises:
            QuotaUsedUp: when a limit is used up; of several, the one that ends last.
            TooManyAtOnce: when running turns have reserved the rest.
        """
        if _reaches(spent.tokens_month, self.tokens_per_month) or _reaches(spent.cost_month, self.microusd_per_month):
            raise _used_up(spent.now, ends=_next_month(spent.now), is_month=True)
        if _reaches(spent.tokens_day, self.tokens_per_day) or _reaches(spent.cost_day, self.microusd_per_day):
            raise _used_up(spent.now, ends=_midnight(spent.now) + timedelta(days=1), is_month=False)
        raise TooManyAtOnce


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a principal has used, in tokens and millionths of a US dollar, at ``now`` on the database's clock."""

    now: datetime
    tokens_day: int
    tokens_month: int
    cost_day: int
    cost_month: int


def _reaches(spent: int, limit: int | None) -> bool:
    return limit is not None and spent >= limit


def _microusd(usd: float | None) -> int | None:
    return None if usd is None else round(usd * MICROUSD)


def _midnight(moment: datetime) -> datetime:
    """When the day of ``moment`` began in Argentina."""
    return moment.astimezone(ARGENTINA).replace(hour=0, minute=0, second=0, microsecond=0)


def _next_month(moment: datetime) -> datetime:
    """When the month after that of ``moment`` begins in Argentina."""
    first = _midnight(moment).replace(day=1)
    return (first + timedelta(days=31)).replace(day=1)


def _used_up(now: datetime, *, ends: datetime, is_month: bool) -> QuotaUsedUp:
    return QuotaUsedUp(ends=ends, is_month=is_month, retry_after_s=max(1, math.ceil((ends - now).total_seconds())))
