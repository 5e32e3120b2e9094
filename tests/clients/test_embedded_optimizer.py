"""The embedded optimiser, judged by a brute force that shares no code with it.

The brute force reads the data file itself, estimates in its own way and tries every portfolio of a grid under the caps:
all of them in steps of one percent, then the neighbourhood of the best ones in ever finer steps. It uses no
solver.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pytest
from numpy.typing import NDArray

from maverik_backend.clients.optimizer.base import Allocation, Optimizer, RiskProfile
from maverik_backend.clients.optimizer.embedded import (
    ASSET_CLASSES,
    EmbeddedOptimizer,
    HighestReturn,
    HighestSharpe,
    LowestVariance,
    estimate_market,
    read_index_levels,
)
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import UpstreamBadAnswer

Floats = NDArray[np.float64]

EQUITY, TREASURIES, GOLD, BILLS = range(4)
CONSERVATIVE_MINIMUM_RETURN_PCT = 4.6
BOLD_VOLATILITY_CAP_PCT = 9.0
GRID_CENTRES = 300
GRID_HALVINGS = 11
# How far the best of the finest grid may be from the true best: percent a year, or the Sharpe ratio itself.
GRID_TOLERANCE = 1e-5
# How far the optimiser may be from it, in the same units: nothing but rounding, and for bold its stated bisection.
SOLVER_TOLERANCE = {RiskProfile.CONSERVATIVE: 1e-8, RiskProfile.MODERATE: 1e-10, RiskProfile.BOLD: 2e-6}


def propose(profile: RiskProfile) -> Allocation:
    optimizer: Optimizer = EmbeddedOptimizer()
    return optimizer.generate(risk_profile=profile, deadline=Deadline.after(1))


# --- the independent brute force -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """Annual percent of many portfolios, one a row of the weights that they were computed from."""

    returns: Floats
    volatilities: Floats
    sharpe_ratios: Floats


@cache
def monthly_returns_pct() -> Floats:
    path = files("maverik_backend.clients.optimizer") / "data" / "asset_class_monthly.csv"
    levels = np.genfromtxt(path.read_text().splitlines(), delimiter=",", skip_header=1, usecols=(1, 2, 3, 4))
    returns: Floats = 100 * np.diff(levels, axis=0) / levels[:-1]
    return returns


def outcome_of(weights_pct: Floats) -> Outcome:
    weights = weights_pct / 100
    monthly = monthly_returns_pct()
    deviations = monthly - monthly.mean(axis=0)
    covariance = 12 * deviations.T @ deviations / (len(monthly) - 1)
    returns = 12 * weights @ monthly.mean(axis=0)
    volatilities = np.sqrt(((weights @ covariance) * weights).sum(axis=1))
    excess = returns - 12 * monthly[:, BILLS].mean()
    return Outcome(returns, volatilities, excess / volatilities)


def within(caps_pct: Floats, first_three_pct: Floats) -> Floats:
    """The portfolios with these first three weights that respect the caps, once each; bills take what is left."""
    once = np.unique(first_three_pct, axis=0)
    weights = np.column_stack([once, 100 - once.sum(axis=1)])
    return weights[((weights >= 0) & (weights <= caps_pct)).all(axis=1)]


def all_of_grid(caps_pct: Floats) -> Floats:
    """Every portfolio within ``caps_pct`` in steps of one percent."""
    return within(caps_pct, np.array(list(itertools.product(*(np.arange(0, cap + 1) for cap in caps_pct[:3])))))


def neighbours(caps_pct: Floats, centres: Floats, step_pct: float) -> Floats:
    """Every portfolio within ``caps_pct`` up to two steps away, in each of three weights, from one of ``centres``."""
    offsets = step_pct * np.array(list(itertools.product(range(-2, 3), repeat=3)))
    return within(caps_pct, (centres[:, None, :3] + offsets).reshape(-1, 3))


def conservative_score(outcome: Outcome) -> Floats:
    allowed = outcome.returns >= CONSERVATIVE_MINIMUM_RETURN_PCT - 1e-9
    return np.where(allowed, -outcome.volatilities, -np.inf)


def moderate_score(outcome: Outcome) -> Floats:
    return outcome.sharpe_ratios


def bold_score(outcome: Outcome) -> Floats:
    allowed = outcome.volatilities <= BOLD_VOLATILITY_CAP_PCT + 1e-9
    return np.where(allowed, outcome.returns, -np.inf)


Score = Callable[[Outcome], Floats]
SCORES: dict[RiskProfile, Score] = {
    RiskProfile.CONSERVATIVE: conservative_score,
    RiskProfile.MODERATE: moderate_score,
    RiskProfile.BOLD: bold_score,
}


def caps_of(profile: RiskProfile) -> Floats:
    return np.array([asset.caps_pct[profile] for asset in ASSET_CLASSES], dtype=np.float64)


@cache
def best_of_ever_finer_grids(profile: RiskProfile) -> list[tuple[float, Floats]]:
    """The best score and its portfolio, grid by grid.

    Many centres go on to the next grid, because where a constraint binds the best point of a coarse grid may lie far
    from the best portfolio.
    """
    found, portfolios = [], all_of_grid(caps_of(profile))
    for halvings in range(1, GRID_HALVINGS + 1):
        scores = SCORES[profile](outcome_of(portfolios))
        found.append((float(scores.max()), portfolios[scores.argmax()]))
        centres = portfolios[scores.argsort()[-GRID_CENTRES:]]
        portfolios = neighbours(caps_of(profile), centres, 0.5**halvings)
    return found


def score_of_proposal(profile: RiskProfile) -> float:
    return float(SCORES[profile](outcome_of(np.array([propose(profile).weights_pct])))[0])


# --- optimality ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", RiskProfile)
def test_no_portfolio_of_any_grid_is_better(profile: RiskProfile) -> None:
    proposed = score_of_proposal(profile)
    for best_of_grid, portfolio in best_of_ever_finer_grids(profile):
        assert proposed >= best_of_grid - SOLVER_TOLERANCE[profile], (
            f"{portfolio} scores {best_of_grid}, the proposal {proposed}"
        )


@pytest.mark.parametrize("profile", RiskProfile)
def test_the_finest_grid_gets_as_good_as_the_proposal(profile: RiskProfile) -> None:
    best_of_grid, portfolio = best_of_ever_finer_grids(profile)[-1]
    assert score_of_proposal(profile) == pytest.approx(best_of_grid, abs=GRID_TOLERANCE)
    assert propose(profile).weights_pct == pytest.approx(portfolio, abs=0.1)


def test_conservative_returns_its_minimum() -> None:
    assert propose(RiskProfile.CONSERVATIVE).expected_return_pct == pytest.approx(CONSERVATIVE_MINIMUM_RETURN_PCT)


def test_bold_uses_its_volatility_up_and_no_more() -> None:
    volatility = propose(RiskProfile.BOLD).volatility_pct
    assert volatility is not None
    assert BOLD_VOLATILITY_CAP_PCT - 1e-4 < volatility <= BOLD_VOLATILITY_CAP_PCT + 1e-9


def test_a_volatility_cap_that_never_binds_gives_the_highest_return_that_the_caps_allow() -> None:
    market = estimate_market(read_index_levels())
    weights = HighestReturn(volatility_cap_pct=50).weights(market, np.array([0.75, 0.5, 0.15, 0.2]))
    assert weights == pytest.approx([0.75, 0.1, 0.15, 0], abs=1e-5)


# --- what every proposal keeps -------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", RiskProfile)
class TestGenerate:
    def test_weights_are_not_negative(self, profile: RiskProfile) -> None:
        assert min(propose(profile).weights_pct) >= 0

    def test_weights_sum_to_a_hundred(self, profile: RiskProfile) -> None:
        assert sum(propose(profile).weights_pct) == pytest.approx(100, abs=1e-9)

    def test_caps_hold(self, profile: RiskProfile) -> None:
        assert (np.array(propose(profile).weights_pct) <= caps_of(profile) + 1e-9).all()

    def test_at_least_three_classes_hold_five_percent_or_so(self, profile: RiskProfile) -> None:
        assert sum(weight >= 4.5 for weight in propose(profile).weights_pct) >= 3

    def test_return_and_volatility_are_those_of_the_weights(self, profile: RiskProfile) -> None:
        allocation = propose(profile)
        outcome = outcome_of(np.array([allocation.weights_pct]))
        assert allocation.expected_return_pct == pytest.approx(outcome.returns[0])
        assert allocation.volatility_pct == pytest.approx(outcome.volatilities[0])

    def test_assets_are_the_names_people_read_in_the_order_of_the_weights(self, profile: RiskProfile) -> None:
        allocation = propose(profile)
        assert tuple(allocation.assets) == (
            "Acciones de EE. UU. (S&P 500)",
            "Bonos del Tesoro de EE. UU. a 10 años",
            "Oro",
            "Letras del Tesoro de EE. UU. a 3 meses",
        )
        assert len(allocation.weights_pct) == len(allocation.assets)

    def test_it_says_that_it_is_the_embedded_one(self, profile: RiskProfile) -> None:
        assert propose(profile).origin == "integrado"

    def test_numbers_are_plain_floats_that_json_takes(self, profile: RiskProfile) -> None:
        allocation = propose(profile)
        numbers = (*allocation.weights_pct, allocation.expected_return_pct, allocation.volatility_pct)
        assert {type(number) for number in numbers} == {float}

    def test_another_optimizer_proposes_exactly_the_same(self, profile: RiskProfile) -> None:
        assert propose(profile) == propose(profile)


def test_threads_get_the_same_proposals() -> None:
    optimizer = EmbeddedOptimizer()
    profiles = list(RiskProfile) * 20
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda p: optimizer.generate(risk_profile=p, deadline=Deadline.after(1)), profiles)
        assert list(answers) == [propose(profile) for profile in profiles]


def test_expected_return_and_volatility_rise_with_the_profile() -> None:
    conservative, moderate, bold = (propose(profile) for profile in RiskProfile)
    for lower, higher in ((conservative, moderate), (moderate, bold)):
        assert lower.expected_return_pct is not None
        assert higher.expected_return_pct is not None
        assert lower.volatility_pct is not None
        assert higher.volatility_pct is not None
        assert lower.expected_return_pct + 1 < higher.expected_return_pct
        assert lower.volatility_pct + 1 < higher.volatility_pct


def test_equity_rises_and_bills_do_not_with_the_profile() -> None:
    conservative, moderate, bold = (propose(profile).weights_pct for profile in RiskProfile)
    assert conservative[EQUITY] < moderate[EQUITY] < bold[EQUITY]
    assert conservative[BILLS] > moderate[BILLS] == 0 >= bold[BILLS] - 1e-9


# --- the caps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", RiskProfile)
def test_no_class_may_fill_a_portfolio(profile: RiskProfile) -> None:
    assert caps_of(profile).max() <= 75
    assert caps_of(profile).sum() >= 100


def test_the_equity_cap_rises_with_the_profile() -> None:
    conservative, moderate, bold = (caps_of(profile)[EQUITY] for profile in RiskProfile)
    assert conservative < moderate < bold


def test_moderate_holds_no_bills_because_they_are_its_risk_free_rate() -> None:
    assert caps_of(RiskProfile.MODERATE)[BILLS] == 0


# --- the data ------------------------------------------------------------------------------------------------------


class TestReadIndexLevels:
    def test_there_are_402_months_of_four_classes_from_100(self) -> None:
        levels = read_index_levels()
        assert len(levels) == 402
        assert {len(month) for month in levels} == {4}
        assert levels[0] == [100, 100, 100, 100]

    @pytest.mark.parametrize(
        ("asset", "compound_return_pct", "volatility_pct"),
        [(EQUITY, 10.12, 12.39), (TREASURIES, 5.24, 6.18), (GOLD, 4.77, 12.17), (BILLS, 2.59, 0.64)],
    )
    def test_annual_figures_are_those_that_the_data_readme_states(
        self, asset: int, compound_return_pct: float, volatility_pct: float
    ) -> None:
        levels = np.array(read_index_levels())[:, asset]
        compound = 100 * ((levels[-1] / levels[0]) ** (12 / (len(levels) - 1)) - 1)
        market = estimate_market(read_index_levels())
        assert compound == pytest.approx(compound_return_pct, abs=0.006)
        assert market.covariance[asset, asset] ** 0.5 == pytest.approx(volatility_pct, abs=0.006)


def test_the_market_is_estimated_from_arithmetic_means_and_the_sample_covariance() -> None:
    market = estimate_market(read_index_levels())
    assert market.mean_returns == pytest.approx(12 * monthly_returns_pct().mean(axis=0))
    assert market.covariance == pytest.approx(12 * np.cov(monthly_returns_pct().T))
    assert market.risk_free_return == pytest.approx(12 * monthly_returns_pct()[:, BILLS].mean())


# --- failures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objective", "caps"),
    [
        pytest.param(LowestVariance(minimum_return_pct=50), [0.5, 0.5, 0.5, 0.5], id="no class returns so much"),
        pytest.param(LowestVariance(minimum_return_pct=0), [0.2, 0.2, 0.2, 0.2], id="caps leave money over"),
        pytest.param(HighestSharpe(), [0, 0, 0, 1], id="nothing beats bills but bills are all there is"),
        pytest.param(HighestReturn(volatility_cap_pct=3), [1, 0, 0, 0], id="equity alone swings more"),
    ],
)
def test_an_impossible_objective_is_a_bad_answer_of_the_optimizer(
    objective: LowestVariance | HighestSharpe | HighestReturn, caps: list[float]
) -> None:
    with pytest.raises(UpstreamBadAnswer) as failure:
        objective.weights(estimate_market(read_index_levels()), np.array(caps, dtype=np.float64))
    assert failure.value.service == "optimizer"


def python(code: str) -> str:
    """What ``code`` prints in an interpreter of its own."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - our own code


def test_importing_the_module_imports_neither_numpy_nor_daqp() -> None:
    code = (
        "import sys, maverik_backend.clients.optimizer.embedded as embedded\n"
        "print(sorted({'numpy', 'daqp'} & sys.modules.keys()))\n"
        "embedded.EmbeddedOptimizer()\n"
        "print(sorted({'numpy', 'daqp'} & sys.modules.keys()))"
    )
    assert python(code).splitlines() == ["[]", "['daqp', 'numpy']"]


@pytest.mark.parametrize("missing", ["numpy", "daqp"])
def test_a_missing_library_is_a_settings_error_that_says_what_to_do(missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from maverik_backend.clients.optimizer.embedded import EmbeddedOptimizer\n"
        "from maverik_backend.errors import SettingsError\n"
        "try: EmbeddedOptimizer()\n"
        "except SettingsError as error: print(error)"
    )
    message = python(code)
    assert missing in message
    assert "'local'" in message
    assert "PORTFOLIO_OPTIMIZATION_URL" in message
