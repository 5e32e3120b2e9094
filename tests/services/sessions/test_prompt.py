"""What an advisor is told about a person, a session and a conversation."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.clients.rag.base import Situation
from maverik_backend.services.accounts import InvestorProfile
from maverik_backend.services.catalogs import Catalogs
from maverik_backend.services.sessions import prompt
from maverik_backend.services.sessions.records import SessionContext, SessionFacts

TODAY = date(2025, 6, 15)

CATALOGS = Catalogs(
    options={
        "nivel_educativo": {1: "Primaria", 3: "Superior"},
        "conocimiento_alt_inversion": {1: "Nulo", 4: "Intermedio"},
        "experiencia_invirtiendo": {2: "Minima"},
        "porcentaje_ahorro_mensual": {1: "Hasta el 10%"},
        "porcentaje_ahorro_invertir": {2: "Hasta el 25%"},
        "tiempo_mantener_inversion": {2: "Entre 1 y 5 años"},
        "busca_invertir_en": {2: "Ganarle a la inflación"},
        "proporcion_inversion_mantener": {1: "Me retiro inmediatamente (vendo el total)"},
        "tolerancia_al_riesgo": {1: "baja", 2: "media", 3: "alta"},
        "objetivo": {1: "Comprar una casa o un departamento"},
        "proposito_sesion": {
            1: "Fortalecer mis conocimientos financieros",
            2: "Buscar asistencia para lograr un objetivo personal",
        },
    },
    etag="",
)


@dataclass(frozen=True, kw_only=True)
class Facts(SessionFacts):
    proposito_sesion_id: int = 2
    objetivo_id: int | None = 1
    capital_inicial: Decimal | None = Decimal("12000.00")
    horizonte_temporal: int | None = 48
    tolerancia_al_riesgo_id: int | None = 2


@dataclass(frozen=True, kw_only=True)
class Profile(InvestorProfile):
    fecha_nacimiento: date | None = date(1991, 4, 18)
    nivel_educativo_id: int | None = 3
    conocimiento_alt_inversion_id: int = 4
    experiencia_invirtiendo_id: int = 2
    porcentaje_ahorro_mensual_id: int = 1
    porcentaje_ahorro_invertir_id: int = 2
    tiempo_mantener_inversion_id: int = 2
    busca_invertir_en_id: int = 2
    proporcion_inversion_mantener_id: int = 1


NOTHING_KNOWN = Facts(
    proposito_sesion_id=2,
    objetivo_id=None,
    capital_inicial=None,
    horizonte_temporal=None,
    tolerancia_al_riesgo_id=None,
)
OTHER_PURPOSE = replace(NOTHING_KNOWN, proposito_sesion_id=1)


@pytest.mark.parametrize("capital", [Decimal("5e-20"), Decimal(-1), Decimal("0.004")])
@pytest.mark.parametrize("months", [-5, 0])
def test_facts_that_only_older_releases_took_are_left_out(capital: Decimal, months: int) -> None:
    facts = replace(Facts(), capital_inicial=capital, horizonte_temporal=months)
    known = prompt.situation(Profile(), facts, CATALOGS, today=TODAY)

    assert "Tengo una tolerancia al riesgo media. ¿Qué" in prompt.first_input(facts, CATALOGS)
    profile = prompt.user_profile(Profile(), facts, CATALOGS, today=TODAY)
    assert "Capital" not in profile
    assert "Horizonte" not in profile
    assert (known.capital, known.horizon_months) == (None, None)


def test_an_older_session_for_a_goal_that_names_none_begins_with_its_purpose() -> None:
    assert prompt.first_input(NOTHING_KNOWN, CATALOGS) == (
        "Quiero buscar asistencia para lograr un objetivo personal. ¿Por dónde me conviene empezar?"
    )


class TestTitle:
    def test_it_is_the_goal_for_the_purpose_with_one(self) -> None:
        assert prompt.topic_of(Facts(), CATALOGS) == "Comprar una casa o un departamento"

    def test_it_is_the_purpose_for_others(self) -> None:
        facts = replace(OTHER_PURPOSE, objetivo_id=1)

        assert prompt.topic_of(facts, CATALOGS) == "Fortalecer mis conocimientos financieros"

    @pytest.mark.parametrize("goal", [None, 99])
    def test_without_a_goal_it_is_the_purpose(self, goal: int | None) -> None:
        title = prompt.topic_of(replace(Facts(), objetivo_id=goal), CATALOGS)

        assert title == "Buscar asistencia para lograr un objetivo personal"

    def test_an_unknown_purpose_has_none(self) -> None:
        assert prompt.topic_of(replace(OTHER_PURPOSE, proposito_sesion_id=99), CATALOGS) == ""


class TestFirstInput:
    def test_it_tells_goal_and_facts(self) -> None:
        assert prompt.first_input(Facts(), CATALOGS) == (
            "Mi objetivo es comprar una casa o un departamento. Tengo un capital inicial de 12.000, un horizonte de "
            "4 años y una tolerancia al riesgo media. ¿Qué me recomendás?"
        )

    def test_it_tells_the_purpose_where_there_is_no_goal(self) -> None:
        assert prompt.first_input(OTHER_PURPOSE, CATALOGS) == (
            "Quiero fortalecer mis conocimientos financieros. ¿Por dónde me conviene empezar?"
        )

    def test_what_is_not_known_is_not_told(self) -> None:
        facts = replace(Facts(), capital_inicial=None, tolerancia_al_riesgo_id=None)

        assert "Tengo un horizonte de 4 años. ¿Qué" in prompt.first_input(facts, CATALOGS)

    def test_a_goal_without_facts_is_enough(self) -> None:
        assert prompt.first_input(replace(NOTHING_KNOWN, objetivo_id=1), CATALOGS) == (
            "Mi objetivo es comprar una casa o un departamento. ¿Qué me recomendás?"
        )

    def test_no_capital_at_all_is_a_fact(self) -> None:
        facts = replace(NOTHING_KNOWN, objetivo_id=1, capital_inicial=Decimal(0))

        assert "Tengo un capital inicial de 0." in prompt.first_input(facts, CATALOGS)

    @pytest.mark.parametrize(
        ("capital", "written"),
        [("1234567.80", "1.234.567,80"), ("0.5", "0,50"), ("99999999999999.99", "99.999.999.999.999,99")],
    )
    def test_amounts_are_written_as_in_argentina(self, capital: str, written: str) -> None:
        assert f"de {written}," in prompt.first_input(replace(Facts(), capital_inicial=Decimal(capital)), CATALOGS)


class TestUserProfile:
    def test_it_is_one_fact_a_line(self) -> None:
        assert prompt.user_profile(Profile(), Facts(), CATALOGS, today=TODAY).splitlines() == [
            "Edad: 34 años.",
            "Nivel educativo: Superior.",
            "Conocimiento de alternativas de inversión: Intermedio.",
            "Experiencia invirtiendo: Minima.",
            "Porcentaje de sus ingresos que ahorra por mes: Hasta el 10%.",
            "Porcentaje de sus ahorros que invertiría: Hasta el 25%.",
            "Tiempo que mantendría una inversión: Entre 1 y 5 años.",
            "Qué busca al invertir: Ganarle a la inflación.",
            "Qué haría si su inversión cayera: Me retiro inmediatamente (vendo el total).",
            "Propósito de la sesión: buscar asistencia para lograr un objetivo personal.",
            "Objetivo: comprar una casa o un departamento.",
            "Capital inicial: 12.000.",
            "Horizonte temporal: 4 años.",
            "Tolerancia al riesgo: media.",
        ]

    def test_what_is_not_known_has_no_line(self) -> None:
        profile = Profile(fecha_nacimiento=None, nivel_educativo_id=None)
        text = prompt.user_profile(profile, NOTHING_KNOWN, CATALOGS, today=TODAY)

        assert "Edad" not in text
        assert "Nivel educativo" not in text
        assert text.splitlines()[-1].startswith("Propósito de la sesión")

    def test_an_option_that_was_taken_out_of_the_catalogue_has_no_line(self) -> None:
        profile = Profile(experiencia_invirtiendo_id=99)

        assert "Experiencia" not in prompt.user_profile(profile, Facts(), CATALOGS, today=TODAY)

    @pytest.mark.parametrize(
        ("born", "age"),
        [(date(1991, 6, 15), 34), (date(1991, 6, 16), 33), (date(2004, 2, 29), 21), (date(1991, 12, 31), 33)],
    )
    def test_age_is_in_whole_years(self, born: date, age: int) -> None:
        text = prompt.user_profile(Profile(fecha_nacimiento=born), Facts(), CATALOGS, today=TODAY)

        assert text.startswith(f"Edad: {age} años.")


class TestSituation:
    def test_it_repeats_the_facts_as_data(self) -> None:
        assert prompt.situation(Profile(), Facts(), CATALOGS, today=TODAY) == Situation(
            goal="Comprar una casa o un departamento",
            capital=Decimal("12000.00"),
            horizon_months=48,
            risk_tolerance="media",
            investment_knowledge="Intermedio",
            investing_experience="Minima",
            holding_period="Entre 1 y 5 años",
            reaction_to_falls="Me retiro inmediatamente (vendo el total)",
            seeks="Ganarle a la inflación",
            invested_share="Hasta el 25%",
            age=34,
        )

    def test_what_is_not_known_is_none(self) -> None:
        known = prompt.situation(Profile(), NOTHING_KNOWN, CATALOGS, today=TODAY)

        assert (known.goal, known.capital, known.horizon_months, known.risk_tolerance) == (None, None, None, None)


def make_turns(count: int, *, chars: int = 5) -> list[tuple[str, str]]:
    """Turns whose two texts together have ``2 * chars`` characters, numbered."""
    return [(f"p{number}".ljust(chars), f"a{number}".ljust(chars)) for number in range(count)]


class TestChatHistory:
    def test_short_ones_are_kept_whole(self) -> None:
        assert prompt.chat_history(make_turns(3), max_turns=20, max_chars=24_000) == tuple(make_turns(3))

    def test_of_many_turns_the_latest_stay_oldest_first(self) -> None:
        assert prompt.chat_history(make_turns(9), max_turns=2, max_chars=24_000) == tuple(make_turns(9)[-2:])

    def test_of_long_turns_the_latest_that_fit_stay(self) -> None:
        assert prompt.chat_history(make_turns(9), max_turns=20, max_chars=25) == tuple(make_turns(9)[-2:])

    def test_turns_that_fit_exactly_stay(self) -> None:
        assert len(prompt.chat_history(make_turns(9), max_turns=20, max_chars=30)) == 3

    def test_there_is_no_gap_where_a_long_turn_does_not_fit(self) -> None:
        turns = [*make_turns(2), ("x" * 100, ""), *make_turns(1)]

        assert prompt.chat_history(turns, max_turns=20, max_chars=50) == tuple(make_turns(1))

    @pytest.mark.parametrize(("max_turns", "max_chars"), [(0, 24_000), (20, 0), (20, 9), (0, 0)])
    def test_without_room_there_is_none(self, max_turns: int, max_chars: int) -> None:
        assert prompt.chat_history(make_turns(3), max_turns=max_turns, max_chars=max_chars) == ()

    def test_a_new_session_has_none(self) -> None:
        assert prompt.chat_history([], max_turns=20, max_chars=24_000) == ()

    @given(
        lengths=st.lists(st.integers(min_value=0, max_value=50), max_size=10),
        max_turns=st.integers(min_value=0, max_value=12),
        max_chars=st.integers(min_value=0, max_value=300),
    )
    def test_it_is_the_longest_end_of_the_conversation_within_both_bounds(
        self, lengths: list[int], max_turns: int, max_chars: int
    ) -> None:
        turns = [(str(number), "x" * length) for number, length in enumerate(lengths)]
        ends_longest_first = (turns[start:] for start in range(len(turns) + 1))
        longest = next(
            end
            for end in ends_longest_first
            if len(end) <= max_turns and sum(len(one) + len(other) for one, other in end) <= max_chars
        )

        assert prompt.chat_history(turns, max_turns=max_turns, max_chars=max_chars) == tuple(longest)


def test_a_question_holds_everything_an_advisor_is_told() -> None:
    history = (("hola", "¡Hola!"),)

    context = SessionContext(
        **asdict(Facts()), profile=Profile(), session_id=1, is_answered=False, portfolio_facts=None, care=None
    )

    asked = prompt.question(context, CATALOGS, history=history, message="¿Qué hago?", today=TODAY)

    assert asked.user_profile == prompt.user_profile(Profile(), Facts(), CATALOGS, today=TODAY)
    assert asked.situation == prompt.situation(Profile(), Facts(), CATALOGS, today=TODAY)
    assert (asked.chat_history, asked.input) == (history, "¿Qué hago?")
