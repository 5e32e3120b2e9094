"""docs/GLOSSARY.md explains the Spanish words in the names that the database and the API have, and no others."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from maverik_backend import models
from maverik_backend.models import Base
from tests.support.paths import OPENAPI_SNAPSHOT, ROOT

# The words of names and values that are English, or the same in both languages.
ENGLISH = frozenset(
    [
        "access",
        "backlog",
        "before",
        "bold",
        "chat",
        "conservative",
        "degraded",
        "dependencies",
        "detail",
        "docs",
        "document",
        "email",
        "error",
        "expires",
        "factor",
        "hash",
        "healthy",
        "id",
        "idempotency",
        "if",
        "in",
        "input",
        "key",
        "latency",
        "limit",
        "login",
        "markdown",
        "match",
        "moderate",
        "ms",
        "name",
        "none",
        "not",
        "output",
        "ready",
        "refresh",
        "s",
        "service",
        "session",
        "slug",
        "status",
        "title",
        "token",
        "tokens",
        "turn",
        "type",
        "unhealthy",
        "uptime",
        "uri",
        "url",
        "user",
        "vector",
        "version",
    ]
)
DOCUMENT: dict[str, Any] = json.loads(OPENAPI_SNAPSHOT.read_text(encoding="utf-8"))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
SECTIONS = (ROOT / "docs" / "GLOSSARY.md").read_text(encoding="utf-8").split("\n## ")


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of the table under ``heading`` by their first one, which stands there once."""
    (section,) = [section for section in SECTIONS if section.startswith(heading)]
    lines = [re.findall(r"[^|]+", line) for line in section.splitlines() if line.startswith("| ")][1:]
    found = {cells[0].strip(" `"): [cell.strip() for cell in cells[1:]] for cells in lines}
    assert len(found) == len(lines), "a word stands there twice"
    return found


def columns_and_fields() -> Iterator[str]:
    for table in Base.metadata.tables.values():
        yield from (f"{table.name}.{column.name}" for column in table.columns)
    for schema, described in SCHEMAS.items():
        yield from (f"{schema}.{name}" for name in described.get("properties", {}))


def parameters() -> Iterator[str]:
    operations = (operation for item in DOCUMENT["paths"].values() for operation in item.values())
    return (parameter["name"].lower() for operation in operations for parameter in operation.get("parameters", ()))


def words() -> dict[str, set[str]]:
    """The columns and fields whose names have each word; tables and parameters have words, too."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name in columns_and_fields():
        for word in name.partition(".")[2].split("_"):
            found[word].add(name)
    for name in (*Base.metadata.tables, *parameters()):
        for word in re.split("[_-]", name):
            found[word].add(name)
    return found


def values() -> dict[str, set[str]]:
    """The enumerations and fields that each value is one of. Names of problems are English by contract."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for kind in vars(models).values():
        for member in kind if isinstance(kind, type) and issubclass(kind, StrEnum) else ():
            found[str(member.value)].add(kind.__name__)
    for schema in SCHEMAS.keys() - {"Problema"}:
        for name, part in SCHEMAS[schema].get("properties", {}).items():
            for value in part.get("enum", ()):
                found[value].add(f"{schema}.{name}")
    return found


def test_every_table_stands_there() -> None:
    assert rows("Tables").keys() == Base.metadata.tables.keys()


def test_every_word_that_is_not_english_stands_there_and_no_other() -> None:
    assert rows("Words").keys() == words().keys() - ENGLISH


def test_every_value_that_is_not_english_stands_there_and_no_other() -> None:
    assert rows("Values").keys() == {value for value in values() if not ENGLISH.issuperset(re.split("[_ ]", value))}


def test_words_are_shown_where_they_are() -> None:
    known = words()

    for word, (_meaning, places) in rows("Words").items():
        assert set(re.findall(r"`([^`]+)`", places)) <= known[word], word


def test_values_are_shown_where_they_are() -> None:
    known = values()

    for value, (_meaning, places) in rows("Values").items():
        assert set(re.findall(r"`([^`]+)`", places)) <= known[value], value


def test_english_words_are_used() -> None:
    used = {*words(), *(word for value in values() for word in re.split("[_ ]", value))}

    assert used >= ENGLISH
