"""What a portfolio may hold at most, by the risk that suits the person and by the term: one table, and how it is kept.

Percent of the portfolio. ``volatile`` is shares, funds and ETFs of shares, bonds of issuers that may not pay, and
whatever
is not recognised by its name; ``long_bonds`` are other bonds, whose price falls when rates rise; ``liquid`` is money
market,
short bills and the like.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from maverik_backend.clients.optimizer.base import RiskProfile
from maverik_backend.core.text import fold
from maverik_backend.services.advice.suited_risk import (
    CONSERVATIVE_MONTHS,
    LIQUID_ONLY_MONTHS,
    MODERATE_MONTHS,
    SuitedRisk,
)


class AssetKind(StrEnum):
    """What an asset is to the table."""

    LIQUID = "liquid"
    LONG_BONDS = "long_bonds"
    GOLD = "gold"
    VOLATILE = "volatile"
    CRYPTO = "crypto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most of each kind, and the least of what is liquid, in percent."""

    volatile: float
    long_bonds: float
    gold: float
    crypto: float
    liquid_at_least: float

    def most_of(self, kind: AssetKind) -> float:
        return 100.0 if kind is AssetKind.LIQUID else float(getattr(self, kind.value))


_NOTHING_THAT_FALLS: Final = Limits(volatile=0, long_bonds=0, gold=0, crypto=0, liquid_at_least=100)
_C, _M, _B = RiskProfile.CONSERVATIVE, RiskProfile.MODERATE, RiskProfile.BOLD
_NO_END: Final = 10_000

# (profile, up to this many months): the limits. A term that is not known counts as CONSERVATIVE_MONTHS.
LIMITS: Final[Mapping[tuple[RiskProfile, int], Limits]] = MappingProxyType(
    {
        (_C, LIQUID_ONLY_MONTHS): _NOTHING_THAT_FALLS,
        (_M, LIQUID_ONLY_MONTHS): _NOTHING_THAT_FALLS,
        (_B, LIQUID_ONLY_MONTHS): _NOTHING_THAT_FALLS,
        (_C, CONSERVATIVE_MONTHS): Limits(volatile=10, long_bonds=30, gold=5, crypto=0, liquid_at_least=60),
        (_M, CONSERVATIVE_MONTHS): Limits(volatile=10, long_bonds=30, gold=5, crypto=0, liquid_at_least=60),
        (_B, CONSERVATIVE_MONTHS): Limits(volatile=10, long_bonds=30, gold=5, crypto=0, liquid_at_least=60),
        (_C, MODERATE_MONTHS): Limits(volatile=20, long_bonds=50, gold=10, crypto=0, liquid_at_least=30),
        (_M, MODERATE_MONTHS): Limits(volatile=40, long_bonds=60, gold=15, crypto=0, liquid_at_least=0),
        (_B, MODERATE_MONTHS): Limits(volatile=40, long_bonds=60, gold=15, crypto=0, liquid_at_least=0),
        (_C, _NO_END): Limits(volatile=20, long_bonds=60, gold=10, crypto=0, liquid_at_least=15),
        (_M, _NO_END): Limits(volatile=50, long_bonds=70, gold=15, crypto=0, liquid_at_least=0),
        (_B, _NO_END): Limits(volatile=75, long_bonds=70, gold=15, crypto=5, liquid_at_least=0),
    }
)

# What a kind may lose in a bad year, in percent: somewhat more than the worst twelve months of the shipped series of
# 1990-2023 in dollars (shares -41, ten-year Treasuries -17, gold -27, bills 0), whose monthly averages understate
# falls.
LOSS_IN_A_BAD_YEAR: Final[Mapping[AssetKind, float]] = MappingProxyType(
    {
        AssetKind.LIQUID: 1.0,
        AssetKind.LONG_BONDS: 20.0,
        AssetKind.GOLD: 30.0,
        AssetKind.VOLATILE: 45.0,
        AssetKind.CRYPTO: 75.0,
    }
)

