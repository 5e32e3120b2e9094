"""The embedded advisor, with a search that finds what each test lays out and remembers what it was asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from maverik_backend.advisor.embedded import FOUND_LIMIT, EmbeddedAdvisor
from maverik_backend.clients.rag.base import Advisor, Answer, Finding, FindingKind, Passage, Question, Situation
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.markdown import MAX_CHARS, clean
from maverik_backend.errors import DatabaseUnavailable
from maverik_backend.schemas.base import MAX_TEXT_CHARS
from maverik_backend.texts import advice as texts
from maverik_backend.texts import format as fmt
from tests.support.worst_texts import WORST_TEXTS


@dataclass
class ScriptedSearch:
    """Finds ``found``, whatever the question; ``asked`` is every text it was given."""

    found: Sequence[Passage] = ()
    asked: list[str] = field(default_factory=list)

    def __call__(self, text: str, *, limit: int) -> Sequence[Passage]:
        self.asked.append(text)
        return self.found[:limit]


@dataclass
class WordSearch:
    """Finds the passages of every article that ``text`` names, the openings first; ``asked`` is what it was given."""

    articles: dict[str, int]
    asked: list[str] = field(default_factory=list)

    def __call__(self, text: str, *, limit: int) -> Sequence[Passage]:
        self.asked.append(text)
        named = [article for article in self.articles if article in text]
        return [make_passage(article, order) for article in named for order in range(1, self.articles[article] + 1)][
            :limit
        ]


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
    investing_experience: str | None = None,
    holding_period: str | None = None,
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
            investing_experience=investing_experience,
            holding_period=holding_period,
        ),
    )


ADVISED = (("¿Conviene el oro?", f"oro 1.\n\noro 2.\n\n*Fuentes: Sobre oro.*\n\n{texts.DISCLAIMER}"),)


def ask(question: Question, *found: Passage) -> Answer:
    advisor: Advisor = EmbeddedAdvisor(ScriptedSearch(found or (make_passage(),)))
    return advisor.answer(question, deadline=Deadline.after(60))


def talk(*said: str, articles: dict[str, int], **situation: Any) -> Answer:
    """The answer to the last of ``said``, after the others were answered."""
    history: tuple[tuple[str, str], ...] = ()
    advisor = EmbeddedAdvisor(WordSearch(articles))
    for text in said:
        answer = advisor.answer(make_question(text, history=history, **situation), deadline=Deadline.after(60))
        history = (*history, (text, answer.text))
    return answer


class TestSmallTalk:
    @pytest.mark.parametrize(
        ("text", "answer"),
        [
            ("¡Hola!", texts.GREETING),
            ("Hola, ¿cómo estás? ¿Quién sos?", texts.ABOUT),
            ("¡Muchas gracias!", texts.THANKS),
            ("chau", texts.GOODBYE),
            ("quiero hablar con una persona", texts.HUMAN),
            ("¿tenés mis datos?", texts.YOUR_DATA),
            ("sos un inútil", texts.INSULT),
            ("What is a bond?", texts.ONLY_SPANISH),
            ("ok", texts.WHAT_NEXT),
            ("dame más detalles", texts.MORE_OF_WHAT),
            ("no entendí", texts.MORE_OF_WHAT),
            ("¿qué te pregunté antes?", texts.YOU_ASKED_NOTHING),
            ("¿Cuánto está el dólar hoy?", texts.NO_QUOTES),
        ],
    )
    def test_it_has_an_answer_of_its_own_and_is_no_advice(self, text: str, answer: str) -> None:
        search = ScriptedSearch()

        given = EmbeddedAdvisor(search).answer(
            make_question(text, goal="Viajar", capital=1000, horizon_months=12), deadline=Deadline.after(60)
        )

        assert given == Answer(text=answer, origin="integrado", is_advice=False)
        assert search.asked == []

    def test_who_goes_on_is_reminded_of_the_subject(self) -> None:
        assert "«Sobre oro»" in talk("¿y el oro?", "ok", articles={"oro": 1}).text

    def test_who_asks_what_was_asked_is_told(self) -> None:
        answer = talk("¿y el oro?", "¿y los\nbonos?", "¿qué te pregunté antes?", articles={})

        assert "«¿y el oro?» y «¿y los bonos?»" in answer.text

    def test_an_insult_is_not_answered_as_if_it_were_off_topic(self) -> None:
        assert texts.OFF_TOPIC not in ask(make_question("andate a la mierda")).text

    @pytest.mark.parametrize("text", ["hola, ¿qué es el oro?", "gracias, ¿y el oro?", "perfecto para invertir"])
    def test_a_question_with_a_greeting_is_a_question(self, text: str) -> None:
        assert ask(make_question(text)).text.startswith("oro 1.")


class TestCrimes:
    FACTS: ClassVar[dict[str, Any]] = {"goal": "Viajar", "capital": 1000, "horizon_months": 12}

    @pytest.mark.parametrize("text", ["quiero lavar guita", "cómo evado impuestos"])
    def test_a_crime_is_refused(self, text: str) -> None:
        assert ask(make_question(text, **self.FACTS)) == Answer(text=texts.CRIME, origin="integrado", is_advice=False)


class TestOffTopic:
    def test_what_no_article_is_about_is_not_answered(self) -> None:
        answer = EmbeddedAdvisor(ScriptedSearch()).answer(
            make_question("¿Cómo hago una torta?"), deadline=Deadline.after(60)
        )

        assert answer == Answer(text=texts.OFF_TOPIC, origin="integrado", is_advice=False)

    def test_not_even_with_numbers_at_hand(self) -> None:
        question = make_question("¿Cuánta harina lleva?", capital=1000, horizon_months=12)

        assert EmbeddedAdvisor(ScriptedSearch()).answer(question, deadline=Deadline.after(60)).text == texts.OFF_TOPIC

    @pytest.mark.parametrize("said", ["¿quién lo fabrica?", "???"])
    def test_a_few_words_in_the_middle_of_a_conversation_may_belong_to_it(self, said: str) -> None:
        answer = talk("el oro", said, articles={"oro": 3})

        assert answer.text == texts.NOT_UNDERSTOOD.format(title="Sobre oro")
        assert not answer.is_advice

    def test_who_asks_for_advice_and_names_nothing_is_advised_on_the_goal(self) -> None:
        assert talk("¿Qué me recomendás?", articles={"viaje": 2}, goal="Un viaje").sources == ("Sobre viaje",)
        assert talk("¿Por dónde arranco?", articles={"ahorro": 2}).sources == ("Sobre ahorro",)


class TestAnswer:
    def test_it_is_advice(self) -> None:
        assert ask(make_question()).is_advice

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
            make_passage("bonos", 2, 0.9),
            make_passage("bonos", 1, 0.86),
        ).text

        assert "bonos 2." in text
        assert "bonos 1." not in text

    def test_one_that_fits_far_worse_is_not_shown(self) -> None:
        answer = ask(make_question(), make_passage("oro", 1, 1.0), make_passage("bonos", 1, 0.84))

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

    def test_what_was_shown_is_not_shown_again(self) -> None:
        assert ask(make_question(history=ADVISED), *(make_passage(order=order) for order in (1, 2, 3))).text.startswith(
            "oro 3.\n\n*Fuentes"
        )

    def test_unless_nothing_else_is_left(self) -> None:
        assert ask(make_question(history=ADVISED), make_passage(order=1)).text.startswith("oro 1.")

    def test_a_question_with_an_articles_whole_title_gets_no_other(self) -> None:
        bonds = replace(make_passage("bonos"), title="Bonos")

        assert ask(make_question("¿qué es un bono?"), bonds, make_passage("bonos-cer")).sources == ("Bonos",)

    def test_experts_are_spared_what_is_for_beginners(self) -> None:
        found = (make_passage(order=1, text="Para empezar a invertir."), make_passage(order=2), make_passage(order=3))

        assert ask(make_question(investment_knowledge="Experto"), *found).text.startswith("oro 2.\n\noro 3.")
        assert ask(make_question(investment_knowledge="Poco"), *found).text.startswith("Para empezar a invertir.")


class TestTwoThings:
    ARTICLES: ClassVar[dict[str, int]] = {"cedear": 3, "etf": 2, "caucion": 3, "plazo": 2}

    @pytest.mark.parametrize(
        "text",
        [
            "CEDEAR y ETF",
            "¿CEDEAR o ETF?",
            "¿Qué es un CEDEAR y en qué se diferencia de un ETF?",
            "¿Qué diferencia hay entre un CEDEAR y un ETF?",
            "¿un CEDEAR conviene más que un ETF?",
            "cedear vs etf",
        ],
    )
    def test_each_is_introduced_under_its_title(self, text: str) -> None:
        answer = talk(text, articles=self.ARTICLES)

        assert "**Sobre cedear.** cedear 1." in answer.text
        assert "**Sobre etf.** etf 1." in answer.text
        assert answer.sources == ("Sobre cedear", "Sobre etf")

    def test_three_are_as_well(self) -> None:
        assert len(talk("cedear, etf o caución", articles=self.ARTICLES).sources) == 3

    def test_the_other_one_may_be_what_was_spoken_of(self) -> None:
        answer = talk("¿qué es una caución?", "¿Y qué diferencia tiene con el plazo fijo?", articles=self.ARTICLES)

        assert "**Sobre caucion.** caucion 3." in answer.text
        assert "**Sobre plazo.** plazo 1." in answer.text

    def test_an_article_about_both_needs_no_other(self) -> None:
        found = (make_passage("ahorro e inversion", score=2.0),)

        assert ask(make_question("¿ahorro o inversión?"), *found).sources == ("Sobre ahorro e inversion",)

    def test_a_follow_up_speaks_of_both(self) -> None:
        answer = talk("CEDEAR o ETF", "¿y eso?", articles=self.ARTICLES)

        assert "**Sobre cedear.** cedear 2." in answer.text
        assert "**Sobre etf.** etf 2." in answer.text


class TestFollowUps:
    ARTICLES: ClassVar[dict[str, int]] = {"cedear": 5, "bono": 2, "riesgo": 1}

    @pytest.mark.parametrize(
        "text",
        ["¿Y eso qué es?", "¿Qué es eso?", "pero conviene?", "Entonces, ¿cuál?", "¿cuánto rinde?", "¿dónde lo compro?"],
    )
    def test_one_that_names_nothing_stays_with_what_was_spoken_of(self, text: str) -> None:
        assert talk("¿Qué es un CEDEAR?", text, articles=self.ARTICLES).text.startswith("cedear 3.\n\ncedear 4.")

    def test_a_chain_of_them_does_as_well(self) -> None:
        assert talk("¿Qué es un CEDEAR?", "¿y eso?", "¿conviene?", articles=self.ARTICLES).text.startswith("cedear 5.")

    @pytest.mark.parametrize(
        "text", ["¿Y los bonos?", "¿y en bonos?", "¿Qué es un bono?", "¿y qué riesgos tienen los bonos?"]
    )
    def test_one_that_names_something_else_changes_the_subject(self, text: str) -> None:
        assert "bono 1." in talk("¿Qué es un CEDEAR?", text, articles=self.ARTICLES).text

    def test_a_property_is_asked_of_the_article_that_speaks_of_it(self) -> None:
        text = talk("¿Qué es un bono?", "¿y los riesgos?", articles=self.ARTICLES).text

        assert text.startswith("riesgo 1."), "no passage about bonds says anything about risks here"

    def test_without_anything_before_it_it_is_read_alone(self) -> None:
        assert talk("¿Y eso?", articles=self.ARTICLES).text == texts.OFF_TOPIC

    def test_what_is_looked_up_is_folded_and_only_about_money(self) -> None:
        search = ScriptedSearch()
        EmbeddedAdvisor(search).answer(make_question("¿INTERÉS en el Inter?"), deadline=Deadline.after(60))

        assert search.asked[0].split() == ["¿interes", "en", "el", "?"]


class TestMoreAndSimpler:
    def test_more_shows_what_was_not_shown_in_order(self) -> None:
        answer = talk("el oro", "dame más detalles", articles={"oro": 5})

        assert answer.text.startswith("oro 3.\n\noro 4.\n\n*Fuentes: Sobre oro.*")
        assert answer.is_advice

    def test_after_the_last_there_is_no_more(self) -> None:
        answer = talk("el oro", "más detalles", articles={"oro": 2})

        assert answer.text == texts.NOTHING_MORE.format(title="Sobre oro")

    def test_small_talk_in_between_is_passed_over(self) -> None:
        assert talk("el oro", "ok", "gracias", "contame más", articles={"oro": 3}).text.startswith("oro 3.")

    def test_simpler_is_the_first_sentence_and_an_example(self) -> None:
        found = (
            make_passage(order=1, text="El oro es un metal. Y más."),
            make_passage(order=2, text="Ejemplo hipotético: uno."),
        )
        answer = ask(make_question("no entendí", history=ADVISED), *found)

        assert answer.text.startswith("En una frase: el oro es un metal.\n\nEjemplo hipotético: uno.\n\n*Fuentes")


class TestPortfolio:
    @pytest.mark.parametrize("text", ["¿Qué portafolio me recomendás?", "cambiame el portafolio", "armame una cartera"])
    def test_it_is_said_what_it_is_made_from(self, text: str) -> None:
        answer = ask(make_question(text), make_passage("perfil"))

        assert answer.text.startswith(texts.PORTFOLIO_FROM)
        assert answer.is_advice


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

    def test_later_none_is(self) -> None:
        text = ask(make_question(history=ADVISED, goal="Viajar", horizon_months=6, risk_tolerance="baja")).text

        assert "En tu caso" not in text

    def test_small_talk_before_it_does_not_count(self) -> None:
        history = (("hola", texts.GREETING),)

        assert "En tu caso" in ask(make_question(history=history, goal="Viajar")).text

    @pytest.mark.parametrize(
        "text",
        ["¿Qué es el oro?", "¿Cómo funciona el oro?", "oro", "¿qué diferencia hay entre oro y plata?", "mis deudas"],
    )
    def test_who_does_not_ask_what_to_do_with_their_money_gets_none(self, text: str) -> None:
        assert "En tu caso" not in ask(make_question(text, goal="Viajar", horizon_months=6)).text

    @pytest.mark.parametrize(
        ("holding", "span"),
        [
            ("Menos de 1 año", "short"),
            ("Entre 1 y 5 años", "medium"),
            ("Entre 5 y 10 años", "long"),
            ("Más de 10 años", "long"),
        ],
    )
    def test_without_a_horizon_the_profiles_holding_period_stands_for_it(self, holding: str, span: str) -> None:
        sentence = texts.HORIZON_CASES[span].format(horizon=fmt.lower_first(holding))

        assert fmt.lower_first(sentence) in ask(make_question(holding_period=holding)).text
        assert fmt.lower_first(sentence) not in ask(make_question(holding_period=holding, horizon_months=36)).text

    @pytest.mark.parametrize("fact", ["investment_knowledge", "investing_experience"])
    def test_experts_hear_what_is_left_to_gain(self, fact: str) -> None:
        situation = {"investment_knowledge": "Poco"} | {fact: "Experto"}
        text = ask(make_question(**situation)).text  # type: ignore[arg-type]

        assert fmt.lower_first(texts.EXPERT_CASE) in text
        assert "primeros pasos" not in text

    def test_a_term_in_the_question_comes_before_the_sessions(self) -> None:
        offer = Finding(kind=FindingKind.SUM, text="Son 25.", instruction="", months=36)
        question = make_question("¿Qué hago si quiero juntar 900 dólares en 3 años?", horizon_months=6)
        text = ask(replace(question, findings=(offer,))).text

        assert "horizonte de 3 años" in text

    def test_without_facts_there_is_no_case(self) -> None:
        assert "En tu caso" not in ask(make_question()).text

    def test_an_unknown_tolerance_is_passed_over(self) -> None:
        assert "tolerancia" not in ask(make_question(risk_tolerance="muy alta")).text


class TestFindings:
    SUM = Finding(kind=FindingKind.SUM, text="**Son 12.**", instruction="")
    ALONE = replace(SUM, is_complete=True)
    OFFER = replace(SUM, kind=FindingKind.OFFER)
    UNSUITABLE = Finding(kind=FindingKind.UNSUITABLE, text="No, no conviene.", instruction="", is_complete=True)

    def told(self, *findings: Finding, text: str = "¿Qué me recomendás?", **facts: Any) -> Answer:
        question = replace(make_question(text, **facts), findings=findings)
        advisor = EmbeddedAdvisor(ScriptedSearch([make_passage(), make_passage(order=2)]))
        return advisor.answer(question, deadline=Deadline.after(60))

    def test_a_sum_that_was_asked_for_comes_first_with_one_passage(self) -> None:
        answer = self.told(self.SUM)

        assert answer.text.startswith("**Son 12.**\n\noro 1.")
        assert "oro 2." not in answer.text
        assert answer.sources == ("Sobre oro",)

    def test_one_that_is_offered_comes_last(self) -> None:
        text = self.told(self.OFFER, goal="Viajar").text

        assert text.index("oro 1.") < text.index("En tu caso") < text.index("Son 12.")

    def test_one_that_says_it_all_stands_alone(self) -> None:
        answer = self.told(self.ALONE)

        assert answer.text == f"**Son 12.**\n\n{texts.DISCLAIMER}"
        assert (answer.sources, answer.is_advice) == ((), True)

    def test_what_does_not_suit_is_told_before_anything_else(self) -> None:
        answer = self.told(self.UNSUITABLE, text="¿compro acciones de YPF?")

        assert answer.text == f"No, no conviene.\n\n{texts.DISCLAIMER}"
        assert not answer.is_advice


@pytest.mark.parametrize("name", WORST_TEXTS)
def test_the_longest_message_made_to_cost_is_answered_at_once(name: str) -> None:
    said = WORST_TEXTS[name](MAX_TEXT_CHARS)
    history = [(said, WORST_TEXTS[name](MAX_CHARS))] * 6
    question = replace(make_question(said, goal="Viajar"), chat_history=tuple(history))
    started = time.thread_time()

    ask(question, *(make_passage(order=order) for order in range(1, 41)))

    assert time.thread_time() - started < 1
