"""The embedded optimiser: long-only mean-variance portfolios of four asset classes, from data shipped with the product.

Estimators, all from the monthly simple returns of ``data/asset_class_monthly.csv``:

- expected return: arithmetic mean x 12. A portfolio's monthly return is the weighted sum of its assets' simple returns,
  so the arithmetic mean is linear in the weights, which Markowitz's problem and the Sharpe ratio both presuppose; the
  geometric mean is not. What a saver compounds to is lower, by about half the variance (0.4 points a year at 9 %
  volatility).
- covariance: sample covariance x 12, as if months were independent.
- risk-free rate: the mean return of Treasury bills over the same months.

Limits, to be shown together with these numbers: they are in-sample estimates of 1990-2023 in US dollars,
before costs, taxes and exchange rates, and not a forecast. The monthly levels of equity are averages of daily closes,
which understates volatility (by about a fifth for a random walk); the other series look averaged too, see
``data/README.md``.

Sources: H. Markowitz, "Portfolio Selection", Journal of Finance 7(1), 1952; W. F. Sharpe, "Mutual Fund Performance",
Journal of Business 39(1), 1966; G. Cornuejols and R. Tütüncü, *Optimization Methods in Finance*, Cambridge, 2007 (the
Sharpe ratio's homogenised quadratic program).

numpy and daqp are the optional extra ``local``. They are imported by the functions that use them, so that importing
this module costs nothing where the optimiser is an HTTP service.
"""

# numpy and daqp are optional, so the functions that need them import them.
# ruff: noqa: PLC0415

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, Self

from maverik_backend.clients.optimizer.base import Allocation, RiskProfile
from maverik_backend.errors import SettingsError, UpstreamBadAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from maverik_backend.clients.registry import ClientContext
    from maverik_backend.core.deadline import Deadline

    Floats = NDArray[np.float64]

ORIGIN: Final = "integrado"
_SERVICE: Final = "optimizer"
_MONTHS_A_YEAR: Final = 12
RETURN_TOLERANCE_PCT: Final = 1e-6
_DAQP_EQUALITY: Final = 5
_DAQP_OPTIMAL: Final = 1


@dataclass(frozen=True, slots=True)
class AssetClass:
    """Something a portfolio may hold: its column in the data file, the name people read, and its caps.

    ``caps_pct`` is the largest weight in percent by risk profile (the values of ``RiskProfile``); the smallest is 0.
    """

    column: str
    name: str
    caps_pct: Mapping[str, float]


# Why these caps:
# - They keep the sample from deciding alone. Past means are the least certain estimate here, so no class may fill a
#   portfolio, however well it did.
# - Equity: the class with the deepest losses, so its cap is what tells the profiles apart.
# - Treasuries: half at most. 1990-2020 was one long fall of interest rates, a gain that cannot be had twice.
# - Gold: it earns nothing, its return is all price; enough to spread risk, never a main holding.
# - Bills: for the conservative profile, ready money that must not become nearly the whole portfolio. Moderate holds
#   none, because they are its risk-free rate: mixing them in scales excess return and risk alike and, but for their own
#   0.6 % of volatility, leaves the Sharpe ratio where it was (Tobin's separation, 1958), so whatever weight a solver
#   gave them would be noise. Bold may keep some to meet its volatility cap.
ASSET_CLASSES: Final = (
    AssetClass(
        "us_equity_total_return",
        "Acciones de EE. UU. (S&P 500)",
        {"conservative": 20, "moderate": 50, "bold": 75},
    ),
    AssetClass(
        "us_treasury_10y_total_return",
        "Bonos del Tesoro de EE. UU. a 10 años",
        {"conservative": 50, "moderate": 50, "bold": 50},
    ),
    AssetClass(
        "gold_usd",
        "Oro",
        {"conservative": 10, "moderate": 15, "bold": 15},
    ),
    AssetClass(
        "us_tbill_total_return",
        "Letras del Tesoro de EE. UU. a 3 meses",
        {"conservative": 60, "moderate": 0, "bold": 20},
    ),
)
_RISK_FREE_COLUMN: Final = "us_tbill_total_return"


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """What is known of the asset classes, in the order of ``ASSET_CLASSES``: percent a year, covariance its square."""

    mean_returns: Floats
    covariance: Floats
    risk_free_return: float

    def return_pct(self, weights: Floats) -> float:
        """Expected return of ``weights`` (fractions of one), percent a year."""
        return float(weights @ self.mean_returns)

    def volatility_pct(self, weights: Floats) -> float:
        """Standard deviation of the return of ``weights`` (fractions of one), percent a year."""
        return math.sqrt(float(weights @ self.covariance @ weights))


