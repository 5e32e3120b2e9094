"""The embedded advisor, with a search that finds what each test lays out and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from maverik_backend.clients.rag.base import Advisor, Answer, Passage, Question, Situation
from maverik_backend.clients.rag.embedded import FOUND_LIMIT, EmbeddedAdvisor
from maverik_backend.clients.rag.projection import future_value
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import DatabaseUnavailable
from maverik_backend.services.answer import clean
from maverik_backend.texts import advice as texts
from maverik_backend.texts import format as fmt


@dataclass
class ScriptedSearch:
    """Finds ``found``, whatever the question; ``asked`` is every text it was given."""

    found: Sequence[Passage] = ()
    asked: list[str] = field(default_factory=list)

    def __call__(self, text: str, *, limit: int) -> Sequence[Passage]:
        self.asked.append(text)
        return self.found[:limit]


def make_passage(article: str = "oro", order: int = 1, score: float = 1.0, text: str | None = None) -> Passage:
    return Passage(
        article=article,
        title=f"Sobre {article}",
        order=order,
        text=text or f"{article} {order}.",
        score=score,
    )


def make_question(
    text: str = "¿Conviene el oro?",
    *,
    history: tuple[tuple[str, str], ...] = (),
    goal: str | None = None,
    capital: int | str | None = None,
    horizon_months: int | None = None,
    risk_tolerance: str | None = None,
    investment_knowledge: str | None = None,
    reaction_to_falls: str | None = None,
) -> Question:
    return Question(
        user_profile="",
        chat_history=history,
        input=text,
        situation=Situation(
            goal=goal,
            capital=None if capital is None else Decimal(capital),
            horizon_months=horizon_months,
            risk_tolerance=risk_tolerance,
            investment_knowledge=investment_knowledge,
            reaction_to_falls=reaction_to_falls,
        ),
    )


EARLIER = (("¿Conviene el oro?", "Depende."),)


def ask(question: Question, *found: Passage) -> Answer:
    advisor: Advisor = EmbeddedAdvisor(ScriptedSearch(found or (make_passage(),)))
    return advisor.answer(question, deadline=Deadline.after(60))


def searched_for(text: str, *, history: tuple[tuple[str, str], ...] = ()) -> str:
    """What is looked up when somebody says ``text``."""
    search = ScriptedSearch()
    EmbeddedAdvisor(search).answer(make_question(text, history=history), deadline=Deadline.after(60))
    (asked,) = search.asked
    return asked


class TestSmallTalk:
    @pytest.mark.parametrize(
        "text",
        [
            "hola",
            "¡Hola!",
            "HOLA MAVERIK",
            "Buenas",
            "¡Buen día!",
            "buenos días",
            "buenas tardes",
            "¿qué tal?",
            "hey",
            "hola 👋",
        ],
    )
    def test_a_greeting_is_greeted(self, text: str) -> None:
        assert ask(make_question(text)).text == texts.GREETING

    @pytest.mark.parametrize(
        "text",
        ["gracias", "¡Muchas gracias!", "mil gracias", "Gracias por todo", "genial", "Perfecto.", "joya", "listo!"],
    )
    def test_thanks_are_welcome(self, text: str) -> None:
        assert ask(make_question(text)).text == texts.THANKS

    @pytest.mark.parametrize("text", ["hola", "gracias"])
    def test_nothing_is_looked_up_for_it(self, text: str) -> None:
        search = ScriptedSearch()

        answer = EmbeddedAdvisor(search).answer(make_question(text), deadline=Deadline.after(60))

        assert (search.asked, answer.sources) == ([], ())

    @pytest.mark.parametrize(
        "text", ["hola, ¿qué es un bono?", "gracias, ¿y el oro?", "holando", "perfecto para invertir"]
    )
    def test_a_question_with_a_greeting_is_a_question(self, text: str) -> None:
        assert ask(make_question(text)).text.startswith("oro 1.")


class TestOffTopic:
    def test_what_no_article_is_about_is_not_answered(self) -> None:
        answer = EmbeddedAdvisor(ScriptedSearch()).answer(
            make_question("¿Cómo hago una torta?"), deadline=Deadline.after(60)
        )

        assert (answer.text, answer.sources) == (texts.OFF_TOPIC, ())

    def test_not_even_with_numbers_at_hand(self) -> None:
        question = make_question("¿Cuánta harina lleva?", capital=1000, horizon_months=12)

        assert EmbeddedAdvisor(ScriptedSearch()).answer(question, deadline=Deadline.after(60)).text == texts.OFF_TOPIC


class TestAnswer:
    def test_it_names_its_sources(self) -> None:
        answer = ask(make_question(), make_passage("oro", 1), make_passage("oro", 2), make_passage("bonos", 1))

        assert answer.sources == ("Sobre oro", "Sobre bonos")
        assert "*Fuentes: Sobre oro; Sobre bonos.*" in answer.text

    def test_it_ends_with_what_it_is_and_is_not(self) -> None:
        assert ask(make_question()).text.endswith(texts.DISCLAIMER)

    def test_it_says_who_answered(self) -> None:
        assert ask(make_question()).origin == "integrado"

    def test_it_passes_as_an_answer_unchanged(self) -> None:
        question = make_question(goal="Viajar", capital=1000, horizon_months=24, risk_tolerance="alta")
        text = ask(question).text

        assert clean(text) == text

    def test_a_search_that_fails_is_not_an_answer(self) -> None:
        def broken(text: str, *, limit: int) -> Sequence[Passage]:
            raise DatabaseUnavailable(f"{text}{limit}")

        with pytest.raises(DatabaseUnavailable):
            EmbeddedAdvisor(broken).answer(make_question(), deadline=Deadline.after(60))


class TestPassages:
    def test_an_article_is_introduced_by_its_opening(self) -> None:
        text = ask(make_question(), make_passage(order=3, score=2), make_passage(order=1, score=1)).text

        assert text.startswith("oro 1.\n\noro 3.\n\n")

    def test_without_its_opening_it_starts_with_what_fits_best(self) -> None:
        text = ask(make_question(), make_passage(order=3, score=2), make_passage(order=2, score=1)).text

        assert text.startswith("oro 3.\n\noro 2.\n\n")

    def test_of_the_best_article_two_are_shown(self) -> None:
        text = ask(make_question(), *(make_passage(order=order) for order in (2, 3, 4, 1))).text

        assert [order for order in range(1, 5) if f"oro {order}." in text] == [1, 2]

    def test_of_another_article_that_fits_nearly_as_well_one_is_shown(self) -> None:
        text = ask(
            make_question(),
            make_passage("oro", 1, 1.0),
            make_passage("bonos", 2, 0.8),
            make_passage("bonos", 1, 0.75),
        ).text

        assert "bonos 2." in text
        assert "bonos 1." not in text

    def test_one_that_fits_far_worse_is_not_shown(self) -> None:
        answer = ask(make_question(), make_passage("oro", 1, 1.0), make_passage("bonos", 1, 0.69))

        assert answer.sources == ("Sobre oro",)

    def test_no_more_than_two_articles_are_shown(self) -> None:
        answer = ask(make_question(), *(make_passage(article) for article in ("oro", "bonos", "acciones")))

        assert answer.sources == ("Sobre oro", "Sobre bonos")

    def test_the_search_is_bounded(self) -> None:
        limits: list[int] = []

        def search(text: str, *, limit: int) -> Sequence[Passage]:
            assert text
            limits.append(limit)
            return ()

        EmbeddedAdvisor(search).answer(make_question(), deadline=Deadline.after(60))

        assert limits == [FOUND_LIMIT]


class TestFollowUps:
    @pytest.mark.parametrize(
        "text",
        [
            "¿Y eso qué riesgos tiene?",
            "¿Qué es eso?",
            "¿Y los bonos?",
            "pero conviene?",
            "o sea, ¿sí?",
            "Entonces, ¿cuál?",
        ],
    )
    def test_a_short_one_is_read_with_the_question_before_it(self, text: str) -> None:
        asked = searched_for(text, history=(("¿Qué es un CEDEAR?", "Un certificado."),))

        assert asked.startswith("¿que es un cedear? ")

    def test_only_the_latest_question_counts(self) -> None:
        history = (("¿Qué es un bono?", "Una deuda."), ("¿Qué es un CEDEAR?", "Un certificado."))

        assert "bono" not in searched_for("¿Y eso?", history=history)

    @pytest.mark.parametrize(
        "text",
        [
            "¿Qué es un plazo fijo?",
            "¿Y qué diferencia hay entre un plazo fijo y un bono?",
            "Me dijeron que eso que se llama plazo fijo rinde menos que la inflación, ¿es cierto en general o no?",
            "yo quiero invertir",
        ],
    )
    def test_one_that_stands_alone_is_read_alone(self, text: str) -> None:
        assert "cedear" not in searched_for(text, history=(("¿Qué es un CEDEAR?", "Un certificado."),))

    def test_without_anything_before_it_it_is_read_alone(self) -> None:
        assert searched_for("¿Y eso?") == "¿y eso?"

    def test_what_is_looked_up_is_folded_and_only_about_money(self) -> None:
        assert searched_for("¿INTERÉS en el Inter?").split() == ["¿interes", "en", "el", "?"]


class TestCase:
    """What the person's facts mean."""

    @pytest.mark.parametrize(
        ("months", "span"), [(1, "short"), (12, "short"), (13, "medium"), (60, "medium"), (61, "long"), (600, "long")]
    )
    def test_the_horizon_decides_how_much_may_move(self, months: int, span: str) -> None:
        sentence = texts.HORIZON_CASES[span].format(horizon=fmt.months(months))

        assert fmt.lower_first(sentence) in ask(make_question(horizon_months=months)).text

    @pytest.mark.parametrize("tolerance", ["baja", "media", "alta"])
    def test_the_risk_tolerance_is_taken_up(self, tolerance: str) -> None:
        sentence = fmt.lower_first(texts.RISK_CASES[tolerance])

        assert sentence in ask(make_question(risk_tolerance=tolerance)).text

    def test_the_goal_is_taken_up(self) -> None:
        assert "con la meta de comprar un vehículo" in ask(make_question(goal="Comprar un vehículo")).text

    @pytest.mark.parametrize("level", ["Nulo", "Poco"])
    def test_beginners_are_told_to_start_small(self, level: str) -> None:
        assert fmt.lower_first(texts.BEGINNER_CASE) in ask(make_question(investment_knowledge=level)).text

    @pytest.mark.parametrize("level", ["Intermedio", "Experto", None])
    def test_others_are_not(self, level: str | None) -> None:
        assert "primeros pasos" not in ask(make_question(investment_knowledge=level)).text

    def test_who_sells_in_a_fall_is_told_to_avoid_falls(self) -> None:
        text = ask(make_question(reaction_to_falls="Me retiro inmediatamente (vendo el total)")).text

        assert fmt.lower_first(texts.SELLS_IN_A_FALL_CASE) in text

    def test_on_the_first_turn_every_fact_is_taken_up(self) -> None:
        text = ask(make_question(goal="Viajar", horizon_months=6, risk_tolerance="baja")).text

        assert text.count("**En tu caso:**") == 1
        assert "horizonte de 6 meses" in text
        assert "tolerancia al riesgo es baja" in text
        assert "la meta de viajar" in text

    def test_later_only_the_weightiest(self) -> None:
        text = ask(make_question(history=EARLIER, goal="Viajar", horizon_months=6, risk_tolerance="baja")).text

        assert "horizonte de 6 meses" in text
        assert "tolerancia al riesgo" not in text
        assert "la meta de" not in text

    def test_without_facts_there_is_no_case(self) -> None:
        assert "En tu caso" not in ask(make_question()).text

    def test_an_unknown_tolerance_is_passed_over(self) -> None:
        assert "tolerancia" not in ask(make_question(risk_tolerance="muy alta")).text


