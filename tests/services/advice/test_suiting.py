"""Which risk suits whom, and that no portfolio is ever beyond the table of limits."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.clients.optimizer.base import Allocation, RiskProfile
from maverik_backend.clients.optimizer.embedded import EmbeddedOptimizer
from maverik_backend.clients.rag.base import Situation
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.markdown import clean
from maverik_backend.services.advice.limits import LIMITS, AssetKind, is_within, kind_of, limits_for
from maverik_backend.services.advice.occasion import calls_for_portfolio
from maverik_backend.services.advice.portfolio import Portfolio, check
from maverik_backend.services.advice.suited_risk import suited_risk
from maverik_backend.services.advice.suiting import (
    UnsuitedPortfolio,
    explanation,
    liquid_portfolio,
    suited_portfolio,
)

BOLD_PERSON = Situation(
    goal="Comprar una casa o un departamento",
    capital=Decimal(20_000),
    horizon_months=120,
    risk_tolerance="alta",
    investment_knowledge="Experto",
    investing_experience="Avanzada",
    holding_period="Más de 10 años",
    reaction_to_falls="Mi estrategia no varía",
    seeks="Obtener rendimientos mayores a 5%",
    age=35,
)
OPTIMIZER = EmbeddedOptimizer()


def changed(**facts: object) -> Situation:
    values = {field: getattr(BOLD_PERSON, field) for field in Situation.__dataclass_fields__}
    return Situation(**{**values, **facts})


def made_for(situation: Situation) -> Portfolio:
    suited = suited_risk(situation)
    if suited.is_liquid_only:
        return liquid_portfolio(situation, suited)
    allocation = OPTIMIZER.generate(risk_profile=suited.profile, deadline=Deadline.after(60))
    return suited_portfolio(check(allocation, risk_profile=suited.profile), situation, suited)


class TestSuitedRisk:
    def test_a_person_whom_nothing_holds_back_may_be_bold(self) -> None:
        assert suited_risk(BOLD_PERSON).profile is RiskProfile.BOLD

    @pytest.mark.parametrize(
        ("fact", "value", "profile"),
        [
            ("risk_tolerance", "baja", "conservative"),
            ("risk_tolerance", "media", "moderate"),
            ("risk_tolerance", None, "conservative"),
            ("horizon_months", 3, "conservative"),
            ("horizon_months", 36, "conservative"),
            ("horizon_months", 37, "moderate"),
            ("horizon_months", 60, "moderate"),
            ("horizon_months", 61, "bold"),
            ("reaction_to_falls", "Me retiro inmediatamente (vendo el total)", "conservative"),
            ("reaction_to_falls", "Rescato parte de la inversión y el resto", "moderate"),
            ("investment_knowledge", "Nulo", "conservative"),
            ("investment_knowledge", "Poco", "moderate"),
            ("investing_experience", "Ninguna", "moderate"),
            ("age", 17, "conservative"),
            ("age", 58, "moderate"),
            ("age", 67, "conservative"),
            ("seeks", "Mantener el valor de mis ahorros", "conservative"),
            ("seeks", "Ganarle a la inflación", "moderate"),
            ("goal", "Preservar el valor de los ahorros en el tiempo", "conservative"),
            ("wants_no_losses", True, "conservative"),
        ],
    )
    def test_each_fact_alone_lowers_it_and_says_why(self, fact: str, value: object, profile: str) -> None:
        suited = suited_risk(changed(**{fact: value}))

        assert suited.profile == profile
        assert suited.reasons or profile == "bold"
        assert all(reason.text and reason.ceiling == profile for reason in suited.reasons)

    def test_a_novice_who_would_sell_everything_is_conservative_whatever_was_said(self) -> None:
        novice = changed(
            investment_knowledge="Poco", investing_experience="Ninguna", reaction_to_falls="Me retiro inmediatamente"
        )

        assert suited_risk(novice).profile is RiskProfile.CONSERVATIVE

    def test_without_a_horizon_the_holding_period_counts(self) -> None:
        assert suited_risk(changed(horizon_months=None, holding_period="Menos de 1 año")).is_liquid_only


GRID = [
    changed(
        risk_tolerance=tolerance,
        horizon_months=months,
        capital=None if capital is None else Decimal(capital),
        investment_knowledge=knowledge,
        reaction_to_falls=reaction,
        age=age,
        currency=currency,
    )
    for tolerance, months, capital, knowledge, reaction, age, currency in product(
        (None, "baja", "media", "alta"),
        (None, 1, 3, 12, 13, 36, 37, 60, 61, 240),
        (None, 0, 300, 20_000),
        ("Nulo", "Experto"),
        ("Me retiro inmediatamente (vendo el total)", "Mi estrategia no varía"),
        (None, 16, 40, 70),
        (None, "usd"),
    )
]


class TestEveryPortfolio:
    def test_of_a_large_grid_keeps_the_table(self) -> None:
        assert len(GRID) >= 500

        for situation in GRID:
            portfolio, suited = made_for(situation), suited_risk(situation)
            names = [asset.name for asset in portfolio.assets]
            weights = [asset.weight_pct for asset in portfolio.assets]
            assert is_within(names, weights, limits_for(suited)), situation
            assert sum(Decimal(str(weight)) for weight in weights) == 100, situation
            assert portfolio.risk_profile is suited.profile
            assert portfolio.reasons
            assert portfolio.warnings
            assert portfolio.loss_pct

    @pytest.mark.parametrize("months", range(1, 13))
    def test_money_needed_within_a_year_is_liquid_in_the_currency_of_the_need(self, months: int) -> None:
        for currency, word in (("ars", "pesos"), ("usd", "dólares"), (None, "moneda")):
            portfolio = made_for(changed(horizon_months=months, currency=currency))

            assert {kind_of(asset.name) for asset in portfolio.assets} == {AssetKind.LIQUID}
            assert word in portfolio.assets[0].name

    @given(
        st.sampled_from(GRID),
        st.lists(
            st.tuples(
                st.sampled_from(["SPY", "AL30", "Bitcoin", "Oro", "Bonos", "Letras", "Acciones", "Fondo X", "TLT"]),
                st.floats(0.1, 1),
            ),
            min_size=1,
            max_size=6,
            unique_by=lambda part: part[0],
        ),
    )
    def test_whatever_an_optimiser_answers_it_keeps_the_table_or_is_refused(
        self, situation: Situation, parts: list[tuple[str, float]]
    ) -> None:
        suited = suited_risk(situation)
        total = sum(weight for _, weight in parts)
        allocation = Allocation(
            assets=[name for name, _ in parts],
            weights_pct=[100 * weight / total for _, weight in parts],
            origin="optimizador",
        )
        try:
            portfolio = suited_portfolio(check(allocation, risk_profile=suited.profile), situation, suited)
        except UnsuitedPortfolio:
            return

        names = [asset.name for asset in portfolio.assets]
        weights = [asset.weight_pct for asset in portfolio.assets]
        assert is_within(names, weights, limits_for(suited))
        assert sum(Decimal(str(weight)) for weight in weights) == 100

    def test_is_explained_in_a_text_that_passes_as_an_answer(self) -> None:
        for situation in (BOLD_PERSON, changed(horizon_months=6), changed(horizon_months=30)):
            text = explanation(made_for(situation), situation)

            assert clean(text) == text
            assert "Qué podrías perder en un año malo" in text


class TestTable:
    def test_more_risk_or_more_time_never_allows_less(self) -> None:
        profiles = list(RiskProfile)
        ends = sorted({end for _, end in LIMITS})
        for kind in AssetKind:
            for before, after in pairwise(profiles):
                assert all(LIMITS[before, end].most_of(kind) <= LIMITS[after, end].most_of(kind) for end in ends)
            for sooner, later in pairwise(ends):
                assert all(LIMITS[p, sooner].most_of(kind) <= LIMITS[p, later].most_of(kind) for p in profiles)

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("Letras del Tesoro de EE. UU. a 3 meses", "liquid"),
            ("Fondo money market en pesos", "liquid"),
            ("Bonos del Tesoro de EE. UU. a 10 años", "long_bonds"),
            ("Bonos soberanos argentinos", "volatile"),
            ("AL30", "volatile"),
            ("Acciones de EE. UU. (S&P 500)", "volatile"),
            ("GGAL", "volatile"),
            ("Oro", "gold"),
            ("Bitcoin", "crypto"),
        ],
    )
    def test_assets_are_told_by_their_names_and_strangers_count_as_volatile(self, name: str, kind: str) -> None:
        assert kind_of(name) == kind


class TestOccasion:
    @pytest.mark.parametrize("text", ["¿Qué portafolio me recomendás?", "armame una cartera"])
    def test_it_is_given_when_asked_for(self, text: str) -> None:
        assert calls_for_portfolio(text, has_goal=False, is_due=False)

    @pytest.mark.parametrize("text", ["Mi objetivo es viajar. ¿Qué me recomendás?", "¿en qué invierto?", "¿y ahora?"])
    def test_a_session_with_a_goal_gets_one_for_its_facts(self, text: str) -> None:
        assert calls_for_portfolio(text, has_goal=True, is_due=True)
        assert not calls_for_portfolio(text, has_goal=True, is_due=False)
        assert not calls_for_portfolio(text, has_goal=False, is_due=True)

    @pytest.mark.parametrize(
        "text",
        ["hola", "gracias", "¿qué es un plazo fijo?", "¿cuánto rinde un bono?", "¿cómo funciona una caución?",
         "quiero lavar guita", "¿cuánto está el dólar?", "¿quién sos?"],
    )  # fmt: skip
    def test_small_talk_refusals_and_general_knowledge_carry_none(self, text: str) -> None:
        assert not calls_for_portfolio(text, has_goal=True, is_due=True)