class Objective(Protocol):
    """What a profile asks of its portfolio."""

    def weights(self, market: Market, caps: Floats) -> Floats:
        """The best long-only weights under ``caps``, both fractions of one.

        Raises:
            UpstreamBadAnswer: when no weights satisfy the objective's conditions, or the solver fails.
        """
        ...


@dataclass(frozen=True, slots=True)
class LowestVariance:
    """The lowest variance among portfolios expected to return ``minimum_return_pct`` a year (Markowitz 1952)."""

    minimum_return_pct: float

    def weights(self, market: Market, caps: Floats) -> Floats:
        """See ``Objective.weights``."""
        return _lowest_variance(market, caps, minimum_return_pct=self.minimum_return_pct)


@dataclass(frozen=True, slots=True)
class HighestSharpe:
    """The highest ratio of mean return over bills to volatility (Sharpe 1966).

    The ratio does not change when weights are scaled, so the scale is fixed by an excess return of one and the variance
    minimised: a convex QP in ``y``, from which weights are ``y / sum(y)`` and a cap reads ``y_i <= cap_i * sum(y)``
    (Cornuejols and Tütüncü). It has no solution when nothing beats bills.
    """

    def weights(self, market: Market, caps: Floats) -> Floats:
        """See ``Objective.weights``."""
        import numpy as np

        n = len(caps)
        excess_returns = market.mean_returns - market.risk_free_return
        over_cap = np.eye(n) - np.outer(caps, np.ones(n))
        rows = np.vstack([excess_returns, over_cap])
        lower = [0.0] * n + [1.0] + [-math.inf] * n
        upper = [math.inf] * n + [1.0] + [0.0] * n
        scaled = _solve_qp(market.covariance, rows=rows, lower=lower, upper=upper)
        return scaled / float(scaled.sum())


@dataclass(frozen=True, slots=True)
class HighestReturn:
    """The highest expected return among portfolios of at most ``volatility_cap_pct`` a year.

    Along the efficient frontier the lowest volatility rises with the return asked for, so bisection on that return,
    one convex QP a step, finds where it meets the cap. The answer is on the allowed side of the cap and within
    ``RETURN_TOLERANCE_PCT`` of the best return.
    """

    volatility_cap_pct: float

    def weights(self, market: Market, caps: Floats) -> Floats:
        """See ``Objective.weights``."""
        best = _lowest_variance(market, caps)
        if market.volatility_pct(best) > self.volatility_cap_pct:
            raise UpstreamBadAnswer(_SERVICE, "every portfolio exceeds the volatility cap")
        low, high = market.return_pct(best), _highest_return_pct(market, caps)
        while high - low > RETURN_TOLERANCE_PCT:
            middle = (low + high) / 2
            candidate = _lowest_variance(market, caps, minimum_return_pct=middle)
            if market.volatility_pct(candidate) <= self.volatility_cap_pct:
                best, low = candidate, middle
            else:
                high = middle
        return best


OBJECTIVES: Final[Mapping[RiskProfile, Objective]] = MappingProxyType(
    {
        # About two points over the 2.65 % a year that US prices rose in these months: savings should grow.
        RiskProfile.CONSERVATIVE: LowestVariance(minimum_return_pct=4.6),
        RiskProfile.MODERATE: HighestSharpe(),
        # About three quarters of the swings of holding equity alone (12.4 %). Given that averaged data read about a
        # fifth low, expect some 11 % in practice, as of a portfolio of 70-75 % equity.
        RiskProfile.BOLD: HighestReturn(volatility_cap_pct=9.0),
    }
)


class EmbeddedOptimizer:
    """An ``Optimizer`` that needs no service: each profile's objective, solved once over the shipped data.

    Everything is computed on construction (milliseconds, after importing numpy) and never changes, so ``generate`` is
    a look-up that any number of threads may make and no person's turn waits for the import.
    """

    def __init__(self) -> None:
        """Estimate the market and solve every profile.

        Raises:
            SettingsError: when numpy or daqp is not installed.
            UpstreamBadAnswer: when a profile cannot be solved.
        """
        _require_libraries()
        market = estimate_market(read_index_levels())
        self._allocations = {profile: _allocate(profile, market) for profile in RiskProfile}

    @classmethod
    def from_context(cls, context: ClientContext) -> Self:  # noqa: ARG003 - needs nothing
        return cls()

    def generate(self, *, risk_profile: RiskProfile, deadline: Deadline) -> Allocation:
        """The portfolio of ``risk_profile``; always at once, so ``deadline`` has no bearing and nothing is raised."""
        del deadline
        return self._allocations[risk_profile]

    def check(self, *, deadline: Deadline) -> None:
        """It is always there: what could fail has been computed."""


