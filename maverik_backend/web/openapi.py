"""The OpenAPI document: FastAPI's own, with our problems, Spanish texts and examples.

Routes declare what only they can answer; what follows from their shape (a body, a path, a token, being counted) is
added here, in :func:`_problems_of`, and so is the header that every answer has. A test refuses a document in which
anything lacks its text (tests/api/test_openapi.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from maverik_backend import errors
from maverik_backend.schemas.problem import Problema
from maverik_backend.texts import openapi as texts
from maverik_backend.texts.openapi_examples import EXAMPLES
from maverik_backend.web import problems
from maverik_backend.web.middleware import request_log
from maverik_backend.web.problems import Problem

_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")
_REF = "#/components/schemas/{model}"
_EXAMPLE_REF = "#/components/examples/{name}"
_HEADER_REF = "#/components/headers/{name}"
_NOT_COUNTED = "servicio"  # the tag of what web/middleware/address_limit.py leaves out
# The last one when the counters are kept in a storage of their own, and that does not answer.
_OF_WHAT_IS_COUNTED = (errors.TooManyTries, errors.DatabaseUnavailable, errors.UpstreamError)

Node = dict[str, Any]


def operation_id(route: APIRoute) -> str:
    """The route function's name: what generated clients call the operation."""
    return route.name


def responses_of(*refused: Problem) -> dict[int | str, Node]:
    """How the document shows answers with these problems: by status, each with an example of every one that has it."""
    responses: dict[int | str, Node] = {}
    for problem in refused:
        _add(responses, problem)
    return responses


def headers_of(*names: str) -> Node:
    """How the document shows that an answer has these headers."""
    return {name: {"$ref": _HEADER_REF.format(name=name)} for name in names}


def _add(responses: dict[int | str, Node], problem: Problem) -> None:
    """Show ``problem`` under its status, beside those that are there already."""
    content = {"schema": {"$ref": _REF.format(model=Problema.__name__)}, "examples": {}}
    empty = {"description": "", "content": {problems.MEDIA_TYPE: content}}
    response = responses.setdefault(str(problem.status), empty)
    examples = response["content"][problems.MEDIA_TYPE]["examples"]
    if problem.slug not in examples:
        examples[problem.slug] = {"$ref": _EXAMPLE_REF.format(name=problem.slug)}
        response["description"] = " / ".join(filter(None, (response["description"], problem.text.title)))
    if names := problems.header_names(problem):
        response.setdefault("headers", {}).update(headers_of(*names))


def install(app: FastAPI) -> None:
    """Give ``app`` its document, made when it is first asked for."""

    def openapi() -> Node:
        if not app.openapi_schema:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # the extension point that FastAPI documents


def _document(app: FastAPI) -> Node:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=texts.DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in texts.TAGS.items()],
    )
    document["components"]["schemas"] = _schemas(document["components"]["schemas"])
    document["components"]["headers"] = texts.HEADERS
    document["components"]["examples"] = {
        problem.slug: {"summary": problem.text.title, "value": problems.body_of(problem)}
        for problem in problems.by_name().values()
    }
    for path in document["paths"].values():
        for operation in path.values():
            _complete(operation)
    return document


def _schemas(found: dict[str, Node]) -> dict[str, Node]:
    """The schemas of the routes and of problems, without the framework's, with their texts and examples."""
    problem = Problema.model_json_schema(ref_template=_REF)
    schemas = {name: schema for name, schema in found.items() if name not in _FRAMEWORK_SCHEMAS}
    schemas |= {**problem.pop("$defs"), Problema.__name__: problem}
    problem["properties"]["error"]["enum"] = list(problems.by_name())
    for name, schema in schemas.items():
        schema["description"] = texts.SCHEMAS.get(name, "")
        if name in EXAMPLES:
            schema["examples"] = [EXAMPLES[name]]
        for property_name, part in schema["properties"].items():
            part.setdefault("description", texts.NAMES.get(property_name, ""))
    return schemas


def _complete(operation: Node) -> None:
    for parameter in operation.get("parameters", ()):
        parameter.setdefault("description", texts.NAMES.get(parameter["name"], ""))
    responses = operation["responses"]
    _drop_framework_errors(responses)
    for response in responses.values():
        if response["description"] == "Successful Response":
            response["description"] = texts.DONE
    for problem in _problems_of(operation):
        _add(responses, problem)
    for response in responses.values():
        response["headers"] = {**headers_of(request_log.HEADER), **response.get("headers", {})}
    operation["responses"] = dict(sorted(responses.items()))


def _problems_of(operation: Node) -> Iterator[Problem]:
    """What any route of this shape can answer."""
    locations = {parameter["in"] for parameter in operation.get("parameters", ())}
    if _NOT_COUNTED not in operation["tags"]:
        yield from (problems.PROBLEMS[kind] for kind in _OF_WHAT_IS_COUNTED)
    if "security" in operation:
        yield problems.PROBLEMS[errors.NotAuthenticated]
    if "path" in locations:
        yield problems.PROBLEMS[errors.NotFound]
    if "requestBody" in operation:
        yield from problems.OF_A_BODY
    if "requestBody" in operation or locations & {"query", "header"}:
        yield problems.PROBLEMS[errors.InvalidInput]


def _drop_framework_errors(responses: Node) -> None:
    """Where a route declares no 422 of ours, FastAPI declares its own."""
    schema = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").endswith(_FRAMEWORK_SCHEMAS[0]):
        del responses["422"]
