"""Questions to data: declared queries and fenced SELECTs over databases that can only be read (docs/decisions/0015)."""

from maverik_backend.services.queries.definition import Definition, Language
from maverik_backend.services.queries.questions import DataQuestions, Outcome, QueryAnswer
from maverik_backend.services.queries.reading import ReadDefinition, read
from maverik_backend.services.queries.results import WRITTEN, Column, ColumnType, QueryResult
from maverik_backend.services.queries.running import Asker

__all__ = [
    "WRITTEN",
    "Asker",
    "Column",
    "ColumnType",
    "DataQuestions",
    "Definition",
    "Language",
    "Outcome",
    "QueryAnswer",
    "QueryResult",
    "ReadDefinition",
    "read",
]
