"""The embedded advisor's index: kept in step with the articles, finds the right ones, keeps quiet about the rest."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Connection, text

from maverik_backend.advisor.articles import Article, read_articles
from maverik_backend.advisor.embedded import EmbeddedAdvisor
from maverik_backend.advisor.vocabulary import searchable
from maverik_backend.clients.rag.base import Answer, Question, Situation
from maverik_backend.core.database import Database
from maverik_backend.core.deadline import Deadline
from maverik_backend.services import knowledge
from maverik_backend.services.knowledge import KnowledgeIndex
from tests.support.paths import FIXTURE_DATA

QUESTIONS = json.loads((FIXTURE_DATA / "knowledge_questions.json").read_text(encoding="utf-8"))


def make_article(**fields: str) -> Article:
    return Article(
        **{"slug": "bono", "title": "Bono", "topics": "bono, título", **fields}, passages=("Un bono es deuda.",)
    )


def found(database: Database, question: str, *, limit: int = 12) -> list[str]:
    """Slugs of the articles found, best first."""
    passages = KnowledgeIndex(database.transaction)(searchable(question), limit=limit)
    return list(dict.fromkeys(passage.article for passage in passages))


def talk(database: Database, *said: str, situation: Situation | None = None) -> Answer:
    """The embedded advisor's answer to the last of ``said``, after it answered the others."""
    advisor = EmbeddedAdvisor(KnowledgeIndex(database.transaction))
    history: tuple[tuple[str, str], ...] = ()
    for text_said in said:
        question = Question(user_profile="", chat_history=history, input=text_said, situation=situation or Situation())
        answer = advisor.answer(question, deadline=Deadline.after(60))
        history = (*history, (text_said, answer.text))
    return answer


class TestSync:
    def test_an_unchanged_knowledge_base_is_left_alone(self, database: Database) -> None:
        with database.transaction() as session:
            assert knowledge.sync(session, articles=read_articles()) is False

    def test_a_changed_one_replaces_the_index(self, database: Database, connection: Connection) -> None:
        with database.transaction() as session:
            assert knowledge.sync(session, articles=[make_article()]) is True

        assert connection.execute(text("SELECT articulo, orden FROM pasaje")).all() == [("bono", 1)]

    def test_the_first_question_of_a_process_finds_a_current_index(self, database: Database) -> None:
        with database.transaction() as session:
            knowledge.sync(session, articles=[make_article()])

        assert found(database, "¿qué es un plazo fijo?")[0] == "plazo-fijo"


class TestSearch:
    @pytest.mark.parametrize(
        "question", ["¿Qué es el interés compuesto?", "que es el interes compuesto", "INTERÉS COMPUESTO"]
    )
    def test_accents_and_case_do_not_matter(self, database: Database, question: str) -> None:
        assert found(database, question)[0] == "interes-compuesto"

    def test_nearly_every_question_finds_a_right_article_first(self, database: Database) -> None:
        finance = QUESTIONS["finance"]
        first = sum(found(database, item["question"])[:1] in [[slug] for slug in item["expected"]] for item in finance)
        among_two = sum(bool(set(found(database, item["question"])[:2]) & set(item["expected"])) for item in finance)

        assert first / len(finance) >= 0.95
        assert among_two / len(finance) >= 0.97

    @pytest.mark.parametrize("question", QUESTIONS["off_topic"])
    def test_a_question_outside_finance_finds_nothing(self, database: Database, question: str) -> None:
        assert found(database, question) == []

    @pytest.mark.parametrize(
        "question", ["", "¿?", "de la el", "' & | ! ( ) : * <->", "bono:* & !x", "\\", "a" * 8000, "ñ" * 100]
    )
    def test_any_text_can_be_searched(self, database: Database, question: str) -> None:
        assert isinstance(found(database, question), list)

    def test_no_more_than_asked_for_are_returned(self, database: Database) -> None:
        assert len(KnowledgeIndex(database.transaction)("ahorro inversion", limit=3)) == 3

    @pytest.mark.parametrize("goal", range(1, 8))
    def test_every_goal_of_the_questionnaire_finds_something(
        self, database: Database, connection: Connection, goal: int
    ) -> None:
        description = connection.scalar(text('SELECT "desc" FROM objetivo WHERE id = :id'), {"id": goal})

        assert found(database, f"Mi objetivo es {description}. ¿Qué me recomendás?")


