"""The OpenAPI document is kept as a reviewed snapshot: `make openapi` writes it, the diff is read by people."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI

from maverik_backend.advisor.embedded import EmbeddedAdvisor
from maverik_backend.clients.optimizer import embedded
from maverik_backend.clients.optimizer.http import HttpOptimizer
from maverik_backend.clients.rag.http import HttpAdvisor
from maverik_backend.core import passwords
from maverik_backend.models import SecurityEvent
from maverik_backend.services.assistants import data_questions, model
from maverik_backend.services.assistants.assistants import FALLBACK_ORIGIN
from maverik_backend.web.problems import MEDIA_TYPE
from tests.support.paths import OPENAPI_SNAPSHOT
from tests.support.routes import OWN_ROUTES, Route

DOCUMENT: dict[str, Any] = json.loads(OPENAPI_SNAPSHOT.read_text(encoding="utf-8"))
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation for item in DOCUMENT["paths"].values() for operation in item.values()
}
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
EXAMPLES: dict[str, dict[str, Any]] = DOCUMENT["components"]["examples"]
PROBLEM = {"$ref": "#/components/schemas/Problema"}
# The parts of other schemas are shown in the examples of those.
ONLY_PARTS = {"Activo", "CampoInvalido", "DependenciaResponse", "OpcionResponse", "Problema"}
# Pydantic's own names for limits: validators of JSON Schema pass over them.
NOT_KEYWORDS = {"ge", "gt", "le", "lt", "max_length", "min_length", "multiple_of"}


def errors_of(schema: dict[str, Any], example: object) -> list[str]:
    """What is wrong with ``example``; references are looked up in the document."""
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    return [error.message for error in validator.iter_errors(example)]


def keywords(node: object) -> Iterator[str]:
    """Every key in ``node``, at any depth; names of properties are among them."""
    if isinstance(node, dict):
        yield from node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from keywords(part)


def examples_of(operation_id: str, status: str) -> set[str]:
    """The problems that an operation shows under a status."""
    return set(OPERATIONS[operation_id]["responses"][status]["content"][MEDIA_TYPE]["examples"])


def problem_responses(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for response in operation["responses"].values():
        if MEDIA_TYPE in response.get("content", {}):
            yield response["content"][MEDIA_TYPE]


def test_the_document_is_the_reviewed_one(app: FastAPI, request: pytest.FixtureRequest) -> None:
    document = json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"
    if request.config.getoption("--write-openapi"):
        OPENAPI_SNAPSHOT.write_text(document, encoding="utf-8")

    assert document == OPENAPI_SNAPSHOT.read_text(encoding="utf-8"), (
        "the API changed: run `make openapi` and review the diff"
    )


@pytest.mark.parametrize("route", [route for route in OWN_ROUTES if route.endpoint.__name__ in OPERATIONS], ids=str)
def test_no_route_is_described_by_its_docstring(route: Route) -> None:
    # FastAPI's default: a text for developers, in English.
    docstring = inspect.getdoc(route.endpoint)

    assert OPERATIONS[route.endpoint.__name__]["description"] != docstring, "give the route a description"


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
            assert content["examples"]
            assert set(content["examples"]) <= set(EXAMPLES)

    def test_shows_problems_under_their_status(self, operation: dict[str, Any]) -> None:
        for status, response in operation["responses"].items():
            examples = response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
            assert {EXAMPLES[name]["value"]["status"] for name in examples} <= {int(status)}

    def test_shows_the_id_of_every_answer(self, operation: dict[str, Any]) -> None:
        assert all("X-Request-ID" in response["headers"] for response in operation["responses"].values())


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_every_problem_has_the_shape(example: dict[str, Any]) -> None:
    assert example["summary"]
    assert errors_of(PROBLEM, example["value"]) == []


@pytest.mark.parametrize("name", SCHEMAS)
class TestEverySchema:
    def test_says_what_it_is_and_what_its_parts_are(self, name: str) -> None:
        schema = SCHEMAS[name]

        assert schema["description"]
        assert [part for part, described in schema["properties"].items() if not described["description"]] == []

    def test_speaks_of_null_only_where_there_can_be_one(self, name: str) -> None:
        # Such a text was shared with a name that means something else.
        assert [
            part
            for part, described in SCHEMAS[name]["properties"].items()
            if re.search(r"\bnull\b", described["description"]) and errors_of(described, None)
        ] == []

    def test_names_limits_as_json_schema_does(self, name: str) -> None:
        assert not set(keywords(SCHEMAS[name])) & NOT_KEYWORDS

    def test_shows_an_example_that_it_accepts(self, name: str) -> None:
        examples = SCHEMAS[name].get("examples", [])

        assert bool(examples) is (name not in ONLY_PARTS)
        assert [errors_of(SCHEMAS[name], example) for example in examples] == [[]] * len(examples)


@pytest.mark.parametrize(
    ("operation_id", "status", "shown"),
    [
        ("create_turn", "409", {"turn-in-progress"}),
        ("create_turn", "422", {"invalid-input", "idempotency-key-reused"}),
        ("create_turn", "503", {"overloaded", "service-unavailable", "upstream-unavailable"}),
        ("retry_turn", "409", {"turn-in-progress", "nothing-to-retry"}),
        ("retry_turn", "503", {"overloaded", "service-unavailable", "upstream-unavailable"}),
        ("log_in", "401", {"wrong-credentials", "second-factor-required", "wrong-second-factor"}),
        ("refresh_token", "401", {"not-authenticated"}),
        ("get_me", "401", {"not-authenticated"}),
    ],
)
def test_every_problem_of_a_status_is_shown(operation_id: str, status: str, shown: set[str]) -> None:
    assert examples_of(operation_id, status) == shown


def test_waits_are_shown_where_they_are_told() -> None:
    told = {
        status
        for operation in OPERATIONS.values()
        for status, response in operation["responses"].items()
        if "Retry-After" in response["headers"]
    }

    assert told == {"409", "429", "503"}
    assert "Retry-After" not in OPERATIONS["get_health"]["responses"]["503"]["headers"]


def test_catalogs_show_their_etag() -> None:
    responses = OPERATIONS["get_catalogs"]["responses"]

    assert all("ETag" in responses[status]["headers"] for status in ("200", "304"))


def test_every_header_is_declared() -> None:
    shown = {name for one in OPERATIONS.values() for part in one["responses"].values() for name in part["headers"]}

    assert shown == set(DOCUMENT["components"]["headers"])


def test_every_origin_of_turns_is_listed() -> None:
    advisors = {HttpAdvisor.origin, EmbeddedAdvisor.origin, model.ORIGIN, data_questions.ORIGIN, FALLBACK_ORIGIN}

    assert set(SCHEMAS["TurnoResponse"]["properties"]["origen"]["anyOf"][0]["enum"]) == advisors


def test_every_origin_of_portfolios_is_listed() -> None:
    assert set(SCHEMAS["Portafolio"]["properties"]["origen"]["enum"]) == {HttpOptimizer.origin, embedded.ORIGIN}


def test_chosen_keys_show_their_length() -> None:
    for name in ("ClaveCambiarRequest", "ClaveRestablecerRequest"):
        chosen = SCHEMAS[name]["properties"]["clave_nueva"]
        # Of code points, as JSON Schema counts; what is counted is said in words.
        assert (chosen["minLength"], chosen["maxLength"]) == (passwords.MIN_CHARS, passwords.MAX_CODE_POINTS)
        assert f"de {passwords.MIN_CHARS} a {passwords.MAX_CHARS} caracteres" in chosen["description"]


def test_nothing_refers_to_the_frameworks_own_errors() -> None:
    assert "HTTPValidationError" not in json.dumps(DOCUMENT)


def test_every_kind_of_event_is_listed() -> None:
    assert set(SCHEMAS["EventoResponse"]["properties"]["tipo"]["enum"]) == set(SecurityEvent)


def test_schemas_have_names_of_their_own() -> None:
    assert not [name for name in SCHEMAS if "__" in name]
