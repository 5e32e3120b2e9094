"""From an optimiser's numbers to a portfolio that people are shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.clients.optimizer.base import Allocation, RiskProfile
from maverik_backend.core.markdown import clean
from maverik_backend.services.advice import Portfolio, portfolio_sentence
from maverik_backend.services.advice.portfolio import (
    DUST_PCT,
    MAX_ASSETS,
    MAX_NAME_CHARS,
    InvalidPortfolio,
    check,
)


def make_allocation(
    weights: Sequence[float],
    names: Sequence[str] | None = None,
    *,
    expected_return_pct: float | None = None,
    volatility_pct: float | None = None,
) -> Allocation:
    return Allocation(
        assets=names if names is not None else [f"Activo {number}" for number in range(len(weights))],
        weights_pct=weights,
        expected_return_pct=expected_return_pct,
        volatility_pct=volatility_pct,
        origin="optimizador",
    )


def checked(allocation: Allocation) -> Portfolio:
    return check(allocation, risk_profile=RiskProfile.MODERATE)


def weights_of(portfolio: Portfolio) -> list[float]:
    return [asset.weight_pct for asset in portfolio.assets]


def total_of(portfolio: Portfolio) -> Decimal:
    """The sum of the weights as people add them up: in decimals."""
    return sum((Decimal(str(weight)) for weight in weights_of(portfolio)), Decimal(0))


@st.composite
def _allocations(draw: st.DrawFn) -> list[float]:
    """Weights that add up to about 100, with the noise, dust and errors of a solver."""
    parts = draw(st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=MAX_ASSETS))
    if sum(parts) < 1e-6:
        parts[0] = 1.0
    scale = draw(st.floats(min_value=99.1, max_value=100.9)) / math.fsum(parts)
    return [part * scale for part in parts]


class TestWeights:
    @given(_allocations())
    def test_they_always_add_up_to_exactly_one_hundred(self, weights: list[float]) -> None:
        assert total_of(checked(make_allocation(weights))) == Decimal(100)

    @given(_allocations())
    def test_each_is_within_a_tenth_of_its_share(self, weights: list[float]) -> None:
        shown = {asset.name: asset.weight_pct for asset in checked(make_allocation(weights)).assets}
        total = math.fsum(weights)

        for number, weight in enumerate(weights):
            assert abs(shown.get(f"Activo {number}", 0.0) - 100 * weight / total) < 0.1 + 1e-9

    @given(_allocations())
    def test_they_come_largest_first_and_none_is_zero(self, weights: list[float]) -> None:
        shown = weights_of(checked(make_allocation(weights)))

        assert shown == sorted(shown, reverse=True)
        assert min(shown) >= 0.1

    @pytest.mark.parametrize(
        ("weights", "shown"),
        [
            ([100.0], [100.0]),
            ([60, 40], [60.0, 40.0]),
            ([100 / 3] * 3, [33.4, 33.3, 33.3]),
            ([12.34, 87.66], [87.7, 12.3]),
            ([33.333333, 66.666667 - 1e-9, 1e-9], [66.7, 33.3]),
            ([99.97, 0.03], [100.0]),
            ([100.5], [100.0]),
            ([99.5], [100.0]),
            ([50, 50 + 1e-13], [50.0, 50.0]),
            ([100, -1e-9], [100.0]),
            ([100, -DUST_PCT / 2], [100.0]),
        ],
    )
    def test_noise_and_dust_are_rounded_away(self, weights: list[float], shown: list[float]) -> None:
        assert weights_of(checked(make_allocation(weights))) == shown

    def test_each_asset_keeps_its_own(self) -> None:
        portfolio = checked(make_allocation([10, 70, 20], ["Oro", "Bonos", "Acciones"]))

        assert [(asset.name, asset.weight_pct) for asset in portfolio.assets] == [
            ("Bonos", 70.0),
            ("Acciones", 20.0),
            ("Oro", 10.0),
        ]

    @pytest.mark.parametrize(
        "weights",
        [
            [math.nan],
            [math.nan, 100.0],
            [math.inf],
            [100.0, math.inf, -math.inf],
            [-math.inf, 100.0],
            [110.0, -10.0],
            [100 + DUST_PCT, -DUST_PCT],
            [10**400],
            [100, 10**400],
            [-(10**400), 100],
        ],
    )
    def test_nonsense_is_refused(self, weights: list[float]) -> None:
        with pytest.raises(InvalidPortfolio, match="weights"):
            checked(make_allocation(weights))

    @pytest.mark.parametrize("weights", [[0.0], [0.6, 0.4], [98.9], [50, 48.9], [51, 50.1], [0.0, 0.0]])
    def test_a_sum_far_from_one_hundred_is_refused(self, weights: list[float]) -> None:
        with pytest.raises(InvalidPortfolio, match="sum"):
            checked(make_allocation(weights))

    @pytest.mark.parametrize("weights", [[99.0], [101.0], [50.5, 50.5]])
    def test_a_sum_near_one_hundred_is_mended(self, weights: list[float]) -> None:
        assert total_of(checked(make_allocation(weights))) == Decimal(100)


class TestNames:
    @pytest.mark.parametrize(
        "name",
        ["Acciones", "S&P 500", "Bonos (AL30)", "GGAL.BA", "ETF_oro", "Ñandú", "Oro/Plata", "50% oro", "A" * 100],
    )
    def test_a_plain_one_is_shown_as_it_is(self, name: str) -> None:
        assert checked(make_allocation([100], [name])).assets[0].name == name

    def test_blanks_around_are_dropped(self) -> None:
        assert checked(make_allocation([100], [" Oro "])).assets[0].name == "Oro"

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "   ",
            "<b>Oro</b>",
            "<img src=x onerror=alert(1)>",
            "```<img src=x onerror=alert(1)>",
            "~~~<img src=x onerror=alert(1)>",
            "[r]: <javascript:alert(1)>",
            "![Oro](https://evil.example)",
            "![r]",
            "[r]",
            "[Oro](javascript:alert(1))",
            "<javascript:alert(1)>",
            "`Oro",
            "Oro\n\n# Título",
            "Oro\x00",
            "Oro\x1b[31m",
            "Oro\u202e",
            "Oro\u200b",
            "Oro\u2028",
            "Oro\ud800",
            "A" * (MAX_NAME_CHARS + 1),
        ],
    )
    def test_one_that_could_not_be_shown_is_refused(self, name: str) -> None:
        with pytest.raises(InvalidPortfolio, match="names"):
            checked(make_allocation([50, 50], ["Bonos", name]))

    @pytest.mark.parametrize("other", ["Oro", "Oro ", " Oro"])
    def test_the_same_one_twice_is_refused(self, other: str) -> None:
        with pytest.raises(InvalidPortfolio, match="names"):
            checked(make_allocation([50, 50], ["Oro", other]))


class TestLengths:
    @pytest.mark.parametrize(
        ("weights", "names"),
        [([], []), ([100.0], []), ([], ["Oro"]), ([50, 50], ["Oro"]), ([100.0], ["Oro", "Bonos"])],
    )
    def test_names_and_weights_have_to_match(self, weights: list[float], names: list[str]) -> None:
        with pytest.raises(InvalidPortfolio, match="lengths"):
            checked(make_allocation(weights, names))

    def test_the_most_assets_are_shown(self) -> None:
        assert len(checked(make_allocation([100 / MAX_ASSETS] * MAX_ASSETS)).assets) == MAX_ASSETS

    def test_more_are_refused(self) -> None:
        with pytest.raises(InvalidPortfolio, match="lengths"):
            checked(make_allocation([100 / (MAX_ASSETS + 1)] * (MAX_ASSETS + 1)))


class TestFigures:
    def test_they_are_rounded_to_hundredths(self) -> None:
        portfolio = checked(make_allocation([100], expected_return_pct=7.12345, volatility_pct=3.4567))

        assert (portfolio.expected_return_pct, portfolio.volatility_pct) == (7.12, 3.46)

    @pytest.mark.parametrize("figure", [None, math.nan, math.inf, -math.inf])
    def test_what_is_no_number_is_none(self, figure: float | None) -> None:
        portfolio = checked(make_allocation([100], expected_return_pct=figure, volatility_pct=figure))

        assert (portfolio.expected_return_pct, portfolio.volatility_pct) == (None, None)

    def test_profile_and_origin_are_told(self) -> None:
        portfolio = check(make_allocation([100]), risk_profile=RiskProfile.BOLD)

        assert (portfolio.risk_profile, portfolio.origin) == ("bold", "optimizador")


class TestSentence:
    def test_it_tells_assets_with_one_decimal(self) -> None:
        portfolio = checked(make_allocation([60.04, 29.96, 10], ["Bonos", "Acciones", "Oro"]))

        assert portfolio_sentence(portfolio) == (
            "**Portafolio sugerido (perfil moderado):** Bonos 60,0\u00a0%, Acciones 30,0\u00a0% y Oro 10,0\u00a0%."
        )

    def test_one_asset_needs_no_list(self) -> None:
        assert "Oro 100,0\u00a0%." in portfolio_sentence(checked(make_allocation([100], ["Oro"])))

    def test_figures_come_with_a_warning(self) -> None:
        text = portfolio_sentence(checked(make_allocation([100], expected_return_pct=7.123, volatility_pct=3.456)))

        assert "rindió en promedio 7,1\u00a0% anual con una volatilidad de 3,5\u00a0%" in text
        assert text.endswith("el pasado no garantiza resultados futuros.")

    @pytest.mark.parametrize("figures", [(None, None), (7.1, None), (None, 3.4), (math.nan, 3.4)])
    def test_without_both_figures_there_are_none(self, figures: tuple[float | None, float | None]) -> None:
        allocation = make_allocation([100], expected_return_pct=figures[0], volatility_pct=figures[1])

        assert "rindió" not in portfolio_sentence(checked(allocation))

    def test_a_loss_too_small_to_show_is_not_a_negative_zero(self) -> None:
        text = portfolio_sentence(checked(make_allocation([100], expected_return_pct=-0.01, volatility_pct=1)))

        assert "rindió en promedio 0,0\u00a0%" in text

    @pytest.mark.parametrize(
        ("profile", "word"),
        [(RiskProfile.CONSERVATIVE, "conservador"), (RiskProfile.MODERATE, "moderado"), (RiskProfile.BOLD, "audaz")],
    )
    def test_every_profile_has_a_spanish_name(self, profile: RiskProfile, word: str) -> None:
        assert f"(perfil {word})" in portfolio_sentence(check(make_allocation([100]), risk_profile=profile))

    @given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5, unique=True))
    def test_whatever_the_names_it_passes_as_an_answer(self, names: list[str]) -> None:
        try:
            portfolio = checked(make_allocation([100 / len(names)] * len(names), names))
        except InvalidPortfolio:
            return

        assert clean(portfolio_sentence(portfolio)) == portfolio_sentence(portfolio)
