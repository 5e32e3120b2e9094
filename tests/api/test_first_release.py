"""What clients of the first installations meet: every difference stands in docs/UPGRADING.md, and nothing else does.

``first_release.json`` is what the API took and answered then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.fixtures.people import TestUser, make_profile, make_session_body
from tests.support.paths import OPENAPI_SNAPSHOT, ROOT

BEFORE = json.loads(Path(__file__).with_name("first_release.json").read_text(encoding="utf-8"))
NOW = json.loads(OPENAPI_SNAPSHOT.read_text(encoding="utf-8"))
UPGRADING = (ROOT / "docs" / "UPGRADING.md").read_text(encoding="utf-8")
UNKNOWN_SESSION = "/copilot/sessions/2000000000"
# What a JSON schema says of a value that is more than its type.
BOUNDS = ("maxLength", "minLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")

Row = tuple[str, str, str]


def documented(heading: str) -> set[Row]:
    """The first three cells of each row of the table whose first heading is that one."""
    (table,) = re.findall(rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", UPGRADING, re.MULTILINE)
    cells = ([cell.strip() for cell in line.strip("|\n").split(" | ")] for line in table.splitlines())
    return {(found[0], found[1], found[2]) for found in cells}


def listed_fields(heading: str) -> set[tuple[str, str]]:
    """Call and field, from a table that names several fields in a row."""
    return {
        (name.strip("`"), field) for name, fields, _ in documented(heading) for field in re.findall(r"`(\w+)`", fields)
    }


def operation(name: str) -> dict[str, Any] | None:
    method, _, path = name.partition(" ")
    found: dict[str, Any] | None = NOW["paths"].get(path, {}).get(method.lower())
    return found


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, of a list that of its items."""
    if "$ref" in schema:
        schema = NOW["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return resolved(schema["items"]) if schema.get("type") == "array" else schema


def json_schema(part: dict[str, Any]) -> dict[str, Any]:
    return resolved(part["content"]["application/json"]["schema"])


def answered_fields(found: dict[str, Any]) -> set[str]:
    """The fields of the success, of each of them where there are several."""
    (status,) = (status for status in found["responses"] if status.startswith("2"))
    schema = json_schema(found["responses"][status])
    return {name for branch in schema.get("anyOf", [schema]) for name in resolved(branch).get("properties", {})}


KEPT = {name: found for name in BEFORE["operations"] if (found := operation(name))}


class TestOperations:
    def test_those_that_are_gone_are_listed(self) -> None:
        gone = {name for name in BEFORE["operations"] if name not in KEPT}

        assert documented("call") == {(f"`{name}`", "answered", "gone") for name in gone}

    @pytest.mark.parametrize("name", KEPT)
    def test_those_that_stay_take_the_fields_that_they_took(self, name: str) -> None:
        if "requestBody" in KEPT[name]:
            schema = json_schema(KEPT[name]["requestBody"])

            assert set(BEFORE["operations"][name]["request"]) <= set(schema["properties"])
            assert set(schema.get("required", [])) <= set(BEFORE["operations"][name]["request"])

    def test_fields_that_are_no_longer_answered_are_listed(self) -> None:
        gone = {
            (name, field)
            for name, found in KEPT.items()
            for field in set(BEFORE["operations"][name]["response"]) - answered_fields(found)
        }

        assert listed_fields("answer of") == gone

    def test_fields_that_have_bounds_now_are_listed(self) -> None:
        bounded = {
            (name, field)
            for name, found in KEPT.items()
            if "requestBody" in found
            for field, schema in json_schema(found["requestBody"])["properties"].items()
            if field in BEFORE["operations"][name]["request"]
            and any(f'"{bound}"' in json.dumps(schema) for bound in BOUNDS)
        }

        assert bounded
        assert listed_fields("field of") == bounded


@pytest.fixture
def statuses(api: TestClient, user: TestUser, other_user: TestUser) -> dict[str, int]:
    """What each situation of the snapshot is answered with now."""
    session = user.open_session()
    path = f"/copilot/sessions/{session['id']}"
    wrong = {"email": user.email, "clave": "no es esta"}
    situations: dict[str, Callable[[], Any]] = {
        "signing up": lambda: api.post("/user/signup", json=make_profile()),
        "signing up with an address that has an account": lambda: api.post(
            "/user/signup", json=make_profile(email=user.email)
        ),
        "signing up without a date of birth (`null`)": lambda: api.post(
            "/user/signup", json=make_profile(fecha_nacimiento=None)
        ),
        "signing in with a wrong key": lambda: api.post("/user/login", json=wrong),
        "no token": lambda: api.get(path),
        "a token that does not hold": lambda: api.get(path, headers={"Authorization": "Bearer v4.local.x"}),
        "a body that is not valid": lambda: api.post("/user/login", json={}),
        "a catalogue entry that does not exist": lambda: user.post("/copilot/sessions", {"proposito_sesion_id": 99}),
        "purpose 2 without a goal": lambda: user.post("/copilot/sessions", make_session_body(objetivo_id=None)),
        "writing to a session that does not exist": lambda: user.post(UNKNOWN_SESSION, {"input": "hola"}),
        "writing to a session of somebody else": lambda: other_user.post(path, {"input": "hola"}),
        "reading a session that does not exist": lambda: user.get(UNKNOWN_SESSION),
        "reading a session of somebody else": lambda: other_user.get(path),
        "an address with a slash at its end": lambda: api.get("/health/", follow_redirects=False),
        "`GET /redoc`": lambda: api.get("/redoc"),
    }
    return {name: ask().status_code for name, ask in situations.items()}


@pytest.fixture
def shapes(api: TestClient) -> dict[str, str]:
    refused = api.post("/user/login", json={}).json()["detail"]
    origin = api.get("/", headers={"Origin": "https://elsewhere.example"}).headers.get("access-control-allow-origin")
    return {
        "`detail` of a 422": {"list": "list", "str": "text"}[type(refused).__name__],
        "`Access-Control-Allow-Origin` for any other page": origin or "absent",
    }


def test_every_situation_that_is_answered_otherwise_is_listed(statuses: dict[str, int], shapes: dict[str, str]) -> None:
    assert statuses.keys() == BEFORE["situations"].keys()
    assert shapes.keys() == BEFORE["shapes"].keys()

    def changes() -> Iterator[Row]:
        for name, now in {**statuses, **shapes}.items():
            before = {**BEFORE["situations"], **BEFORE["shapes"]}[name]
            if before != now:
                yield name, str(before), str(now)

    assert documented("situation") == set(changes())