class TestConversation:
    """The advisor over the real articles."""

    @pytest.mark.parametrize(
        ("question", "titles"),
        [
            (
                "¿Qué es un CEDEAR y en qué se diferencia de un fondo común?",
                ("CEDEARs", "FCI: fondos de inversión"),
            ),
            ("CEDEAR y ETF", ("CEDEARs", "ETF: fondos cotizados")),
            ("plazo fijo o cuenta remunerada", ("Plazo fijo bancario", "Billeteras y saldos remunerados")),
            (
                "lecap, caución o money market",
                ("LECAP y BONCAP del Tesoro", "Cauciones bursátiles", "Fondos money market"),
            ),
            ("¿conviene invertir en acciones o bonos?", ("Acciones de empresas", "Bonos")),
            ("¿qué es un bono?", ("Bonos",)),
            ("¿Cómo armo un fondo de emergencia?", ("Fondo de emergencia",)),
        ],
    )
    def test_everything_that_is_asked_about_is_answered(
        self, database: Database, question: str, titles: tuple[str, ...]
    ) -> None:
        assert talk(database, question).sources == titles

    @pytest.mark.parametrize(
        ("said", "titles"),
        [
            (("¿qué es una caución?", "¿Y qué diferencia tiene con el plazo fijo?"),
             ("Cauciones bursátiles", "Plazo fijo bancario")),
            (("¿qué es un bono?", "¿y los riesgos?"), ("Bonos",)),
            (("¿qué es un CEDEAR?", "¿Y los bonos?"), ("Bonos",)),
            (("¿en qué invierto dólares?", "¿y en cripto?"), ("Criptomonedas y bitcoin",)),
            (("¿qué es un CEDEAR?", "¿qué impuestos paga?"), ("Impuestos a las inversiones",)),
            (("¿qué es un CEDEAR?", "ok", "dame más detalles"), ("CEDEARs",)),
            (("¿es seguro Mercado Pago?", "¿y cuánto rinde?"), ("Billeteras y saldos remunerados",)),
        ],
    )  # fmt: skip
    def test_a_follow_up_is_understood(
        self, database: Database, said: tuple[str, ...], titles: tuple[str, ...]
    ) -> None:
        assert talk(database, *said).sources == titles

    def test_nothing_is_told_twice(self, database: Database) -> None:
        first = talk(database, "¿Qué es un plazo fijo?").text
        more = talk(database, "¿Qué es un plazo fijo?", "contame más").text

        assert not set(first.split("\n\n")[:2]) & set(more.split("\n\n"))

    @pytest.mark.parametrize("goal", range(1, 8))
    def test_a_first_message_is_answered_about_its_goal(
        self, database: Database, connection: Connection, goal: int
    ) -> None:
        description = connection.scalar(text('SELECT "desc" FROM objetivo WHERE id = :id'), {"id": goal})
        facts = "Tengo un capital inicial de 12.000, un horizonte de 4 años y una tolerancia al riesgo media."

        plain = talk(database, f"Mi objetivo es {description}. ¿Qué me recomendás?")
        told = talk(database, f"Mi objetivo es {description}. {facts} ¿Qué me recomendás?")

        assert told.sources[0] == plain.sources[0]

    def test_a_question_about_the_portfolio_is_about_profiles(self, database: Database) -> None:
        assert talk(database, "¿Qué portafolio me recomendás?").sources == ("Perfil del inversor",)

    @pytest.mark.parametrize("question", QUESTIONS["off_topic"])
    def test_a_question_outside_finance_is_not_advised_on(self, database: Database, question: str) -> None:
        assert not talk(database, question).is_advice
