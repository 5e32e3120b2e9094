"""When a sum is made, from what, and what is said when it cannot be."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.clients.rag.base import Question, Situation
from maverik_backend.services.advice.finance import future_value, monthly_of_effective, required_monthly
from maverik_backend.services.advice.goal_sums import Sum, sum_for
from maverik_backend.texts import advice as texts
from maverik_backend.texts import format as fmt


def ask(
    text: str,
    *earlier: str,
    goal: str | None = None,
    capital: int | None = None,
    horizon_months: int | None = None,
    risk_tolerance: str | None = None,
    is_opening: bool = False,
) -> Sum | None:
    situation = Situation(
        goal=goal,
        capital=None if capital is None else Decimal(capital),
        horizon_months=horizon_months,
        risk_tolerance=risk_tolerance,
    )
    history = tuple((said, "Bien.") for said in earlier)
    question = Question(user_profile="", chat_history=history, input=text, situation=situation)
    return sum_for(question, is_opening=is_opening)


def said_to(
    text: str, *earlier: str, capital: int | None = None, horizon_months: int | None = None, risk: str | None = None
) -> str:
    """The sum's words, with plain blanks; fails when there is none."""
    made = ask(text, *earlier, capital=capital, horizon_months=horizon_months, risk_tolerance=risk)
    assert made is not None
    return made.text.replace("\u00a0", " ")


def projected(*, capital: int, monthly: int, months: int, rate: str = "0.025") -> str:
    a_month = monthly_of_effective(Decimal(rate))
    return fmt.number(future_value(capital=Decimal(capital), monthly=Decimal(monthly), months=months, rate=a_month))


class TestWhenThereIsNone:
    @pytest.mark.parametrize(
        "text",
        [
            "¿Cuánto está el dólar hoy?",
            "¿Cuánto vale YPF?",
            "me robaron la cuenta",
            "un programa en python que calcule",
            "¿cuánto rinde un plazo fijo?",
            "¿Y cuánto rinde?",
            "¿Cuánto rinde un plazo fijo de $ 1.000.000 a 30 días?",
            "¿De cuánto tiene que ser un fondo de emergencia?",
            "cuanta guita tendria que tener de reserva",
            "quiero un crédito de 5 millones en 24 meses",
            "debo 500 mil y puedo pagar 50 mil por mes",
            "gano 800 mil por mes, ¿en qué los invierto?",
            "no llego a fin de mes",
            "no me alcanza la plata",
            "¿Cómo llego en subte al Obelisco?",
            "¿Qué es un bono?",
        ],
    )
    def test_what_is_not_about_the_persons_own_goal_is_not_summed_up(self, text: str) -> None:
        assert ask(text, capital=1000, horizon_months=12) is None


class TestTheFirst:
    FACTS = "Tengo un capital inicial de 12.000, un horizonte de 4 años y una tolerancia al riesgo media."

    @pytest.mark.parametrize("text", ["¿Qué me recomendás?", f"Mi objetivo es viajar. {FACTS} ¿Qué me recomendás?"])
    def test_a_session_with_goal_capital_and_horizon_opens_with_one(self, text: str) -> None:
        made = ask(text, goal="Viajar", capital=12_000, horizon_months=48, is_opening=True)

        assert made is not None
        assert not made.is_asked
        assert "en 4 años, con tu capital inicial de 12.000, reunirías 12.000 sin" in made.text
        assert made.text.endswith(texts.ASK_MONTHLY_SAVING)

    @pytest.mark.parametrize("missing", ["goal", "capital", "horizon_months"])
    def test_not_when_one_of_them_is_missing(self, missing: str) -> None:
        given_facts = {"goal": "Viajar", "capital": 1000, "horizon_months": 12} | {missing: None}

        assert ask("¿Qué me recomendás?", is_opening=True, **given_facts) is None  # type: ignore[arg-type]

    def test_not_later(self) -> None:
        assert ask("¿Qué me recomendás?", goal="Viajar", capital=1000, horizon_months=12) is None


