"""Questions to data: as an assistant of the kind ``queries``, and as tools of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maverik_backend.clients.llm.base import ToolSpec
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import QueryRefused
from maverik_backend.services.assistants.base import AssistantRequest
from maverik_backend.services.assistants.definition import Definition
from maverik_backend.services.assistants.tools import Tool, ToolContext, ToolFailed, ToolOutput
from maverik_backend.services.assistants.writing import write_whole
from maverik_backend.services.queries import Asker, DataQuestions, QueryResult
from maverik_backend.services.turns import Data, Emit, Ending

ORIGIN = "datos"
ROWS = "datos"
"""The name of the ``Data`` event that carries rows."""


class QueriesAssistant:
    """Answers by declared queries, without a model."""

    def __init__(self, definition: Definition, questions: DataQuestions) -> None:
        self._definition = definition
        self._questions = questions

    def answer(self, request: AssistantRequest, *, emit: Emit, deadline: Deadline) -> Ending:
        asker = asker_for(self._definition, request)
        answered = self._questions.answer(request.question.input, asker=asker, deadline=deadline)
        write_whole(answered.text, emit)
        if answered.result is not None:
            emit(_rows(answered.result))
        return Ending(origin=ORIGIN, is_advice=False)


@dataclass(frozen=True, slots=True)
class QueryTool:
    """One query that a model may run."""

    spec: ToolSpec
    questions: DataQuestions

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolOutput:
        asker = asker_for(context.definition, context.request)
        try:
            result = self.questions.run(self.spec.name, arguments, asker=asker, deadline=context.deadline)
        except QueryRefused as refused:
            raise ToolFailed(str(refused)) from None
        return ToolOutput(value=result.for_model(), data=(_rows(result),))


def query_tools(questions: DataQuestions) -> dict[str, Tool]:
    """A tool for each query, by its name."""
    return {spec.name: QueryTool(spec, questions) for spec in questions.describe()}


def asker_for(definition: Definition, request: AssistantRequest) -> Asker:
    """On whose behalf data are asked: of the project that the assistant serves, by the principal of the turn."""
    project = definition.projects[0] if definition.projects else definition.slug
    return Asker(project=project, principal=request.principal)


def _rows(result: QueryResult) -> Data:
    """Rows for charts and tables: columns in the order of the query."""
    columns = [{"nombre": column.name, "tipo": column.type.value} for column in result.columns]
    return Data(name=ROWS, value={"columnas": columns, "filas": result.records(), "recortada": result.is_truncated})
