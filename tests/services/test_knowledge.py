"""The embedded advisor's index: kept in step with the articles, finds the right ones, keeps quiet about the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from maverik_backend.clients.rag.articles import Article, read_articles
from maverik_backend.clients.rag.vocabulary import searchable
from maverik_backend.core.database import Database
from maverik_backend.services import knowledge
from maverik_backend.services.knowledge import KnowledgeIndex

QUESTIONS = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "knowledge_questions.json").read_text(encoding="utf-8")
)


def make_article(**fields: str) -> Article:
    return Article(
        **{"slug": "bono", "title": "Bono", "topics": "bono, título", **fields}, passages=("Un bono es deuda.",)
    )


def found(database: Database, question: str, *, limit: int = 12) -> list[str]:
    """Slugs of the articles found, best first."""
    passages = KnowledgeIndex(database.transaction)(searchable(question), limit=limit)
    return list(dict.fromkeys(passage.article for passage in passages))


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

        assert (first / len(finance), among_two / len(finance)) >= (0.95, 0.97)

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