class TestGrowth:
    def test_capital_and_savings_lead_somewhere(self) -> None:
        text = said_to("Ahorro 350 por mes", capital=12_000, horizon_months=48, risk="alta")

        assert "en 4 años, con tu capital inicial de 12.000 y un ahorro de 350 por mes, reunirías 28.800 sin" in text
        assert "rendimiento real hipotético de 4,0 % anual (por encima de la inflación" in text
        assert f"llegarías a {projected(capital=12_000, monthly=350, months=48, rate='0.04')}, medido" in text

    @pytest.mark.parametrize(
        ("term", "months"), [("durante 10 años", 120), ("en 2 años", 24), ("en 18 meses", 18), ("", 36)]
    )
    def test_the_term_of_the_question_comes_before_the_sessions(self, term: str, months: int) -> None:
        made = ask(f"Si ahorro 100 por mes {term}, ¿cuánto junto?", horizon_months=36)

        assert made is not None
        assert (
            f"en {fmt.months(months)}, con un ahorro de 100 por mes, reunirías {fmt.amount(100 * months)}" in made.text
        )
        assert made.months == months

    def test_a_capital_of_the_question_comes_before_the_sessions(self) -> None:
        text = said_to("Tengo 5 millones y quiero un auto en 2 años", capital=12_000, horizon_months=48)

        assert "en 2 años, con tu capital inicial de 5.000.000, reunirías 5.000.000" in text

    @pytest.mark.parametrize(("tolerance", "rate"), [("baja", "1,0"), ("alta", "4,0"), (None, "2,5"), ("otra", "2,5")])
    def test_the_rate_fits_the_risk_tolerance(self, tolerance: str | None, rate: str) -> None:
        assert f"hipotético de {rate} % anual" in said_to("¿Llego?", capital=1000, horizon_months=12, risk=tolerance)

    @pytest.mark.parametrize(
        "text", ["¿Cuánto junto?", "¿Llego?", "¿Me alcanza?", "Calculalo de nuevo", "haceme las cuentas"]
    )
    def test_it_comes_when_it_is_asked_for(self, text: str) -> None:
        made = ask(text, capital=1000, horizon_months=12)

        assert made is not None
        assert made.is_asked
        assert "Cuentas para tu meta" in made.text

    def test_savings_alone_do_and_nothing_is_asked(self) -> None:
        assert texts.ASK_MONTHLY_SAVING not in said_to("Ahorro 100 por mes", horizon_months=12)


class TestRequiredSaving:
    def test_a_target_needs_so_much_a_month(self) -> None:
        text = said_to("quiero juntar 20000 usd en 3 años, ¿cuánto tengo que ahorrar por mes?")
        monthly = required_monthly(
            target=Decimal(20_000), capital=Decimal(0), months=36, rate=monthly_of_effective(Decimal("0.025"))
        )

        assert "para juntar US$ 20.000 en 3 años tenés que ahorrar US$ 556 por mes sin" in text
        assert f"alcanzaría con US$ {fmt.number(monthly)} por mes" in text

    def test_what_is_there_counts(self) -> None:
        text = said_to("quiero juntar 20.000 en 2 años", capital=8_000)

        assert "para juntar 20.000 en 2 años a partir de 8.000 tenés que ahorrar 500 por mes" in text

    def test_a_target_that_is_there_already_needs_nothing(self) -> None:
        assert "ya llegás a 5.000" in said_to("quiero juntar 5.000 en 2 años", capital=8_000)

    def test_a_target_and_savings_need_so_much_time(self) -> None:
        text = said_to("¿en cuánto tiempo junto 10000 dólares si ahorro 300 por mes?", horizon_months=12)

        assert "para juntar US$ 10.000 con un ahorro de US$ 300 por mes necesitás 34 meses sin" in text


class TestAnotherTry:
    def test_another_saving_is_summed_up_anew(self) -> None:
        made = ask("¿Y si ahorro 200?", "Ahorro 100 dólares por mes durante 3 años")

        assert made is not None
        assert made.stands_alone
        assert "en 3 años, con un ahorro de US$\u00a0200 por mes" in made.text

    def test_another_term_is_summed_up_anew(self) -> None:
        assert "en 5 años tenés que ahorrar US$ 333" in said_to("¿y en 5 años?", "quiero juntar 20000 usd en 3 años")

    def test_without_an_earlier_sum_it_is_asked_what_the_figure_is(self) -> None:
        assert said_to("¿y si son 200?", horizon_months=12).startswith(texts.SUM_HINTS["amount"])

    def test_the_latest_savings_count(self) -> None:
        assert "un ahorro de 200 por mes" in said_to(
            "¿Llego?", "Ahorro 100 por mes", "Perdón, ahorro 200 por mes", horizon_months=10
        )

    def test_another_goal_forgets_the_savings_of_the_one_before(self) -> None:
        assert "100" not in said_to("Tengo 5 millones y quiero un auto en 2 años", "Ahorro 100 dólares por mes")

    def test_a_first_investment_is_no_saving(self) -> None:
        assert (
            ask("¿puedo empezar a invertir con 500 dólares?", "Ahorro 100 dólares por mes", horizon_months=12) is None
        )


