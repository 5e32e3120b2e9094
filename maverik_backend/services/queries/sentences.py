"""Puts a result into words: the sentence of a definition, filled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from maverik_backend.services.queries.definition import (
    SLOT,
    DeclaredQuery,
    Language,
    ParameterType,
    ParameterValue,
    text_in,
)
from maverik_backend.services.queries.results import ColumnType, JsonValue, QueryResult, Row
from maverik_backend.texts import queries as texts
from maverik_backend.texts.format import number as spanish_number

KNOWN_WORDS = ("count", "list", "total")
"""What a sentence may name besides columns (of the first row) and parameters: how many there are, the rows in words,
and the sum of the last column."""
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
MAX_LISTED = 12
_MIN_SEPARATED = 10_000
"""Integers of columns below this have no separators: most are years, weeks and numbers of something."""
_MAX_DECIMALS = 2


def sentence_for(query: DeclaredQuery, result: QueryResult, values: Mapping[str, ParameterValue]) -> str:
    """The answer to ``query`` in the language of ``result``."""
    count = counted(result)
    sentence = text_in(query.sentence, result.language)
    template = sentence.zero if not count else sentence.one if count == 1 else sentence.many
    words = _words(query, result, values)
    return with_truncation(_filled(template, words), result)


def _filled(template: str, words: Mapping[str, str | None]) -> str:
    """``template`` with its words, without each ``[part]`` that names a parameter which has no value."""
    kept = _OPTIONAL.sub(
        lambda part: part[1] if all(words.get(name) is not None for name in SLOT.findall(part[1])) else "", template
    )
    return SLOT.sub(lambda slot: words.get(slot[1]) or "", kept)


def with_truncation(text: str, result: QueryResult) -> str:
    """``text``, and that there are more rows where there are."""
    if not result.is_truncated:
        return text
    told = texts.TRUNCATED[result.language].format(count=shown(len(result.rows), result.language))
    return f"{text} {told}".strip()


def counted(result: QueryResult) -> int | float:
    """What a result counts: its only value, where that is a number, else its rows."""
    is_one_value = len(result.rows) == 1 and len(result.columns) == 1
    if is_one_value and result.columns[0].type in {ColumnType.INTEGER, ColumnType.NUMBER}:
        value = result.rows[0][0]
        return value if isinstance(value, int | float) else 0
    return len(result.rows)


def shown(value: JsonValue | date, language: Language) -> str:
    """A value as people write it in that language."""
    if value is None:
        return texts.NO_VALUE[language]
    if isinstance(value, bool):
        return (texts.YES if value else texts.NO)[language]
    if isinstance(value, int | float):
        return _shown_number(value, language)
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y") if language == "es" else value.isoformat()
    return str(value)


def _shown_number(value: float, language: Language) -> str:
    decimals = 0 if value == int(value) else _MAX_DECIMALS
    return spanish_number(value, decimals=decimals) if language == "es" else f"{value:,.{decimals}f}"


def _words(query: DeclaredQuery, result: QueryResult, values: Mapping[str, ParameterValue]) -> dict[str, str | None]:
    """Everything that the sentences may name."""
    language = result.language
    first = result.rows[0] if result.rows else ()
    last = [row[-1] for row in result.rows if row and isinstance(row[-1], int | float)]
    return {
        **{column.name: _of_column(value, column.type, language) for column, value in zip(result.columns, first)},  # noqa: B905 - no row, no values
        **{name: _of_parameter(query.parameters[name].type, value, language) for name, value in values.items()},
        "count": shown(counted(result), language),
        "total": shown(sum(last), language),
        "list": listed(result),
    }


def _of_column(value: JsonValue, kind: ColumnType, language: Language) -> str:
    is_date = kind is ColumnType.DATE and isinstance(value, str)
    if kind is ColumnType.INTEGER and isinstance(value, int) and abs(value) < _MIN_SEPARATED:
        return str(value)
    return shown(date.fromisoformat(value) if is_date and isinstance(value, str) else value, language)


def _of_parameter(kind: ParameterType, value: ParameterValue, language: Language) -> str | None:
    if value is None:
        return None
    if kind is ParameterType.MONTH and isinstance(value, int):
        return texts.MONTHS[language][value - 1]
    if kind is ParameterType.INTEGER:
        return str(value)  # a year or a week has no separators
    return shown(value, language)


def listed(result: QueryResult) -> str:
    """The rows in words: the last column after a colon, the others before it; at most :data:`MAX_LISTED` of them."""
    language = result.language
    parts = [_listed_row(row, result) for row in result.rows[:MAX_LISTED]]
    if (left := len(result.rows) - len(parts)) > 0:
        parts.append(texts.MORE[language].format(count=left))
    if len(parts) < 2:  # noqa: PLR2004 - nothing to join
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {texts.AND[language]} {parts[-1]}"


def _listed_row(row: Row, result: QueryResult) -> str:
    told = [_of_column(value, column.type, result.language) for column, value in zip(result.columns, row, strict=True)]
    return told[0] if len(told) == 1 else f"{' / '.join(told[:-1])}: {told[-1]}"