# Names of optimisers, folded; the first that fits. What fits none counts as volatile.
_NAMES: Final = (
    (AssetKind.CRYPTO, r"\b(?:cripto\w*|crypto\w*|bitcoin|btc|eth|ethereum|stablecoins?|usdt)\b"),
    (
        AssetKind.VOLATILE,
        r"\b(?:acciones|equit\w+|cedears?|stocks?|soberan\w+|argentin\w+|emergente\w*|high yield|al\d\d|gd\d\d|ae38)\b",
    ),
    (
        AssetKind.LIQUID,
        r"\b(?:money market|mercado de dinero|caucion\w*|letras?|lecaps?|t-?bills?|cash|plazo fijo|shv|sgov)\b",
    ),
    (AssetKind.GOLD, r"\b(?:oro|gold|gld|iau)\b"),
    (AssetKind.LONG_BONDS, r"\b(?:bonos?|bonds?|treasur\w+|tesoro|renta fija|tlt|ief|agg|bnd|cer|boncer\w*)\b"),
)
_KINDS: Final = tuple((kind, re.compile(pattern)) for kind, pattern in _NAMES)


def kind_of(name: str) -> AssetKind:
    """What the asset called ``name`` counts as."""
    folded = fold(name)
    return next((kind for kind, pattern in _KINDS if pattern.search(folded)), AssetKind.VOLATILE)


def limits_for(suited: SuitedRisk) -> Limits:
    """The row of :data:`LIMITS` that holds for a person."""
    months = CONSERVATIVE_MONTHS if suited.months is None else suited.months
    end = min(end for profile, end in LIMITS if profile is suited.profile and months <= end)
    return LIMITS[suited.profile, end]


def is_within(names: Sequence[str], weights_pct: Sequence[float], limits: Limits) -> bool:
    """Whether a portfolio keeps the table; a tenth of a percent is rounding."""
    totals = _totals(names, weights_pct)
    keeps = all(totals[kind] <= limits.most_of(kind) + 1e-9 for kind in AssetKind)
    return keeps and totals[AssetKind.LIQUID] >= limits.liquid_at_least - 1e-9


def held_against(names: Sequence[str], weights_pct: Sequence[float], limits: Limits) -> tuple[list[float], float]:
    """Weights cut down to the limits, in tenths of a percent, and what is left over for liquid instruments.

    A kind that has too much is scaled down; if too little is then liquid, everything else is.
    """
    totals = _totals(names, weights_pct)
    kinds = [kind_of(name) for name in names]
    cut = [
        weight * min(1.0, limits.most_of(kind) / totals[kind]) if totals[kind] else weight
        for weight, kind in zip(weights_pct, kinds, strict=True)
    ]
    risky = math.fsum(weight for weight, kind in zip(cut, kinds, strict=True) if kind is not AssetKind.LIQUID)
    room = 100 - limits.liquid_at_least
    if risky > room:
        cut = [w if kind is AssetKind.LIQUID else w * room / risky for w, kind in zip(cut, kinds, strict=True)]
    tenths = [math.floor(weight * 10 + 1e-6) / 10 for weight in cut]
    return tenths, round(100 - math.fsum(tenths), 1)


def loss_in_a_bad_year_pct(names: Sequence[str], weights_pct: Sequence[float]) -> float:
    """What a portfolio may lose in a bad year when all of its parts have theirs at once, in percent."""
    parts = (weight * LOSS_IN_A_BAD_YEAR[kind_of(name)] / 100 for name, weight in zip(names, weights_pct, strict=True))
    return round(math.fsum(parts), 1)


def _totals(names: Sequence[str], weights_pct: Sequence[float]) -> dict[AssetKind, float]:
    totals = dict.fromkeys(AssetKind, 0.0)
    for name, weight in zip(names, weights_pct, strict=True):
        totals[kind_of(name)] += weight
    return {kind: round(total, 9) for kind, total in totals.items()}
