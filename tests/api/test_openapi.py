"""The OpenAPI document is kept as a reviewed snapshot: `make openapi` writes it, the diff is read by people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi import FastAPI

from maverik_backend.models import SecurityEvent

SNAPSHOT = Path(__file__).with_name("openapi.json")


def test_the_document_is_the_reviewed_one(app: FastAPI, request: pytest.FixtureRequest) -> None:
    document = json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"
    if request.config.getoption("--write-openapi"):
        SNAPSHOT.write_text(document, encoding="utf-8")

    assert document == SNAPSHOT.read_text(encoding="utf-8"), "the API changed: run `make openapi` and review the diff"


def test_every_operation_has_an_id_a_summary_and_its_problems(app: FastAPI) -> None:
    operations = [operation for item in app.openapi()["paths"].values() for operation in item.values()]

    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        signed_in = "security" in operation
        assert ("401" in operation["responses"]) >= signed_in, operation["operationId"]


def test_every_kind_of_event_is_listed(app: FastAPI) -> None:
    kinds = app.openapi()["components"]["schemas"]["EventoResponse"]["properties"]["tipo"]["enum"]

    assert set(kinds) == set(SecurityEvent)


def test_nothing_refers_to_the_frameworks_own_errors(app: FastAPI) -> None:
    assert "HTTPValidationError" not in json.dumps(app.openapi())
