"""Who may call what: generated from the route table, so that a new route cannot be forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.core.tokens import Tokens
from maverik_backend.web.resources import Resources
from tests.support.fixtures.people import TestUser
from tests.support.routes import OWN_ROUTES

OPEN = {
    ("GET", "/"),
    ("GET", "/health"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("HEAD", "/"),
    ("HEAD", "/health"),
    ("HEAD", "/health/live"),
    ("HEAD", "/health/ready"),
    ("GET", "/catalogs"),
    # Our own pages: forms over the routes below, the Swagger page, and their files.
    ("GET", "/clave/cambiar"),
    ("POST", "/clave/cambiar"),
    ("GET", "/clave/nueva"),
    ("POST", "/clave/nueva"),
    ("GET", "/clave/olvide"),
    ("POST", "/clave/olvide"),
    ("GET", "/docs"),
    ("GET", "/docs/static/{version}/{name}"),
    ("GET", "/static/{version}/{name}"),
    ("POST", "/user/signup"),
    ("POST", "/user/login"),
    ("POST", "/user/token/refresh"),
    ("POST", "/user/password/forgot"),
    ("POST", "/user/password/reset"),
    ("POST", "/user/email/resend"),
}
BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "/copilot/sessions/{session_id}"): {"titulo_chat": "Mía"},
    ("POST", "/copilot/sessions/{session_id}"): {"input": "hola"},
}
# With a token of its own instead of a login's: tests/api/test_metrics.py.
WITH_ANOTHER_TOKEN = {("GET", "/metrics")}
ROUTES = [(route.method, route.path) for route in OWN_ROUTES]
CLOSED = [route for route in ROUTES if route not in OPEN | WITH_ANOTHER_TOKEN]
OF_A_SESSION = [route for route in ROUTES if "{session_id}" in route[1]]
OF_A_DOCUMENT = [route for route in ROUTES if "{document_id}" in route[1]]
OF_A_LOGIN = [route for route in ROUTES if "{login_id}" in route[1]]


def at(path: str, some_id: object = 1) -> str:
    """``path`` with every id filled in."""
    return path.format(session_id=some_id, login_id=some_id, turn_id=some_id, document_id=some_id)


def test_the_route_table_is_complete(app: FastAPI) -> None:
    document = app.openapi()
    documented = {(method.upper(), path) for path, item in document["paths"].items() for method in item}

    assert documented
    assert documented <= set(ROUTES)


def test_what_is_open_exists() -> None:
    assert set(ROUTES) >= OPEN | WITH_ANOTHER_TOKEN


def test_every_route_of_something_owned_is_walked() -> None:
    assert {route for route in CLOSED if "{" in route[1]} == {*OF_A_SESSION, *OF_A_LOGIN, *OF_A_DOCUMENT}


def lock_out_by_disabling(person: TestUser, connection: Connection, resources: Resources) -> None:
    del resources
    statement = text("UPDATE usuario SET deshabilitado = now() WHERE email = :email")
    connection.execute(statement, {"email": person.email})


def lock_out_by_revoking(person: TestUser, connection: Connection, resources: Resources) -> None:
    del connection, resources
    assert person.post("/user/logout").status_code == 204


def lock_out_by_erasing(person: TestUser, connection: Connection, resources: Resources) -> None:
    del connection, resources
    assert person.request("DELETE", "/user/me", json={"clave": person.key}).status_code == 204


def lock_out_by_time(person: TestUser, connection: Connection, resources: Resources) -> None:
    del connection
    claims = resources.tokens.read_access(person.token)
    past = Tokens(resources.keyring, access_ttl=timedelta(seconds=-1), refresh_ttl=timedelta(days=1))
    person.token = past.issue_access(user_id=claims.user_id, login_id=claims.login_id).token


def lock_out_by_expiring(person: TestUser, connection: Connection, resources: Resources) -> None:
    claims = resources.tokens.read_access(person.token)
    connection.execute(text("UPDATE inicio_sesion SET vence = now() WHERE id = :id"), {"id": claims.login_id})


def lock_out_by_another_purpose(person: TestUser, connection: Connection, resources: Resources) -> None:
    del connection
    claims = resources.tokens.read_access(person.token)
    person.token = resources.tokens.issue_refresh(login_id=claims.login_id, rotation=0)


def lock_out_by_naming_another_persons_login(person: TestUser, connection: Connection, resources: Resources) -> None:
    claims = resources.tokens.read_access(person.token)
    other_id = connection.scalar(text("INSERT INTO usuario (email, clave_hash) VALUES ('x@x', 'x') RETURNING id"))
    person.token = resources.tokens.issue_access(user_id=other_id, login_id=claims.login_id).token


LockOut = Callable[[TestUser, Connection, Resources], None]
LOCK_OUTS: tuple[LockOut, ...] = (
    lock_out_by_disabling,
    lock_out_by_revoking,
    lock_out_by_erasing,
    lock_out_by_time,
    lock_out_by_expiring,
    lock_out_by_another_purpose,
    lock_out_by_naming_another_persons_login,
)


def assert_refused(response: Any) -> None:
    assert response.status_code == 401
    assert response.json()["error"] == "not authenticated"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), CLOSED)
class TestWithoutALogin:
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
        assert_refused(api.request(method, at(path), headers=headers, json=BODIES.get((method, path))))

    @pytest.mark.parametrize("lock_out", LOCK_OUTS, ids=lambda lock_out: lock_out.__name__.removeprefix("lock_out_by_"))
    def test_is_refused_once_locked_out(
        self,
        user: TestUser,
        connection: Connection,
        resources: Resources,
        method: str,
        path: str,
        lock_out: LockOut,
    ) -> None:
        lock_out(user, connection, resources)

        assert_refused(user.request(method, at(path), json=BODIES.get((method, path))))


@pytest.mark.parametrize(("method", "path"), OF_A_SESSION)
class TestASessionOfAnotherPerson:
    def test_is_the_same_404_as_one_that_does_not_exist(
        self, user: TestUser, other_user: TestUser, method: str, path: str
    ) -> None:
        session = other_user.open_session()
        body = BODIES.get((method, path))

        theirs = user.request(method, at(path, session["id"]), json=body)
        unknown = user.request(method, at(path, 2**62), json=body)

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

        user.request(method, at(path, session["id"]), json=BODIES.get((method, path)))

        assert connection.execute(content, {"id": session["id"]}).all() == before


@pytest.mark.parametrize(("method", "path"), OF_A_LOGIN)
class TestALoginOfAnotherPerson:
    def test_is_the_same_404_as_one_that_does_not_exist_and_goes_on(
        self, user: TestUser, other_user: TestUser, resources: Resources, method: str, path: str
    ) -> None:
        login_id = resources.tokens.read_access(other_user.token).login_id

        theirs = user.request(method, at(path, login_id))
        unknown = user.request(method, at(path, 2**62))

        assert (theirs.status_code, theirs.json()) == (404, unknown.json())
        assert other_user.get("/user/me").status_code == 200


@pytest.mark.parametrize(("method", "path"), [*OF_A_SESSION, *OF_A_LOGIN])
@pytest.mark.parametrize(
    "some_id", ["0", "-1", "abc", "1.5", str(2**63), "9" * 100, "%00", "1%20", "%2B1", "1_0", "1%20OR%201"]
)
def test_an_id_that_cannot_exist_does_not_exist(user: TestUser, method: str, path: str, some_id: str) -> None:
    assert user.request(method, at(path, some_id), json=BODIES.get((method, path))).status_code == 404
