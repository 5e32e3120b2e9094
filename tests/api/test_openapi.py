"""The OpenAPI document is kept as a reviewed snapshot: `make openapi` writes it, the diff is read by people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI

from maverik_backend.models import SecurityEvent
from maverik_backend.web.problems import MEDIA_TYPE

SNAPSHOT = Path(__file__).with_name("openapi.json")
DOCUMENT: dict[str, Any] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation for item in DOCUMENT["paths"].values() for operation in item.values()
}
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
PROBLEM = {"$ref": "#/components/schemas/Problema"}
# The parts of other schemas are shown in the examples of those.
ONLY_PARTS = {"Activo", "CampoInvalido", "DependenciaResponse", "OpcionResponse", "Problema"}


def errors_of(schema: dict[str, Any], example: object) -> list[str]:
    """What is wrong with ``example``; references are looked up in the document."""
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    return [error.message for error in validator.iter_errors(example)]


def problem_responses(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for response in operation["responses"].values():
        if MEDIA_TYPE in response.get("content", {}):
            yield response["content"][MEDIA_TYPE]


def test_the_document_is_the_reviewed_one(app: FastAPI, request: pytest.FixtureRequest) -> None:
    document = json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"
    if request.config.getoption("--write-openapi"):
        SNAPSHOT.write_text(document, encoding="utf-8")

    assert document == SNAPSHOT.read_text(encoding="utf-8"), "the API changed: run `make openapi` and review the diff"


def test_operations_are_told_apart_by_their_ids() -> None:
    assert len(OPERATIONS) == sum(len(item) for item in DOCUMENT["paths"].values())


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
class TestEveryOperation:
    def test_says_what_it_does(self, operation: dict[str, Any]) -> None:
        assert operation["summary"]
        assert operation["description"]
        assert all(parameter["description"] for parameter in operation.get("parameters", ()))

    def test_says_what_it_answers(self, operation: dict[str, Any]) -> None:
        assert all(response["description"] for response in operation["responses"].values())
        assert "Successful Response" not in json.dumps(operation)

    def test_says_how_it_refuses(self, operation: dict[str, Any]) -> None:
        expected = set()
        if "servicio" not in operation["tags"]:
            expected |= {"429", "503"}
        if "security" in operation:
            expected |= {"401"}
        if "requestBody" in operation:
            expected |= {"400", "413", "415", "422"}
        if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
            expected |= {"404"}

        assert expected <= set(operation["responses"])

    def test_shows_every_problem_as_one_shape(self, operation: dict[str, Any]) -> None:
        for content in problem_responses(operation):
            assert content["schema"] == PROBLEM
            assert errors_of(PROBLEM, content["example"]) == []


@pytest.mark.parametrize("name", SCHEMAS)
class TestEverySchema:
    def test_says_what_it_is_and_what_its_parts_are(self, name: str) -> None:
        schema = SCHEMAS[name]

        assert schema["description"]
        assert [part for part, described in schema["properties"].items() if not described["description"]] == []

    def test_shows_an_example_that_it_accepts(self, name: str) -> None:
        examples = SCHEMAS[name].get("examples", [])

        assert bool(examples) is (name not in ONLY_PARTS)
        assert [errors_of(SCHEMAS[name], example) for example in examples] == [[]] * len(examples)


def test_nothing_refers_to_the_frameworks_own_errors() -> None:
    assert "HTTPValidationError" not in json.dumps(DOCUMENT)


def test_every_kind_of_event_is_listed() -> None:
    assert set(SCHEMAS["EventoResponse"]["properties"]["tipo"]["enum"]) == set(SecurityEvent)


def test_schemas_have_names_of_their_own() -> None:
    assert not [name for name in SCHEMAS if "__" in name]
