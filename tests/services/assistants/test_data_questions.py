"""Questions to data as an assistant and as tools of a model, over the example project's database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maverik_backend.clients.rag.base import Question, Situation
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import UpstreamError
from maverik_backend.services.assistants import (
    SHIPPED,
    Assistant,
    Definition,
    Kind,
    Library,
    ModelAssistant,
    QueriesAssistant,
    faults,
    query_tools,
)
from maverik_backend.services.queries import DataQuestions
from maverik_backend.services.turns import Data, Ending, StoredEvent, ToolResult
from maverik_backend.services.turns.events import text_of
from tests.support.assistants import request_of
from tests.support.dashboard import EXAMPLE, Dashboard, questions, running_dashboard
from tests.support.models import NAME, ScriptedModel, calls, says

EXAMPLE_DEFINITION = Library([SHIPPED, EXAMPLE], check=faults).current()["dashboard_miempresa"]
MODEL_DEFINITION = Definition(
    slug="ana", name="Ana", kind=Kind.MODEL, instructions="Sos $assistant.", projects=("dashboard_miempresa",)
)


@pytest.fixture(scope="module")
def dashboard() -> Iterator[Dashboard]:
    with running_dashboard() as dashboard:
        yield dashboard


@pytest.fixture
def data(dashboard: Dashboard) -> Iterator[DataQuestions]:
    with dashboard.sources() as sources:
        yield questions(sources)


def ask(assistant: Assistant, text: str) -> tuple[Ending, list[StoredEvent]]:
    events: list[StoredEvent] = []
    question = Question(user_profile="", chat_history=(), input=text, situation=Situation())
    ending = assistant.answer(request_of(question), emit=events.append, deadline=Deadline.after(60))
    return ending, events


def test_a_question_is_answered_in_a_sentence_with_its_rows(data: DataQuestions) -> None:
    ending, events = ask(QueriesAssistant(EXAMPLE_DEFINITION, data), "¿Cuántas órdenes pendientes hay?")

    (rows,) = [event.value for event in events if isinstance(event, Data)]
    assert (ending.origin, ending.is_advice) == ("datos", False)
    assert len(rows["filas"]) == 1
    assert str(next(iter(rows["filas"][0].values()))) in text_of(events)


def test_what_cannot_be_asked_gets_a_list_of_what_can_and_no_rows(data: DataQuestions) -> None:
    _, events = ask(QueriesAssistant(EXAMPLE_DEFINITION, data), "¿Quién ganó el partido?")

    assert "- " in text_of(events)
    assert not [event for event in events if isinstance(event, Data)]


def test_a_database_that_is_away_is_trouble_of_a_service(dashboard: Dashboard) -> None:
    with dashboard.sources(dashboard.url(port=1)) as sources, pytest.raises(UpstreamError):
        ask(QueriesAssistant(EXAMPLE_DEFINITION, questions(sources)), "¿Cuántas órdenes pendientes hay?")


def test_a_model_runs_a_query_and_the_rows_reach_the_turn(data: DataQuestions) -> None:
    name = data.describe()[0].name
    model = ScriptedModel(calls(name, {}), says("Listo."))
    assistant = ModelAssistant(MODEL_DEFINITION, name=NAME, model=model, tools=query_tools(data))

    _, events = ask(assistant, "¿Qué hay?")

    assert [event.is_error for event in events if isinstance(event, ToolResult)] == [False]
    assert [event.name for event in events if isinstance(event, Data)] == ["datos"]


def test_a_select_that_is_not_allowed_is_told_to_the_model(data: DataQuestions) -> None:
    model = ScriptedModel(calls("write_select", {"sql": "SELECT * FROM pg_shadow"}), says("Eso no."))
    assistant = ModelAssistant(MODEL_DEFINITION, name=NAME, model=model, tools=query_tools(data))

    _, events = ask(assistant, "Mostrame las claves")

    (result,) = [event for event in events if isinstance(event, ToolResult)]
    assert result.is_error
    assert not [event for event in events if isinstance(event, Data)]
