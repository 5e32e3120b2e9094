"""The OpenAPI document: FastAPI's own, with our problems in place of its validation errors."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from maverik_backend.schemas.problem import Problema
from maverik_backend.texts import openapi as texts

_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")
_REF = "#/components/schemas/{model}"


def operation_id(route: APIRoute) -> str:
    """The route function's name: what generated clients call the operation."""
    return route.name


def install(app: FastAPI) -> None:
    """Give ``app`` its document, made when it is first asked for."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # the extension point that FastAPI documents


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=texts.DESCRIPTION, routes=app.routes)
    schemas = document["components"]["schemas"]
    for name in _FRAMEWORK_SCHEMAS:
        schemas.pop(name, None)
    problem = Problema.model_json_schema(ref_template=_REF)
    schemas.update(problem.pop("$defs"))
    schemas[Problema.__name__] = problem
    for path in document["paths"].values():
        for operation in path.values():
            _drop_framework_errors(operation["responses"])
    return document


def _drop_framework_errors(responses: dict[str, Any]) -> None:
    """Where a route declares no 422 of ours, FastAPI declares its own; such a route answers 404 (web/problems.py)."""
    schema = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").endswith(_FRAMEWORK_SCHEMAS[0]):
        del responses["422"]
