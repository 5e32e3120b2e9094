"""No list grows without end: every route that answers one has a bound, and says how to get at the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.routers.copilot import chat
from maverik_backend.services.turns import store as turns
from maverik_backend.web.resources import Resources
from tests.support.fixtures.people import TestUser
from tests.support.paths import OPENAPI_SNAPSHOT

DOCUMENT: dict[str, Any] = json.loads(OPENAPI_SNAPSHOT.read_text(encoding="utf-8"))
# Lists that are as long as something else allows, and where that is bounded.
BOUNDED_ELSEWHERE = {
    "get_catalogs": "options of the questionnaire, which come with migrations",
    "get_turn": "sources and assets of one answer",
    "export_me": "streamed (tests/api/test_export.py)",
    "get_collections": "20 of a person (tests/services/knowledge/test_documents.py), and those of operators",
}
MANY = 600

ADD: dict[str, str] = {
    "get_history": (
        "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema, estado) "
        "SELECT :session, 'dije ' || n, 'contesté', 'completada' FROM generate_series(1, :many) n"
    ),
    "get_sessions": "INSERT INTO sesion_asesoria (usuario_id) SELECT :user FROM generate_series(1, :many)",
    "get_logins": (
        "INSERT INTO inicio_sesion (usuario_id, vence) SELECT :user, now() + interval '1 day' "
        "FROM generate_series(1, :many)"
    ),
    "get_documents": (
        "WITH mine AS (INSERT INTO coleccion (slug, nombre, principal_id) VALUES ('documentos', 'Míos', :user) "
        "RETURNING id) INSERT INTO documento (coleccion_id, titulo, tipo, tamano, resumen) "
        "SELECT mine.id, 'x', 'text/plain', 1, int4send(n) FROM mine, generate_series(1, :many) n"
    ),
    "get_my_events": "INSERT INTO evento_seguridad (usuario_id, tipo) SELECT :user, 'x' FROM generate_series(1, :many)",
}


def holds_a_list(schema: dict[str, Any]) -> bool:
    """Whether ``schema``, or one that it refers to, is or has an array."""
    if reference := schema.get("$ref"):
        return holds_a_list(DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]])
    parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), schema.get("additionalProperties")]
    return schema.get("type") == "array" or any(holds_a_list(part) for part in parts if isinstance(part, dict))


LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    operation["operationId"]: (path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method == "get"
    and holds_a_list(operation["responses"]["200"].get("content", {}).get("application/json", {}).get("schema", {}))
}


def test_every_list_is_bounded_or_listed_with_the_reason() -> None:
    limits = {
        name
        for name, (_, operation) in LISTS.items()
        if any(parameter["name"] == "limit" for parameter in operation.get("parameters", ()))
    }

    assert set(LISTS) == limits | set(BOUNDED_ELSEWHERE)
    assert limits == set(ADD)


@pytest.fixture
def crowded(user: TestUser, connection: Connection, resources: Resources) -> Callable[[str], str]:
    """``crowded(operation)`` fills the list of an operation; the path to ask."""

    def fill(operation: str) -> str:
        session = user.open_session()["id"]
        user_id = resources.tokens.read_access(user.token).user_id
        values = {"session": session, "user": user_id, "many": MANY}
        named = {name: value for name, value in values.items() if f":{name}" in ADD[operation]}
        connection.execute(text(ADD[operation]), named)
        return LISTS[operation][0].format(session_id=session)

    return fill


def items_of(answer: Any) -> list[Any]:
    if isinstance(answer, dict):
        (answer,) = (value for value in answer.values() if isinstance(value, list))
    found: list[Any] = answer
    return found


@pytest.mark.parametrize("operation", ADD)
class TestEveryList:
    def test_unasked_it_is_not_longer_than_a_page(
        self, user: TestUser, crowded: Callable[[str], str], operation: str
    ) -> None:
        answer = user.get(crowded(operation)).json()

        assert 0 < len(items_of(answer)) <= chat.DEFAULT_PAGE

    def test_more_than_a_page_cannot_be_asked_for(
        self, user: TestUser, crowded: Callable[[str], str], operation: str
    ) -> None:
        path = crowded(operation)

        assert user.get(f"{path}?limit={MANY}").status_code == 422

    def test_page_by_page_it_is_there_to_its_end(
        self, user: TestUser, crowded: Callable[[str], str], operation: str
    ) -> None:
        path = crowded(operation)

        seen: list[int] = []
        page = items_of(user.get(f"{path}?limit=100").json())
        while page:
            seen += [item["id"] for item in page]
            page = items_of(user.get(f"{path}?limit=100&before={min(seen)}").json())

        assert len(seen) == len(set(seen)) >= MANY


class TestHistory:
    @pytest.fixture
    def path(self, crowded: Callable[[str], str]) -> str:
        return crowded("get_history")

    def test_without_a_limit_it_is_the_newest_500_oldest_first(self, user: TestUser, path: str) -> None:
        said = [turn["input"] for turn in user.get(path).json()]

        assert said == [f"dije {number}" for number in range(MANY - 499, MANY + 1)]

    def test_a_link_leads_to_the_page_before(self, user: TestUser, path: str) -> None:
        newest = user.get(path)
        older = user.get(urljoin(path, newest.links["prev"]["url"]))

        assert [turn["input"] for turn in older.json()] == [f"dije {number}" for number in range(1, MANY - 499)]
        assert "Link" not in older.headers

    def test_the_link_keeps_the_limit(self, user: TestUser, path: str) -> None:
        seen: list[str] = []
        answer = user.get(f"{path}?limit=200")
        while True:
            seen = [turn["input"] for turn in answer.json()] + seen
            if "prev" not in answer.links:
                break
            answer = user.get(urljoin(path, answer.links["prev"]["url"]))

        assert seen == [f"dije {number}" for number in range(1, MANY + 1)]

    def test_a_whole_conversation_has_no_link(self, user: TestUser) -> None:
        session = user.open_session()
        user.say(session, "hola")

        assert "Link" not in user.get(f"/copilot/sessions/{session['id']}").headers

    def test_an_empty_one_has_no_link(self, user: TestUser) -> None:
        answer = user.get(f"/copilot/sessions/{user.open_session()['id']}")

        assert (answer.json(), "Link" in answer.headers) == ([], False)

    def test_browsers_may_read_the_link(self, api: TestClient) -> None:
        answer = api.get("/", headers={"Origin": "https://app.example.com"})

        assert "Link" in answer.headers["Access-Control-Expose-Headers"]

    def test_a_page_ends_with_the_turn_that_makes_it_too_large(
        self, user: TestUser, path: str, connection: Connection
    ) -> None:
        long = text("UPDATE sesion_asesoria_detalle SET texto_usuario = repeat('ñ', 8000), texto_sistema = :answer")
        connection.execute(long, {"answer": "€" * 8_000})

        page = user.get(path)

        size = sum(len((turn["input"] + turn["output"]).encode()) for turn in page.json())
        assert turns.MAX_PAGE_BYTES <= size <= turns.MAX_PAGE_BYTES + 40_000
        assert page.links["prev"]["url"] == f"?before={page.json()[0]['id']}"

    def test_a_page_holds_a_turn_however_large(self, user: TestUser, path: str, connection: Connection) -> None:
        large = text(
            "UPDATE sesion_asesoria_detalle SET texto_sistema = repeat('x', :size) WHERE texto_usuario = :said"
        )
        connection.execute(large, {"size": turns.MAX_PAGE_BYTES + 1, "said": f"dije {MANY}"})

        assert [turn["input"] for turn in user.get(path).json()] == [f"dije {MANY}"]
