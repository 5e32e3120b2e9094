"""From an optimiser's numbers to a portfolio that can be shown. Pure: no input or output.

===========================  =================================================================
Rule                         Value
===========================  =================================================================
Sum of the weights           within 1 point of 100, then made 100 exactly
Negative weights             above -0.01 they are a solver's dust and count as 0; below, nonsense
Weights shown                one decimal; what rounds to 0.0 is left out
===========================  =================================================================
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maverik_backend.clients.optimizer.base import Allocation, RiskProfile
from maverik_backend.errors import MaverikError
from maverik_backend.texts import advice as texts
from maverik_backend.texts import format as fmt

SUM_TOLERANCE_PCT = 1.0
DUST_PCT = 0.01
MAX_ASSETS = 50
MAX_NAME_CHARS = 100

_TENTHS = 1000  # of a percent's tenths in the whole
# What a name would need to become HTML, a link, an image or code in the middle of an answer.
_MARKUP = frozenset("<>[]`")


class InvalidPortfolio(MaverikError):
    """The optimiser's numbers are no portfolio: the turn is answered without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One asset of a portfolio, with its share of the whole in percent."""

    name: str
    weight_pct: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """A checked portfolio, largest asset first; the weights add up to 100. Return and volatility in percent a year.

    ``reasons`` say why it suits the person, ``warnings`` what is to be known before; ``loss_pct`` is what it may lose
    in a
    bad year (``limits.py``), in percent.
    """

    risk_profile: RiskProfile
    assets: tuple[Asset, ...]
    origin: str
    expected_return_pct: float | None = None
    volatility_pct: float | None = None
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    loss_pct: float | None = None

    def as_json(self) -> dict[str, Any]:
        """As a turn keeps it and the API shows it (``portafolio``)."""
        return {
            "perfil_riesgo": self.risk_profile.value,
            "activos": [{"activo": asset.name, "peso": asset.weight_pct} for asset in self.assets],
            "origen": self.origin,
            "retorno_esperado": self.expected_return_pct,
            "volatilidad": self.volatility_pct,
            "motivos": list(self.reasons),
            "advertencias": list(self.warnings),
            "perdida_posible": self.loss_pct,
        }


def check(allocation: Allocation, *, risk_profile: RiskProfile) -> Portfolio:
    """The portfolio that ``allocation`` describes, weights rounded to tenths that add up to exactly 100.

    Raises:
        InvalidPortfolio: when names and weights do not match, or the weights are no weights.
    """
    weights = _checked_weights(allocation)
    assets = [
        Asset(name=name.strip(), weight_pct=tenths / 10)
        for name, tenths in zip(allocation.assets, _in_tenths(weights), strict=True)
        if tenths
    ]
    return Portfolio(
        risk_profile=risk_profile,
        assets=tuple(sorted(assets, key=lambda asset: -asset.weight_pct)),
        origin=allocation.origin,
        expected_return_pct=_figure(allocation.expected_return_pct),
        volatility_pct=_figure(allocation.volatility_pct),
    )


def portfolio_sentence(portfolio: Portfolio) -> str:
    """The portfolio as a Spanish line with one-decimal percentages."""
    assets = [
        texts.PORTFOLIO_ASSET.format(asset=asset.name, weight=fmt.percent(asset.weight_pct))
        for asset in portfolio.assets
    ]
    line = texts.PORTFOLIO.format(
        profile=texts.RISK_PROFILES[portfolio.risk_profile.value], assets=fmt.enumerate_spanish(assets)
    )
    if portfolio.expected_return_pct is None or portfolio.volatility_pct is None:
        return line
    return line + texts.PORTFOLIO_FIGURES.format(
        expected_return=fmt.percent(portfolio.expected_return_pct), volatility=fmt.percent(portfolio.volatility_pct)
    )


def _checked_weights(allocation: Allocation) -> list[float]:
    names, weights = allocation.assets, allocation.weights_pct
    if not 0 < len(names) == len(weights) <= MAX_ASSETS:
        raise InvalidPortfolio("lengths")
    if not all(_is_name(name) for name in names) or len({name.strip() for name in names}) < len(names):
        raise InvalidPortfolio("names")
    if not all(-DUST_PCT < weight <= 100 + SUM_TOLERANCE_PCT for weight in weights):
        raise InvalidPortfolio("weights")
    if abs(math.fsum(weights) - 100) > SUM_TOLERANCE_PCT:
        raise InvalidPortfolio("sum")
    return [max(0.0, weight) for weight in weights]


def _is_name(name: str) -> bool:
    """Whether ``name`` can be shown as it is: printable and without markup."""
    return 0 < len(name.strip()) <= MAX_NAME_CHARS and name.isprintable() and _MARKUP.isdisjoint(name)


def _in_tenths(weights: Sequence[float]) -> list[int]:
    """Tenths of a percent that add up to 1000: rounded down, the rest given to the largest remainders (Hamilton)."""
    total = math.fsum(weights)
    exact = [weight / total * _TENTHS for weight in weights]
    tenths = [math.floor(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: tenths[index] - exact[index])
    for index in by_remainder[: _TENTHS - sum(tenths)]:
        tenths[index] += 1
    return tenths


def _figure(value: float | None) -> float | None:
    return round(value, 2) if value is not None and math.isfinite(value) else None
