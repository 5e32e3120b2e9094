"""Reads a definition, and says everything that is wrong with it: a sentence for each fault."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from maverik_backend.errors import QueryRefused, SettingsError
from maverik_backend.services.queries.definition import (
    SLOT,
    SQL_TYPES,
    DeclaredQuery,
    Definition,
    Parameter,
    ParameterType,
)
from maverik_backend.services.queries.results import WRITTEN
from maverik_backend.services.queries.sentences import KNOWN_WORDS
from maverik_backend.services.queries.statement import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDefinition:
    """A definition without faults, and the statements of its declared queries by name.

    ``value_statements`` list what the columns hold that parameters take their values from, by ``table.column``.
    """

    definition: Definition
    statements: Mapping[str, Statement]
    value_statements: Mapping[str, Statement]


class Fence:
    """Holds SQL against the tables and columns of one definition."""

    def __init__(self, definition: Definition) -> None:
        from maverik_backend.services.queries import fence  # noqa: PLC0415 - 0.1 s, for who has questions to data only

        tables = {name: tuple(table.columns) for name, table in definition.tables.items()}
        self._fence = fence
        self._readable = fence.Readable(schema=definition.database_schema, tables=tables)

    def __call__(self, sql: str, types: Mapping[str, str]) -> Statement:
        """``sql`` with parameters of ``types`` as a statement that may be run.

        Raises:
            QueryRefused: with one English sentence on what is not possible.
        """
        return self._fence.fenced(sql, readable=self._readable, parameters=types)


def read(part: Mapping[str, Any]) -> ReadDefinition:
    """The definition that ``part`` of an assistant's file holds.

    Raises:
        SettingsError: with one English sentence for each fault.
    """
    try:
        definition = Definition.model_validate(part)
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
        raise SettingsError([_sentence(detail) for detail in details]) from None
    problems = [*_name_problems(definition), *_problems(definition)]
    fence = Fence(definition)
    statements = dict(_fenced_all(definition, fence, problems))
    value_statements = dict(_value_statements(definition, fence, problems))
    if problems:
        raise SettingsError(problems)
    return ReadDefinition(definition=definition, statements=statements, value_statements=value_statements)


def _sentence(detail: ErrorDetails) -> str:
    """Where it is, as in the file, and what pydantic says about it."""
    where = ".".join(str(place) for place in detail["loc"] if place != "[key]")
    reason = detail["msg"].rstrip(".")
    return f"{where} cannot be used: {reason[:1].lower()}{reason[1:]}."


def _name_problems(definition: Definition) -> Iterator[str]:
    counted = Counter(query.name for query in definition.queries)
    yield from (f"queries: {name} is declared {count} times." for name, count in counted.items() if count > 1)
    if WRITTEN in counted:
        yield f"queries: {WRITTEN} is the name of the tool that writes a SELECT."
    if not definition.queries and not definition.may_write_select:
        yield "queries: declare at least one query, or set may_write_select = true."


def _problems(definition: Definition) -> Iterator[str]:
    for query in definition.queries:
        for name, parameter in query.parameters.items():
            where = f"queries.{query.name}.parameters.{name}"
            yield from (f"{where}: {problem}" for problem in _parameter_problems(parameter, definition))
        for example in (example for examples in query.examples.values() for example in examples):
            unknown = set(SLOT.findall(example)) - query.parameters.keys()
            yield from (f"queries.{query.name}.examples: {{{name}}} is no parameter." for name in sorted(unknown))
        if missing := query.examples.keys() - query.sentence.keys():
            yield f"queries.{query.name}.sentence: there is none in {', '.join(sorted(missing))}, as examples are."


def _parameter_problems(parameter: Parameter, definition: Definition) -> Iterator[str]:
    is_choice = parameter.type is ParameterType.CHOICE
    if is_choice and not parameter.values and not parameter.values_from:
        yield "a choice needs values or values_from."
    if not is_choice and (parameter.values or parameter.values_from):
        yield f"values are of choices only, and this is of type {parameter.type}."
    if parameter.values_from:
        table, _, column = parameter.values_from.partition(".")
        if table not in definition.tables or column not in definition.tables[table].columns:
            yield f"values_from names {parameter.values_from}, which is none of the tables and columns."
    if parameter.pattern is not None and parameter.type is not ParameterType.TEXT:
        yield "a pattern is of texts only."
    if parameter.pattern is not None and not _is_expression(parameter.pattern):
        yield "its pattern is no regular expression."
    if parameter.type not in {ParameterType.INTEGER, ParameterType.NUMBER} and (parameter.min, parameter.max) != (
        None,
        None,
    ):
        yield "min and max are of numbers only."


def _is_expression(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _fenced_all(definition: Definition, fence: Fence, problems: list[str]) -> Iterator[tuple[str, Statement]]:
    """The statement of each declared query; what is wrong is added to ``problems``."""
    for query in definition.queries:
        types = {name: SQL_TYPES[parameter.type] for name, parameter in query.parameters.items()}
        try:
            statement = fence(query.sql, types)
        except QueryRefused as error:
            problems.append(f"queries.{query.name}.sql: {error}")
            continue
        yield query.name, statement
        problems += _statement_problems(query, statement)


def _statement_problems(query: DeclaredQuery, statement: Statement) -> Iterator[str]:
    """What does not fit together: parameters and columns of the statement, and the words of its sentences."""
    unused = query.parameters.keys() - set(statement.parameters)
    yield from (f"queries.{query.name}.parameters.{name}: the SQL does not use it." for name in sorted(unused))
    if len(set(statement.columns)) < len(statement.columns):
        yield f"queries.{query.name}.sql: two of its columns have one name."
    known = {*KNOWN_WORDS, *query.parameters, *statement.columns}
    for language, sentence in query.sentence.items():
        used = set(SLOT.findall(f"{sentence.zero} {sentence.one} {sentence.many}"))
        yield from (
            f"queries.{query.name}.sentence.{language}: {{{word}}} is no column, parameter or {', '.join(KNOWN_WORDS)}."
            for word in sorted(used - known)
        )


def _value_statements(definition: Definition, fence: Fence, problems: list[str]) -> Iterator[tuple[str, Statement]]:
    places = {
        parameter.values_from
        for query in definition.queries
        for parameter in query.parameters.values()
        if parameter.values_from
    }
    for place in sorted(places):
        table, _, column = place.partition(".")
        try:
            sql = f'SELECT DISTINCT "{column}" FROM "{table}" ORDER BY 1'  # noqa: S608 - it goes through the fence
            yield place, fence(sql, {})
        except QueryRefused as error:
            problems.append(f"values_from {place}: {error}")
