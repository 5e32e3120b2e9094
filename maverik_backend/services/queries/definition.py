"""What people may ask of a project's data: the part of an assistant's definition that is read from its file.

docs/ASSISTANTS.md explains every field to the author of such a file. A text may be given once, which is then Spanish,
or by language (``{es = "...", en = "..."}``); the language of an answer is that of the example that fits the question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Language = Literal["es", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_LANGUAGE: Language = "es"

MAX_SQL_CHARS = 4000
MAX_ROWS = 5000
MAX_TIMEOUT_S = 30.0
MAX_QUERIES = 200
MAX_EXAMPLES = 200
MAX_CHOICES = 500

_NAME = r"^[a-z][a-z0-9_]{0,62}$"
Name = Annotated[str, Field(pattern=_NAME)]
SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""Where a parameter's value stands in an example or a sentence."""


def _by_language(value: object) -> object:
    return value if isinstance(value, dict) else {DEFAULT_LANGUAGE: value}


Texts = Annotated[
    dict[Language, Annotated[str, Field(min_length=1, max_length=2000)]],
    BeforeValidator(_by_language),
    Field(min_length=1),
]
"""A text by language."""


def text_in(texts: Mapping[Language, Any], language: Language) -> Any:  # noqa: ANN401 - a text, or what has texts
    """Of ``texts`` that of ``language``, or the first there is."""
    return texts.get(language, next(iter(texts.values())))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Table(_Part):
    """A table or view that may be asked about."""

    description: Texts
    columns: dict[Annotated[str, Field(min_length=1, max_length=63)], Texts] = Field(min_length=1)
    """By name: what it holds. Columns that are not here do not exist for people and models."""


class ParameterType(StrEnum):
    """What a parameter's values are, and how they are found in a question."""

    TEXT = "text"
    """Between quotation marks, or a word that fits ``pattern``."""
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    MONTH = "month"
    """1 to 12; people write its name."""
    CHOICE = "choice"
    """One of ``values``, or of what the column ``values_from`` holds."""


SQL_TYPES = {
    ParameterType.TEXT: "text",
    ParameterType.INTEGER: "bigint",
    ParameterType.NUMBER: "numeric",
    ParameterType.DATE: "date",
    ParameterType.MONTH: "integer",
    ParameterType.CHOICE: "text",
}
_MONTHS = 12


def _values(value: object) -> object:
    """A list of values is a table of values without other words for them."""
    return {item: [] for item in value} if isinstance(value, list) else value


class Parameter(_Part):
    """A value that a declared query needs."""

    type: ParameterType
    description: Texts
    required: bool = True
    """One that is not is NULL when a question has none."""
    min: float | None = None
    max: float | None = None
    """Of numbers. Where a question has several, they tell which belongs to which parameter."""
    pattern: Annotated[str, Field(max_length=200)] | None = None
    """Regular expression that a text's word fits as a whole, without regard to case."""
    values: Annotated[
        dict[Annotated[str, Field(min_length=1, max_length=200)], list[Annotated[str, Field(min_length=1)]]],
        BeforeValidator(_values),
        Field(max_length=MAX_CHOICES),
    ] = Field(default_factory=dict)
    """By value as the data has it: other words for it."""
    values_from: Annotated[str, Field(pattern=r"^[^.\s]+\.[^.\s]+$")] | None = None
    """``table.column``: the values are what it holds, as far as who asks may see it."""

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """What a number lies between."""
        return (1, _MONTHS) if self.type is ParameterType.MONTH else (self.min, self.max)


class Sentence(_Part):
    """What to answer, by how many there are; texts as in :data:`SLOT`: ``{count}``, ``{list}``, a column, a parameter.

    The count is the number itself when the query returns a single one, else that of its rows.
    """

    zero: Annotated[str, Field(min_length=1, max_length=1000)]
    one: Annotated[str, Field(min_length=1, max_length=1000)]
    many: Annotated[str, Field(min_length=1, max_length=1000)]


class DeclaredQuery(_Part):
    """A question that people ask often, with the SQL that answers it."""

    name: Name
    description: Texts
    sql: Annotated[str, Field(min_length=1, max_length=MAX_SQL_CHARS)]
    examples: Annotated[
        dict[Language, Annotated[list[Annotated[str, Field(min_length=2, max_length=300)]], Field(min_length=1)]],
        BeforeValidator(_by_language),
        Field(min_length=1),
    ]
    parameters: dict[Name, Parameter] = Field(default_factory=dict)
    sentence: dict[Language, Sentence] = Field(min_length=1)


class Definition(_Part):
    """Everything that may be asked of one data source by the assistants of one project."""

    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    """``DATA_SOURCE_<NAME>_URL``, in lower case."""
    database_schema: Annotated[str, Field(alias="schema", min_length=1, max_length=63)] = "public"
    rows: Literal["bound", "all"] = "bound"
    """Whose rows are read: ``bound`` demands row-level security (or views) that reads ``app.project_id``, or the role;
    ``all`` says that all rows of the database belong to the project."""
    may_write_select: bool = False
    """Whether a model may write a SELECT of its own."""
    row_limit: int = Field(default=500, ge=1, le=MAX_ROWS)
    timeout_s: float = Field(default=5.0, ge=0.1, le=MAX_TIMEOUT_S)
    tables: dict[Annotated[str, Field(min_length=1, max_length=63)], Table] = Field(min_length=1)
    synonyms: list[Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=2)]] = Field(
        default_factory=list
    )
    """Words that mean the same in every question."""
    queries: list[DeclaredQuery] = Field(default_factory=list, max_length=MAX_QUERIES)


ParameterValue = str | int | float | date | None
