"""The use cases: what a project's data can be asked, by people's words or by a model's calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any

from maverik_backend.clients.llm.base import ToolSpec
from maverik_backend.core.data_sources import DataSources
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import QueryRefused, SettingsError, UpstreamQueryFailed
from maverik_backend.services.queries.arguments import schema_of, values_of
from maverik_backend.services.queries.choosing import Choice, Chooser, Chosen, choices_of
from maverik_backend.services.queries.definition import (
    DEFAULT_LANGUAGE,
    MAX_SQL_CHARS,
    SLOT,
    DeclaredQuery,
    Definition,
    Language,
    ParameterValue,
    text_in,
)
from maverik_backend.services.queries.reading import Fence, ReadDefinition
from maverik_backend.services.queries.results import WRITTEN, QueryResult
from maverik_backend.services.queries.running import Asker, Runner
from maverik_backend.services.queries.sentences import listed, sentence_for, with_truncation
from maverik_backend.texts import queries as texts

MAX_SUGGESTIONS = 6
_KEPT_CHOICES = 64


class Outcome(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    MISSING_VALUE = "missing_value"
    """A query fits, and needs a value that the question does not have."""
    AMBIGUOUS = "ambiguous"
    NOT_UNDERSTOOD = "not_understood"
    KNOWLEDGE = "knowledge"
    """It asks what something is or how it works: for documents or a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAnswer:
    """``text`` is the whole answer in words. ``result`` is None when no query was run (its rows may be none, too).

    ``suggestions`` are questions that could be asked instead; ``text`` has them.
    """

    outcome: Outcome
    text: str
    language: Language
    result: QueryResult | None = None
    suggestions: tuple[str, ...] = ()


