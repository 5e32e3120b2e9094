"""Every text of a request is bounded before anything is done with it: read off the schemas, not off examples.

The walk follows what Pydantic runs, step by step. A field or parameter passes when the first step that sees the raw
text bounds it, so a limit behind a validator (``Annotated[str, AfterValidator(...), Field(max_length=9)]``) does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, TypeAdapter, model_validator

from maverik_backend.schemas.base import MAX_TEXT_CHARS, AtMost, CutTo, Id, Request, Text, Whole
from maverik_backend.web.middleware.body_limit import MAX_BYTES, OF_ROUTES

MAX_BYTES_OF_A_CHARACTER = 12  # two escaped surrogates
# What a value can be besides a text, or compared with as it is.
_NO_TEXT = {"none", "bool", "literal", "enum"}
_WITH_ONE_INSIDE = {"default", "nullable", "model", "function-after"}

Schema = dict[str, Any]


def unbounded(schema: Schema, name: str) -> list[str]:
    """The parts of ``schema`` that can be reached by a text of any length."""
    definitions = {one["ref"]: one for one in schema.get("definitions", ())}
    return [part for part, first in _first_steps(schema, name, None, definitions) if not _is_bound(first)]


def _is_bound(step: object) -> bool:
    if isinstance(step, dict):
        return step["type"] in _NO_TEXT or (step["type"] == "str" and step.get("max_length", 10**9) <= MAX_TEXT_CHARS)
    return isinstance(step, AtMost | CutTo)


def _first_steps(
    schema: Schema, name: str, first: object, definitions: dict[str, Schema]
) -> Iterator[tuple[str, object]]:
    """For each value inside ``schema``: its name, and the first function that sees it, or its own schema."""
    kind = schema["type"]
    if kind in {"definitions", *_WITH_ONE_INSIDE}:
        yield from _first_steps(schema["schema"], name, first, definitions)
    elif kind == "definition-ref":
        yield from _first_steps(definitions[schema["schema_ref"]], name, first, definitions)
    elif kind in {"function-before", "function-wrap"}:
        yield from _first_steps(schema["schema"], name, first or schema["function"]["function"], definitions)
    elif kind == "chain":
        yield from _first_steps(schema["steps"][0], name, first, definitions)
    elif kind == "union":
        for choice in schema["choices"]:
            yield from _first_steps(choice[0] if isinstance(choice, tuple) else choice, name, first, definitions)
    elif kind == "model-fields":
        for field, inside in schema["fields"].items():
            yield from _first_steps(inside["schema"], f"{name}.{field}", first, definitions)
    else:
        yield name, first or schema


def api_routes(app: FastAPI) -> list[APIRoute]:
    found = [context.original_route for context in iter_route_contexts(app.routes)]
    return [route for route in found if isinstance(route, APIRoute)]


def parameters(app: FastAPI) -> Iterator[tuple[str, str, Schema]]:
    """Everything that a request to any route can hold: the route's name, what and where it is, its schema."""
    for route in api_routes(app):
        yield from ((route.name, name, schema) for name, schema in _parameters_of(route.dependant))


def _parameters_of(dependant: Dependant) -> Iterator[tuple[str, Schema]]:
    for place in ("path", "query", "header", "cookie", "body"):
        for field in getattr(dependant, f"{place}_params"):
            annotated: Any = Annotated[(field.field_info.annotation, field.field_info)]
            yield f"{place} {field.name}", dict(TypeAdapter(annotated).core_schema)
    for inside in dependant.dependencies:
        yield from _parameters_of(inside)


def all_requests(kind: type[BaseModel] = Request) -> Iterator[type[BaseModel]]:
    for shape in kind.__subclasses__():
        yield shape
        yield from all_requests(shape)


def test_every_parameter_of_every_route_is_bounded_first(app: FastAPI) -> None:
    found = list(parameters(app))

    assert {(route, name) for route, name, _ in found} >= {
        *(("create_turn", "body body"), ("create_turn", "header idempotency_key"), ("create_turn", "path session_id")),
        *(("get_sessions", "query before"), ("log_in", "body body")),
    }
    assert [f"{route}: {part}" for route, name, schema in found for part in unbounded(schema, name)] == []


def test_every_field_of_every_request_is_bounded_first() -> None:
    shapes = list(all_requests())

    assert len(shapes) >= 10
    assert [part for shape in shapes for part in unbounded(dict(shape.__pydantic_core_schema__), shape.__name__)] == []


@pytest.mark.parametrize(
    "annotation",
    [
        str,
        str | None,
        int,
        date,
        Decimal,
        Any,
        list[str],
        Annotated[str, AfterValidator(str.strip), Field(max_length=9)],
        Annotated[str, BeforeValidator(str), Field(max_length=9)],
        Annotated[str, Field(max_length=MAX_TEXT_CHARS + 1)],
        Annotated[int, BeforeValidator(AtMost(9)), BeforeValidator(str)],
        Annotated[Whole, BeforeValidator(str)],
    ],
)
def test_a_field_without_a_bound_before_all_else_is_found(annotation: Any) -> None:
    assert unbounded(dict(TypeAdapter(annotation).core_schema), "campo") == ["campo"]


def test_so_is_one_that_its_model_works_on_first() -> None:
    class Wrong(BaseModel):
        campo: Annotated[str, Text(max_chars=9)]

        @model_validator(mode="before")
        @classmethod
        def work(cls, data: Any) -> Any:
            return data

    assert unbounded(dict(Wrong.__pydantic_core_schema__), "Wrong") == ["Wrong.campo"]


@pytest.mark.parametrize("annotation", [Annotated[str, Text(max_chars=9)], Whole, Id, Id | None, bool])
def test_one_with_such_a_bound_is_not(annotation: Any) -> None:
    assert unbounded(dict(TypeAdapter(annotation).core_schema), "campo") == []


def test_routes_with_a_limit_of_their_own_exist(app: FastAPI) -> None:
    assert {route.name for route in api_routes(app)} >= set(OF_ROUTES)


def test_every_text_within_its_length_fits_into_a_body(app: FastAPI) -> None:
    longest = {
        route: _longest_chars(schema) * MAX_BYTES_OF_A_CHARACTER
        for route, name, schema in parameters(app)
        if name.startswith("body")
    }

    assert {route: size for route, size in longest.items() if size > OF_ROUTES.get(route, MAX_BYTES)} == {}


def _longest_chars(schema: Schema) -> int:
    """The lengths of all texts in ``schema``, added up."""
    definitions = {one["ref"]: one for one in schema.get("definitions", ())}
    firsts = [first for _, first in _first_steps(schema, "", None, definitions)]
    return sum(first["max_length"] for first in firsts if isinstance(first, dict) and first["type"] == "str")