def read_index_levels() -> list[list[float]]:
    """Monthly index levels, oldest month first, one value for each of ``ASSET_CLASSES`` in their order."""
    data = files("maverik_backend.clients.optimizer") / "data" / "asset_class_monthly.csv"
    months = csv.DictReader(data.read_text(encoding="utf-8").splitlines())
    return [[float(month[asset.column]) for asset in ASSET_CLASSES] for month in months]


def estimate_market(index_levels: Sequence[Sequence[float]]) -> Market:
    """Mean and covariance of the monthly simple returns of ``index_levels``, a year; see the module for the why."""
    import numpy as np

    levels = np.asarray(index_levels, dtype=np.float64)
    returns_pct = 100 * (levels[1:] / levels[:-1] - 1)
    mean_returns = _MONTHS_A_YEAR * returns_pct.mean(axis=0)
    risk_free = [asset.column for asset in ASSET_CLASSES].index(_RISK_FREE_COLUMN)
    return Market(
        mean_returns=mean_returns,
        covariance=_MONTHS_A_YEAR * np.cov(returns_pct, rowvar=False),
        risk_free_return=float(mean_returns[risk_free]),
    )


def _allocate(profile: RiskProfile, market: Market) -> Allocation:
    import numpy as np

    caps = np.array([asset.caps_pct[profile] for asset in ASSET_CLASSES], dtype=np.float64) / 100
    within_caps = OBJECTIVES[profile].weights(market, caps).clip(0, caps)  # a solver leaves dust such as -1e-17
    weights = within_caps / float(within_caps.sum())
    return Allocation(
        assets=tuple(asset.name for asset in ASSET_CLASSES),
        weights_pct=tuple((100 * weights).tolist()),
        expected_return_pct=market.return_pct(weights),
        volatility_pct=market.volatility_pct(weights),
        origin=ORIGIN,
    )


def _lowest_variance(market: Market, caps: Floats, *, minimum_return_pct: float = -math.inf) -> Floats:
    import numpy as np

    rows = np.vstack([np.ones(len(caps)), market.mean_returns])
    lower = [*[0.0] * len(caps), 1.0, minimum_return_pct]
    upper = [*caps, 1.0, math.inf]
    return _solve_qp(market.covariance, rows=rows, lower=lower, upper=upper)


def _highest_return_pct(market: Market, caps: Floats) -> float:
    """The return of filling the best-paid classes up to their caps until nothing is left to place."""
    placed = total = 0.0
    for mean, cap in sorted(zip(market.mean_returns.tolist(), caps.tolist(), strict=True), reverse=True):
        share = min(cap, 1 - placed)
        placed, total = placed + share, total + share * mean
    return total


def _solve_qp(covariance: Floats, *, rows: Floats, lower: Sequence[float], upper: Sequence[float]) -> Floats:
    """The ``x`` of lowest ``x' covariance x`` within bounds: on ``x`` itself first, then on ``rows @ x``.

    Equal bounds make an equality. Raises ``UpstreamBadAnswer`` when daqp finds no optimum.
    """
    import daqp  # type: ignore[import-not-found]  # a C extension that ships no stubs
    import numpy as np

    low, high = np.array(lower, dtype=np.float64), np.array(upper, dtype=np.float64)
    sense = np.where(low == high, _DAQP_EQUALITY, 0).astype(np.int32)
    linear = np.zeros(len(covariance))
    x, _, exit_flag, _ = daqp.solve(covariance, linear, rows, high, low, sense)
    if exit_flag != _DAQP_OPTIMAL or not np.isfinite(x).all():
        raise UpstreamBadAnswer(_SERVICE, f"daqp exit flag {exit_flag}")
    return np.asarray(x, dtype=np.float64)


def _require_libraries() -> None:
    for library in ("numpy", "daqp"):
        try:
            import_module(library)
        except ImportError as error:
            problem = (
                f"The embedded optimiser needs {library}: install requirements-local.txt (or the extra 'local'), "
                "or set PORTFOLIO_OPTIMIZATION_URL to use a service."
            )
            raise SettingsError([problem]) from error