class TestProjection:
    @staticmethod
    def projected(*, capital: float, monthly: float, months: int, rate: float) -> str:
        return fmt.number(future_value(capital=capital, monthly=monthly, months=months, annual_return=rate))

    def test_capital_and_savings_lead_somewhere(self) -> None:
        question = make_question(
            "Puedo ahorrar 350 dólares por mes", capital="12000", horizon_months=48, risk_tolerance="alta"
        )
        total = self.projected(capital=12_000, monthly=350, months=48, rate=0.04)

        text = ask(question).text

        assert "en 4 años, con tu capital inicial de 12.000 y un ahorro de 350 por mes, reunirías 28.800 sin" in text
        assert "rendimiento real hipotético de 4,0\u00a0% anual (por encima de la inflación" in text
        assert f"llegarías a {total}, medido" in text

    def test_capital_alone_does_and_asks_for_savings(self) -> None:
        text = ask(make_question(capital=1000, horizon_months=12)).text

        assert "con tu capital inicial de 1.000, reunirías 1.000 sin" in text
        assert texts.ASK_MONTHLY_SAVING in text

    def test_savings_alone_do_and_nothing_is_asked(self) -> None:
        text = ask(make_question("Ahorro 100 por mes", horizon_months=12)).text

        assert "con un ahorro de 100 por mes, reunirías 1.200 sin" in text
        assert texts.ASK_MONTHLY_SAVING not in text

    @pytest.mark.parametrize(("tolerance", "rate"), [("baja", "1,0"), ("media", "2,5"), ("alta", "4,0"), (None, "2,5")])
    def test_the_rate_fits_the_risk_tolerance(self, tolerance: str | None, rate: str) -> None:
        text = ask(make_question(capital=1000, horizon_months=12, risk_tolerance=tolerance)).text

        assert f"hipotético de {rate}\u00a0% anual" in text

    def test_a_tolerance_that_an_operator_added_gets_the_middle_one(self) -> None:
        text = ask(make_question(capital=1000, horizon_months=12, risk_tolerance="muy alta")).text

        assert "hipotético de 2,5\u00a0% anual" in text

    def test_savings_told_in_an_earlier_turn_are_remembered(self) -> None:
        history = (("Puedo ahorrar 200 por mes", "Bien."), ("¿Qué es un bono?", "Una deuda."))

        text = ask(make_question("¿Cuánto junto?", history=history, horizon_months=10)).text

        assert "con un ahorro de 200 por mes, reunirías 2.000" in text

    def test_the_latest_savings_count(self) -> None:
        history = (("Ahorro 100 por mes", "Bien."), ("Perdón, ahorro 200 por mes", "Bien."))

        assert "un ahorro de 200 por mes" in ask(make_question("¿Llego?", history=history, horizon_months=10)).text

    def test_what_is_said_now_counts_most(self) -> None:
        question = make_question("¿Y si ahorro 300 por mes?", history=(("Ahorro 100 por mes", ""),), horizon_months=10)

        assert "un ahorro de 300 por mes" in ask(question).text

    def test_what_the_advisor_said_does_not_count(self) -> None:
        history = (("¿Qué hago?", "Podrías ahorrar 900 por mes"),)

        assert "900" not in ask(make_question("¿Cuánto junto?", history=history, horizon_months=10)).text

    @pytest.mark.parametrize(
        "text", ["¿Cuánto junto?", "¿Llego?", "¿Me alcanza?", "Calculalo de nuevo", "haceme las cuentas"]
    )
    def test_later_it_comes_when_numbers_are_asked_for(self, text: str) -> None:
        answer = ask(make_question(text, history=EARLIER, capital=1000, horizon_months=12))

        assert "Cuentas para tu meta" in answer.text

    @pytest.mark.parametrize("text", ["¿Qué es un bono?", "¿Qué riesgos tiene el oro?"])
    def test_later_it_does_not_come_unasked(self, text: str) -> None:
        answer = ask(make_question(text, history=EARLIER, capital=1000, horizon_months=12))

        assert "Cuentas para tu meta" not in answer.text

    @pytest.mark.parametrize("capital", [None, 0, 1000])
    def test_without_a_horizon_there_is_none(self, capital: int | None) -> None:
        assert "Cuentas para tu meta" not in ask(make_question("Ahorro 100 por mes", capital=capital)).text

    @pytest.mark.parametrize("capital", [None, 0])
    def test_without_capital_and_savings_there_is_none(self, capital: int | None) -> None:
        assert "Cuentas para tu meta" not in ask(make_question(capital=capital, horizon_months=12)).text

    def test_a_date_in_the_question_is_no_saving(self) -> None:
        question = make_question("¿Cuánto ahorro por mes para llegar en 36 meses?", capital=1000, horizon_months=36)

        assert "reunirías 1.000 sin" in ask(question).text
