"""Who may call what: generated from the route table, so that a new route cannot be forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.routers import auth, catalog, chat, health, session, user
from maverik_backend.web.resources import Resources
from tests.fixtures.people import TestUser

OPEN = {("GET", "/"), ("GET", "/health"), ("GET", "/catalogs"), ("POST", "/user/signup"), ("POST", "/user/login")}
BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "/copilot/sessions/{session_id}"): {"titulo_chat": "Mía"},
    ("POST", "/copilot/sessions/{session_id}"): {"input": "hola"},
}
ROUTES = [
    (method, route.path)
    for module in (auth, catalog, chat, health, session, user)
    for route in module.router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
]
CLOSED = [route for route in ROUTES if route not in OPEN]
OWNED = [route for route in ROUTES if "{session_id}" in route[1]]


def test_the_route_table_is_complete(app: FastAPI) -> None:
    document = app.openapi()
    served = {(method.upper(), path) for path, item in document["paths"].items() for method in item}

    assert served == set(ROUTES)


@pytest.mark.parametrize(("method", "path"), CLOSED)
class TestSomebodyWhoIsNotSignedIn:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer v4.local.AAAA"},
            {"Authorization": "Basic YTpi"},
            {"Authorization": "Bearer ñ".encode("latin-1")},
        ],
        ids=range(5),
    )
    def test_is_refused(self, api: TestClient, method: str, path: str, headers: dict[str, Any]) -> None:
        response = api.request(method, path.format(session_id=1), headers=headers, json=BODIES.get((method, path)))

        assert response.status_code == 401
        assert response.json()["error"] == "not authenticated"
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    def test_is_refused_when_the_account_is_gone(
        self, resources: Resources, api: TestClient, method: str, path: str
    ) -> None:
        token = resources.tokens.issue_access(user_id=2**40, login_id=2**40).token

        response = api.request(
            method,
            path.format(session_id=1),
            headers={"Authorization": f"Bearer {token}"},
            json=BODIES.get((method, path)),
        )

        assert response.status_code == 401


@pytest.mark.parametrize(("method", "path"), OWNED)
class TestSomebodyElsesSession:
    def test_is_the_same_404_as_one_that_does_not_exist(
        self, user: TestUser, other_user: TestUser, method: str, path: str
    ) -> None:
        session = other_user.open_session()
        body = BODIES.get((method, path))

        theirs = user.request(method, path.format(session_id=session["id"]), json=body)
        unknown = user.request(method, path.format(session_id=2**62), json=body)

        assert (theirs.status_code, theirs.json()) == (404, unknown.json())

    def test_is_left_as_it_was(
        self, user: TestUser, other_user: TestUser, connection: Connection, method: str, path: str
    ) -> None:
        session = other_user.open_session()
        other_user.say(session, "privado")
        content = text(
            "SELECT s.*, d.* FROM sesion_asesoria s JOIN sesion_asesoria_detalle d ON d.sesion_asesoria_id = s.id "
            "WHERE s.id = :id"
        )
        before = connection.execute(content, {"id": session["id"]}).all()

        user.request(method, path.format(session_id=session["id"]), json=BODIES.get((method, path)))

        assert connection.execute(content, {"id": session["id"]}).all() == before

    @pytest.mark.parametrize(
        "session_id", ["0", "-1", "abc", "1.5", str(2**63), "9" * 100, "%00", "1%20", "%2B1", "1_0", "1%20OR%201"]
    )
    def test_an_id_that_cannot_exist_does_not_exist(
        self, user: TestUser, method: str, path: str, session_id: str
    ) -> None:
        response = user.request(method, path.format(session_id=session_id), json=BODIES.get((method, path)))

        assert response.status_code == 404