class TestCurrency:
    def test_the_one_that_was_written_is_carried_on(self) -> None:
        assert "un ahorro de $ 100.000 por mes, reunirías $ 1.000.000" in said_to(
            "ahorro $ 100.000 por mes en 10 meses"
        )

    def test_what_is_taken_to_be_in_it_is_said(self) -> None:
        text = said_to("Ahorro 350 dólares por mes", capital=12_000, horizon_months=48)

        assert "No sé en qué moneda está tu capital inicial de 12.000 y supuse dólares" in text

    def test_nothing_is_supposed_where_none_was_named(self) -> None:
        assert "moneda" not in said_to("Ahorro 350 por mes", capital=12_000, horizon_months=48)

    def test_two_are_never_added_up(self) -> None:
        text = said_to("Tengo 5 millones de pesos y ahorro 200 dólares por mes", horizon_months=12)

        assert text.startswith(texts.SUM_HINTS["currencies"])

    def test_a_capital_beside_dollars_is_not_taken_for_dollars(self) -> None:
        text = said_to("Tengo 5.000.000 y ahorro 200 dólares por mes", horizon_months=12)

        assert text.startswith(texts.SUM_HINTS["currency"])

    def test_another_one_ends_what_was_told_before(self) -> None:
        text = said_to(
            "Ahorro 100 mil pesos por mes en 10 meses", "Tengo 300 dólares ahorrados y ahorro 50 usd por mes"
        )

        assert "con un ahorro de $ 100.000 por mes, reunirías $ 1.000.000" in text


class TestHints:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("puedo ahorrar 1,500.50 por mes", "unclear"),
            ("ahorro entre 100 y 200 mil por mes, ¿cuánto junto?", "unclear"),
            ("¿cuánto junto en 5 o 10 años si ahorro 100 por mes?", "unclear"),
            ("ahorro 50 usd por semana, ¿cuánto junto?", "unclear"),
            ("¿cuánto tengo que ahorrar por mes?", "amount"),
            ("100 mil", "amount"),
        ],
    )
    def test_no_figures_are_given_but_what_to_write(self, text: str, problem: str) -> None:
        said = said_to(text, horizon_months=12)

        assert said == texts.SUM_EXAMPLE.format(problem=texts.SUM_HINTS[problem])

    @pytest.mark.parametrize("text", ["Ahorro 100 por mes", "quiero juntar 20.000 dólares"])
    def test_without_any_term_it_is_asked_for(self, text: str) -> None:
        assert said_to(text).startswith(texts.SUM_HINTS["term"])

    def test_a_date_in_the_question_is_no_saving(self) -> None:
        assert "36" not in said_to("¿Cuánto ahorro por mes para llegar en 36 meses?", capital=1000).removesuffix("36")


@given(st.lists(st.text(alphabet="0123456789.,$ milkporesahrrtngudcj¿?", max_size=60), min_size=1, max_size=3))
def test_whatever_is_said_there_is_a_sum_or_none(said: list[str]) -> None:
    made = ask(said[-1], *said[:-1], capital=1000, horizon_months=12)

    assert made is None or made.text


@pytest.mark.parametrize(
    "piece", ["1 ", "1-", "9,9", "ahorro 1 por mes y ", "cada  mes 1", "tengo 1.000 ", "u$s ", "¿", "entre 1 y "]
)
def test_a_long_text_made_to_confuse_is_read_at_once(piece: str) -> None:
    text = "y si ahorro " + piece * (7_900 // len(piece))
    started = time.thread_time()

    ask(text, "ahorro 100 dólares por mes durante 3 años", text)

    assert time.thread_time() - started < 0.5
