"""What a query returned: typed rows that JSON can hold, in the order of the statement's columns."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum

from maverik_backend.services.queries.definition import Language

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]

MAX_CELL_CHARS = 10_000
MAX_RESULT_CHARS = 2_000_000
MAX_MODEL_ROWS = 50
MAX_MODEL_CHARS = 8000
_EXACT_INTEGER = 2**53
"""From here on JavaScript's numbers, and Python's floats, skip some integers."""


class ColumnType(StrEnum):
    """What the values of a column are in JSON; dates and times are ISO 8601 texts."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    JSON = "json"


# Of PostgreSQL's types (catalogue pg_type); every other one is told as text.
_TYPES = {
    16: ColumnType.BOOLEAN,
    20: ColumnType.INTEGER,
    21: ColumnType.INTEGER,
    23: ColumnType.INTEGER,
    700: ColumnType.NUMBER,
    701: ColumnType.NUMBER,
    1700: ColumnType.NUMBER,
    1082: ColumnType.DATE,
    1114: ColumnType.DATETIME,
    1184: ColumnType.DATETIME,
    114: ColumnType.JSON,
    3802: ColumnType.JSON,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result; no two have one name."""

    name: str
    type: ColumnType


Row = tuple[JsonValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """What a declared query, or a SELECT of a model (``query`` is :data:`WRITTEN` then), returned.

    ``is_truncated``: there are more rows than these. ``sentence`` answers in words, that included.
    """

    query: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    is_truncated: bool
    language: Language
    sentence: str = field(default="")

    def records(self) -> list[dict[str, JsonValue]]:
        """The rows as objects whose members are in the order of the columns; empty when nothing was found."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def for_model(self) -> dict[str, JsonValue]:
        """What a model is told, as JSON: columns, the rows that fit in :data:`MAX_MODEL_CHARS`, how many there are."""
        rows = [list(row) for row in self.rows[:MAX_MODEL_ROWS]]
        while rows and (chars := len(json.dumps(self._told(rows), ensure_ascii=False))) > MAX_MODEL_CHARS:
            del rows[len(rows) // 2 if chars > 2 * MAX_MODEL_CHARS else -1 :]
        return self._told(rows)

    def _told(self, rows: list[list[JsonValue]]) -> dict[str, JsonValue]:
        return {
            "columns": [column.name for column in self.columns],
            "rows": [*rows],
            "rows_found": len(self.rows),
            "is_truncated": self.is_truncated or len(rows) < len(self.rows),
            "answer": self.sentence,
        }


WRITTEN = "write_select"
"""The tool with which a model writes a SELECT itself."""


def columns_of(description: Sequence[tuple[str, int]]) -> tuple[Column, ...]:
    """The columns from the names and types (OIDs) that the database tells; a name that is there again is numbered."""
    columns: list[Column] = []
    taken: set[str] = set()
    for name, oid in description:
        free = name
        number = 2
        while free in taken:
            free, number = f"{name}_{number}", number + 1
        taken.add(free)
        columns.append(Column(free, _TYPES.get(oid, ColumnType.TEXT)))
    return tuple(columns)


def rows_of(found: Sequence[Sequence[object]]) -> tuple[Row, ...]:
    """The rows as JSON can hold them, up to :data:`MAX_RESULT_CHARS` of text."""
    rows: list[Row] = []
    chars = 0
    for values in found:
        row = tuple(_json_value(value) for value in values)
        chars += sum(len(str(value)) for value in row)
        if chars > MAX_RESULT_CHARS:
            break
        rows.append(row)
    return tuple(rows)


def _json_value(value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Decimal | float):
        return _number(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _json_value(item) for name, item in value.items()}
    return str(value)[:MAX_CELL_CHARS]


def _number(value: Decimal | float) -> float | None:
    """The number, as an integer where it is one; JSON has neither NaN nor infinity."""
    if not math.isfinite(value):
        return None
    if -_EXACT_INTEGER < value < _EXACT_INTEGER and value == int(value):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None
