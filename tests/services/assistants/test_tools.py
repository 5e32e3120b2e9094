"""The tools that ship, each over what stands behind it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from maverik_backend.clients.llm.base import Citation, UserMessage
from maverik_backend.clients.llm.models import ConfiguredModels
from maverik_backend.clients.rag.base import Question, Situation
from maverik_backend.core.database import Database
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import UpstreamUnreachable
from maverik_backend.services.advice import Proposals
from maverik_backend.services.assistants import Definition, Kind
from maverik_backend.services.assistants.tools import TOOLS, Tool, ToolClients, ToolContext, ToolFailed, make_tools
from maverik_backend.services.knowledge import DocumentSearch
from maverik_backend.services.turns import PORTFOLIO, Source
from tests.support.assistants import request_of
from tests.support.fixtures.application import ScriptedOptimizer
from tests.support.models import ScriptedModel, says

SITUATION = Situation(goal="Comprar una casa", horizon_months=120, risk_tolerance="media")
DEFINITION = Definition(slug="ana", name="Ana", kind=Kind.MODEL, instructions="x", collections=("articulos",))


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def optimizer() -> ScriptedOptimizer:
    return ScriptedOptimizer()


@pytest.fixture
def tools(model: ScriptedModel, optimizer: ScriptedOptimizer, database: Database) -> Any:
    with ThreadPoolExecutor(1) as executor:
        yield make_tools(
            ToolClients(
                documents=DocumentSearch(database.transaction),
                models=ConfiguredModels({"perplexity": model}),
                proposals=Proposals(optimizer=optimizer, executor=executor),
            )
        )


@pytest.fixture
def context() -> ToolContext:
    question = Question(user_profile="", chat_history=(), input="hola", situation=SITUATION)
    return ToolContext(request=request_of(question), definition=DEFINITION, deadline=Deadline.after(30))


@pytest.mark.parametrize("name", TOOLS)
def test_each_is_described_under_its_own_name(tools: dict[str, Tool], name: str) -> None:
    spec = tools[name].spec
    assert spec.name == name
    assert spec.description.endswith(".")
    assert spec.parameters["type"] == "object"
    assert all(field["description"] for field in spec.parameters["properties"].values())


class TestSearchDocuments:
    def test_it_gives_passages_and_cites_them(self, tools: dict[str, Tool], context: ToolContext) -> None:
        output = tools["search_documents"].run({"query": "fondo de emergencia"}, context)
        assert any("emergencia" in passage["title"] for passage in output.value)
        assert len(output.sources) == len(output.value)
        assert all(source.document_id and source.passage_id for source in output.sources)

    def test_only_the_collections_of_the_definition_are_searched(
        self, tools: dict[str, Tool], context: ToolContext
    ) -> None:
        other = replace(context, definition=DEFINITION.model_copy(update={"collections": ("otra",)}))
        assert tools["search_documents"].run({"query": "fondo de emergencia"}, other).value == []


class TestWebSearch:
    def test_it_gives_the_text_and_its_pages(
        self, tools: dict[str, Tool], context: ToolContext, model: ScriptedModel
    ) -> None:
        page = Citation(title="BCRA", url="https://www.bcra.gob.ar/tasas")
        model.queue.append(says("La tasa bajó.", citations=(page,)))

        output = tools["web_search"].run({"query": "¿Qué pasó con la tasa?"}, context)

        assert output.value == {"answer": "La tasa bajó.", "citations": ["https://www.bcra.gob.ar/tasas"]}
        assert output.sources == (Source(title="BCRA", url="https://www.bcra.gob.ar/tasas"),)
        assert model.requests[0].messages == (UserMessage("¿Qué pasó con la tasa?"),)

    @pytest.mark.parametrize(
        "url", ["javascript:alert(1)", "data:text/html,x", "/relative", "https://ana:clave@example.com/", "http://["]
    )
    def test_an_address_that_is_no_web_page_is_left_out(
        self, tools: dict[str, Tool], context: ToolContext, model: ScriptedModel, url: str
    ) -> None:
        model.queue.append(says("La tasa bajó.", citations=(Citation(title="x", url=url),)))
        assert tools["web_search"].run({"query": "tasa hoy"}, context).sources == ()

    def test_without_a_model_that_searches_there_is_no_such_tool(
        self, tools: dict[str, Tool], database: Database
    ) -> None:
        documents = DocumentSearch(database.transaction)
        with ThreadPoolExecutor(1) as executor:
            proposals = Proposals(optimizer=ScriptedOptimizer(), executor=executor)
            made = make_tools(ToolClients(documents=documents, models=ConfiguredModels({}), proposals=proposals))
        assert set(tools) - set(made) == {"web_search"}


class TestSuggestPortfolio:
    def test_it_gives_the_portfolio_to_the_model_and_to_the_turn(
        self, tools: dict[str, Tool], context: ToolContext
    ) -> None:
        output = tools["suggest_portfolio"].run({}, context)
        (data,) = output.data
        assert data.name == PORTFOLIO
        assert output.value["portfolio"] == data.value
        assert output.value["explanation"]

    def test_it_is_made_for_the_profile_of_the_person(
        self, tools: dict[str, Tool], context: ToolContext, optimizer: ScriptedOptimizer
    ) -> None:
        cautious = replace(context.request.question, situation=replace(SITUATION, risk_tolerance="baja"))
        tools["suggest_portfolio"].run({}, replace(context, request=request_of(cautious)))
        assert optimizer.profiles == ["conservative"]

    def test_an_optimiser_that_fails_is_told_to_the_model(
        self, tools: dict[str, Tool], context: ToolContext, optimizer: ScriptedOptimizer
    ) -> None:
        optimizer.queue.append(UpstreamUnreachable("optimizer"))
        with pytest.raises(ToolFailed, match="no portfolio at the moment"):
            tools["suggest_portfolio"].run({}, context)


class TestCalculator:
    @pytest.mark.parametrize(
        ("name", "arguments", "result"),
        [
            ("calculate", {"expression": "(1.250.000,50 + 10) * 3%"}, {"result": "37500.315"}),
            ("convert_rate", {"annual_pct": 36, "given": "tna"}, {"tea_pct": "42.58"}),
            ("convert_rate", {"annual_pct": 42.576, "given": "tea"}, {"tna_pct": "36.00"}),
            (
                "compound_growth",
                {"capital": 1000, "monthly": 100, "months": 12, "monthly_pct": 1},
                {"value": "2395.08", "put_in": "2200.00", "earned": "195.08"},
            ),
            ("saving_for_goal", {"target": 12000, "months": 12}, {"monthly": "1000.00"}),
            (
                "loan_instalment",
                {"principal": 100000, "instalments": 12, "monthly_pct": 5},
                {"instalment": "11282.54", "total": "135390.49", "interest": "35390.49"},
            ),
            ("real_rate", {"nominal_pct": 40, "inflation_pct": 50}, {"real_pct": "-6.67"}),
            ("periods_to_double", {"rate_pct": 3}, {"periods": "23.45"}),
            ("percentage_change", {"before": 80, "after": 100}, {"change_pct": "25.00"}),
            ("budget_50_30_20", {"income": 900}, {"needs": "450.00", "wants": "270.00", "savings": "180.00"}),
            ("aguinaldo", {"best_pay": 1200000, "months": 3}, {"aguinaldo": "300000.00"}),
        ],
    )
    def test_it_computes_to_the_cent(
        self, tools: dict[str, Tool], context: ToolContext, name: str, arguments: dict[str, Any], result: dict[str, str]
    ) -> None:
        assert result.items() <= tools[name].run(arguments, context).value.items()

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("calculate", {"expression": "__import__('os')"}),
            ("calculate", {"expression": "1 / 0"}),
            ("calculate", {"expression": "9^9^9^9"}),
            ("compound_growth", {"capital": 10**15, "months": 1200, "monthly_pct": 100000}),
            ("compound_growth", {"capital": "NaN", "months": 1, "monthly_pct": 1}),
            ("loan_instalment", {"principal": 100, "instalments": 0, "monthly_pct": 1}),
            ("percentage_change", {"before": 0, "after": 1}),
            ("periods_to_double", {"rate_pct": 0}),
        ],
    )
    def test_what_cannot_be_computed_is_told_to_the_model(
        self, tools: dict[str, Tool], context: ToolContext, name: str, arguments: dict[str, Any]
    ) -> None:
        with pytest.raises(ToolFailed):
            tools[name].run(arguments, context)