class DataQuestions:
    """Everything that may be asked of one project's data. Safe to use from several threads.

    No method holds a connection when it returns, and none waits for anything but the source.
    """

    def __init__(self, read: ReadDefinition, *, sources: DataSources, today: Callable[[], date] = date.today) -> None:
        """``today`` is what "hoy" and "yesterday" count from.

        Raises:
            SettingsError: when the address of its data source is not set.
        """
        self.definition: Definition = read.definition
        source = sources.get(read.definition.source)
        if source is None:
            variable = f"DATA_SOURCE_{read.definition.source.upper()}_URL"
            raise SettingsError([f"{variable} is not set: it is where the data source {read.definition.source} is."])
        self._statements = read.statements
        self._queries = {query.name: query for query in read.definition.queries}
        self._runner = Runner(source, read)
        self._chooser = Chooser(read.definition)
        self._fence = Fence(read.definition)
        self._today = today
        # Stemming hundreds of values takes milliseconds, and people of one project mostly have the same.
        self._choices = lru_cache(_KEPT_CHOICES)(lambda held: choices_of(self.definition, dict(held)))

    def problems(self, *, asker: Asker, deadline: Deadline) -> list[str]:
        """What keeps the source from being asked, an English sentence each; for operators.

        Raises:
            UpstreamError: the source could not be asked at all.
        """
        return self._runner.problems(asker=asker, deadline=deadline)

    # --- without a model ----------------------------------------------------------------------------------------------

    def answer(self, question: str, *, asker: Asker, deadline: Deadline) -> QueryAnswer:
        """Answer ``question`` by the declared query whose examples are most like it, or say what can be asked.

        Raises:
            UpstreamError: the source could not be asked, or may not be.
            Cancelled: ``deadline`` was cancelled.
        """
        held = self._runner.column_values(asker=asker, deadline=deadline)
        choices = self._choices(tuple(held.items()))
        chosen = self._chooser.choose(question, choices=choices, today=self._today())
        if chosen.choice is None:
            return self._not_answered(chosen)
        if chosen.choice.missing:
            return self._missing(chosen.choice)
        choice = chosen.choice
        result = self._run(choice.query, choice.values, language=choice.language, asker=asker, deadline=deadline)
        return QueryAnswer(outcome=Outcome.ANSWERED, text=result.sentence, language=choice.language, result=result)

    def _not_answered(self, chosen: Chosen) -> QueryAnswer:
        language = chosen.language
        if chosen.candidates:
            examples = tuple(_example(query, language) for query in chosen.candidates)
            return self._listing(Outcome.AMBIGUOUS, texts.DID_YOU_MEAN, examples, language)
        examples = self._suggestions(language)
        if chosen.is_knowledge:
            return self._listing(Outcome.KNOWLEDGE, texts.ABOUT_KNOWLEDGE, examples, language)
        return self._listing(Outcome.NOT_UNDERSTOOD, texts.CAN_BE_ASKED, examples, language)

    def _suggestions(self, language: Language) -> tuple[str, ...]:
        """Questions that are answered; where none is declared, what the tables are about."""
        examples = [_example(query, language) for query in self.definition.queries[:MAX_SUGGESTIONS]]
        tables = [text_in(table.description, language) for table in self.definition.tables.values()]
        return tuple(examples or tables)

    @staticmethod
    def _listing(
        outcome: Outcome,
        lead: Mapping[Language, str] | Mapping[str, str],
        examples: tuple[str, ...],
        language: Language,
    ) -> QueryAnswer:
        text = "\n".join([dict(lead)[language], *(f"- {example}" for example in examples)])
        return QueryAnswer(outcome=outcome, text=text, language=language, suggestions=examples)

    @staticmethod
    def _missing(choice: Choice) -> QueryAnswer:
        language = choice.language
        parameter = choice.query.parameters[choice.missing[0]]
        example = _example(choice.query, language)
        text = texts.MISSING[language].format(name=text_in(parameter.description, language), example=example)
        return QueryAnswer(outcome=Outcome.MISSING_VALUE, text=text, language=language, suggestions=(example,))

    # --- as tools of a model ------------------------------------------------------------------------------------------

    def describe(self) -> list[ToolSpec]:
        """A tool for each declared query and, where the project allows it, one for a SELECT of the model's own."""
        tools = [
            ToolSpec(
                name=query.name, description=text_in(query.description, DEFAULT_LANGUAGE), parameters=schema_of(query)
            )
            for query in self.definition.queries
        ]
        return [*tools, self._select_tool()] if self.definition.may_write_select else tools

    def run(
        self,
        name: str,
        arguments: Mapping[str, Any] | None,
        *,
        asker: Asker,
        deadline: Deadline,
        language: Language = DEFAULT_LANGUAGE,
    ) -> QueryResult:
        """What the tool ``name`` of :meth:`describe` returns for ``arguments``.

        Raises:
            QueryRefused: with a sentence for the model, when it may not or cannot be run.
            UpstreamError: the source could not be asked, or may not be.
            Cancelled: ``deadline`` was cancelled.
        """
        if arguments is None:
            raise QueryRefused("The arguments must be a JSON object.")
        if name == WRITTEN and self.definition.may_write_select:
            return self._run_written(arguments, language=language, asker=asker, deadline=deadline)
        if (query := self._queries.get(name)) is None:
            raise QueryRefused(f"There is no query {name[:40]!r}. There are: {', '.join(self._queries)}.")
        held = self._runner.column_values(asker=asker, deadline=deadline, query=query)
        values = values_of(query, arguments, column_values=held)
        return self._run(query, values, language=language, asker=asker, deadline=deadline)

    def _run(
        self,
        query: DeclaredQuery,
        values: Mapping[str, ParameterValue],
        *,
        language: Language,
        asker: Asker,
        deadline: Deadline,
    ) -> QueryResult:
        found = self._runner.run(self._statements[query.name], values, asker=asker, deadline=deadline)
        result = QueryResult(
            query=query.name,
            columns=found.columns,
            rows=found.rows,
            is_truncated=found.is_truncated,
            language=language,
        )
        return replace(result, sentence=sentence_for(query, result, values))

    def _run_written(
        self, arguments: Mapping[str, Any], *, language: Language, asker: Asker, deadline: Deadline
    ) -> QueryResult:
        sql = arguments.get("sql")
        if not isinstance(sql, str) or arguments.keys() != {"sql"}:
            raise QueryRefused("Give one argument, sql: a SELECT as text.")
        statement = self._fence(sql, {})
        try:
            found = self._runner.run(statement, {}, asker=asker, deadline=deadline)
        except UpstreamQueryFailed as error:
            raise QueryRefused(_why(error.sqlstate)) from None
        result = QueryResult(
            query=WRITTEN,
            columns=found.columns,
            rows=found.rows,
            is_truncated=found.is_truncated,
            language=language,
        )
        return replace(result, sentence=with_truncation(listed(result), result))

    def _select_tool(self) -> ToolSpec:
        return ToolSpec(
            name=WRITTEN,
            description=_SELECT_DESCRIPTION.format(rows=self.definition.row_limit, tables=self._tables_told()),
            parameters={
                "type": "object",
                "properties": {"sql": {"type": "string", "maxLength": MAX_SQL_CHARS}},
                "required": ["sql"],
                "additionalProperties": False,
            },
        )

    def _tables_told(self) -> str:
        """Every table with its columns, and what they hold."""
        return "\n".join(
            f"{name}: {text_in(table.description, 'en')}\n"
            + "\n".join(f"  {column}: {text_in(told, 'en')}" for column, told in table.columns.items())
            for name, table in self.definition.tables.items()
        )


_SELECT_DESCRIPTION = (
    "Run one PostgreSQL SELECT over these tables, when no other tool answers the question. No UNION, no comments, no "
    "writing; at most {rows} rows come back. Only rows that may be seen are there, so do not filter by project.\n"
    "{tables}"
)

# Classes and codes of PostgreSQL's SQLSTATE that a model can mend.
_REASONS = {
    "42803": "a column that is not in GROUP BY is neither grouped nor aggregated",
    "42P10": "with DISTINCT, ORDER BY can only name what is selected",
    "42883": "no operator or function takes values of these types",
    "42804": "values of different types are mixed",
    "22P02": "a text is no value of the type that it is compared with",
    "22008": "a date or time does not exist",
    "22007": "a date or time is not written as YYYY-MM-DD",
    "22012": "it divides by zero",
}


def _why(sqlstate: str) -> str:
    reason = _REASONS.get(sqlstate)
    return f"PostgreSQL does not run this SELECT: {reason or 'SQLSTATE ' + sqlstate}."


def _example(query: DeclaredQuery, language: Language) -> str:
    """How people ask it, with a word for each value."""
    example: str = text_in(query.examples, language)[0]
    return SLOT.sub(lambda slot: f"[{text_in(query.parameters[slot[1]].description, language)}]", example)
