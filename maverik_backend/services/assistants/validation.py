"""What is wrong with definitions beyond their own fields: one English sentence for each fault."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from maverik_backend.errors import SettingsError
from maverik_backend.services.assistants.context import CONTEXT_SOURCES
from maverik_backend.services.assistants.definition import Definition, Kind
from maverik_backend.services.assistants.library import Definitions
from maverik_backend.services.assistants.prompts import unknown_variables
from maverik_backend.services.assistants.tools import TOOLS
from maverik_backend.services.queries import read

# Fields that only a model has a use for.
_OF_MODELS = (
    "model", "instructions", "tools", "collections", "context", "temperature", "max_output_tokens", "output_schema",
    "history",
)  # fmt: skip
_KINDS_WITH_QUERIES = (Kind.QUERIES, Kind.MODEL)


def faults(definitions: Definitions) -> Iterator[str]:
    """A sentence for each fault, in order of slug."""
    for slug, definition in sorted(definitions.items()):
        for sentence in _faults_of(definition, definitions):
            yield f"{slug}.toml: {sentence}"


def _faults_of(definition: Definition, definitions: Definitions) -> Iterator[str]:
    if definition.kind is Kind.MODEL:
        yield from _faults_of_model(definition)
    elif unused := sorted(definition.model_fields_set.intersection(_OF_MODELS)):
        yield f'{", ".join(unused)}: only assistants of kind "model" have these fields.'
    yield from _faults_of_queries(definition)
    if definition.fallback is not None:
        yield from _faults_of_fallback(definition, definitions)


def _faults_of_model(definition: Definition) -> Iterator[str]:
    if not definition.instructions:
        yield "instructions must name a file with text."
    for name in unknown_variables(definition.instructions):
        yield f"instructions: nothing fills in the variable ${name}; there is $assistant."
    yield from _unknown("tools", definition.tools, known=TOOLS)
    yield from _unknown("context", definition.context, known=CONTEXT_SOURCES)


def _faults_of_queries(definition: Definition) -> Iterator[str]:
    if definition.kind is Kind.QUERIES and definition.queries is None:
        yield "queries must say what may be asked."
    if definition.queries is None:
        return
    if definition.kind not in _KINDS_WITH_QUERIES:
        yield 'queries: only assistants of the kinds "queries" and "model" have them.'
    try:
        read(definition.queries)
    except SettingsError as error:
        for problem in error.problems:
            yield f"queries: {problem}"


def _unknown(field: str, names: Collection[str], *, known: Collection[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f'{field}: there is no "{name}"; there is {", ".join(sorted(known))}.'


def _faults_of_fallback(definition: Definition, definitions: Definitions) -> Iterator[str]:
    """It must exist, and following fallbacks must come to an end."""
    seen = [definition.slug]
    while (slug := definition.fallback) is not None:
        if slug not in definitions:
            yield f'fallback: there is no assistant "{slug}".'
            return
        if slug in seen:
            yield f"fallback: {' -> '.join([*seen, slug])} goes round in a circle."
            return
        seen.append(slug)
        definition = definitions[slug]
