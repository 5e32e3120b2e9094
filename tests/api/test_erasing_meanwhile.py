"""Requests of somebody who is being erased wait for that, and then find nobody: never an error of the server's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from maverik_backend.core.database import Database
from maverik_backend.services.accounts import erase
from maverik_backend.services.accounts.store import people
from maverik_backend.settings import Settings
from maverik_backend.web.resources import Resources
from tests.api.test_access import CLOSED, at
from tests.support.answers import fields_refused
from tests.support.fixtures.database import connected, rows
from tests.support.fixtures.people import MailsTo, TestUser, link_token_in, make_profile, make_session_body

# Turns are written by services/turns/engine.py, which works in transactions of its own.
TURNS = {
    ("POST", "/copilot/sessions/{session_id}"),
    ("POST", "/copilot/sessions/{session_id}/turns/{turn_id}/retry"),
}
# Reading waits for nobody, but for what notes that somebody read.
WRITES = sorted({route for route in CLOSED if route[0] != "GET"} - TURNS | {("GET", "/user/me/export")})
NEW_KEY = "una clave bien nueva"
PATIENCE_S = 60.0


@pytest.fixture
def settings(own_database: Settings, tmp_path: Path) -> Settings:
    """A database of the test's own: what waits for another transaction needs two that really commit."""
    app = own_database.app.model_copy(update={"local_data_dir": tmp_path})
    return own_database.model_copy(update={"app": app})


@pytest.fixture
def database(own_database: Settings) -> Iterator[Database]:
    with connected(own_database) as database:
        yield database


def body_of(route: tuple[str, str], user: TestUser) -> Any:
    bodies = {
        ("PATCH", "/user/me"): {"busca_invertir_en_id": 1},
        ("DELETE", "/user/me"): {"clave": user.key},
        ("PUT", "/user/password"): {"clave_actual": user.key, "clave_nueva": NEW_KEY},
        ("POST", "/user/second-factor"): {"clave": user.key},
        ("POST", "/user/second-factor/confirm"): {"codigo": "123456"},
        ("POST", "/user/second-factor/recovery-codes"): {"clave": user.key, "codigo": "123456"},
        ("DELETE", "/user/second-factor"): {"clave": user.key, "codigo": "123456"},
        ("POST", "/copilot/sessions"): make_session_body(),
        ("POST", "/documents"): "Un texto para leer.",
        ("PATCH", "/copilot/sessions/{session_id}"): {"titulo_chat": "Mía"},
    }
    return bodies.get(route)


def is_somebody_waiting(own_database: Settings) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(rows(own_database, waiting)[0]["count"])


@contextmanager
def erasing(resources: Resources, email: str) -> Iterator[None]:
    """The person is erased when this block ends."""
    with resources.database.transaction() as db:
        account = people.get_by_email(db, email, for_update=True)
        assert account is not None
        erase(db, account=account, keyring=resources.keyring, support=None)
        yield


def answer_after_erasing(resources: Resources, own_database: Settings, email: str, send: Any) -> Any:
    """What is answered to a request that arrives while its person is being erased."""
    deadline = time.monotonic() + PATIENCE_S
    with ThreadPoolExecutor(1) as thread:
        with erasing(resources, email):
            answer: Future[Any] = thread.submit(send)
            while not answer.done() and not is_somebody_waiting(own_database):
                assert time.monotonic() < deadline, "neither answered nor waiting"
                time.sleep(0.01)
        return answer.result(timeout=PATIENCE_S)


@pytest.mark.parametrize("route", WRITES, ids=" ".join)
def test_whoever_is_signed_in_is_not_any_more(
    user: TestUser, resources: Resources, own_database: Settings, route: tuple[str, str]
) -> None:
    method, path = route
    path = at(path, user.open_session()["id"] if "{session_id}" in path else user.get("/user/logins").json()[0]["id"])

    response = answer_after_erasing(
        resources, own_database, user.email, lambda: user.request(method, path, json=body_of(route, user))
    )

    assert response.status_code == 401, response.text


def test_reading_waits_for_nobody(user: TestUser, resources: Resources) -> None:
    with erasing(resources, user.email):
        assert user.get("/user/me").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"), [("/user/password/forgot", 200), ("/user/email/resend", 200), ("/user/signup", 201)]
)
def test_whoever_asks_for_a_mail_is_answered_as_always(
    api: TestClient, user: TestUser, resources: Resources, own_database: Settings, path: str, status: int
) -> None:
    response = answer_after_erasing(
        resources, own_database, user.email, lambda: api.post(path, json=make_profile(email=user.email))
    )

    assert response.status_code == status, response.text


@pytest.mark.parametrize("key", ["the right one", "otra"])
def test_whoever_signs_in_is_unknown(
    api: TestClient, user: TestUser, resources: Resources, own_database: Settings, key: str
) -> None:
    body = {"email": user.email, "clave": user.key if key == "the right one" else key}

    response = answer_after_erasing(resources, own_database, user.email, lambda: api.post("/user/login", json=body))

    assert response.status_code == 401, response.text


def test_whoever_renews_a_token_is_unknown(
    api: TestClient, user: TestUser, resources: Resources, own_database: Settings
) -> None:
    body = {"refresh_token": user.refresh_token}

    response = answer_after_erasing(
        resources, own_database, user.email, lambda: api.post("/user/token/refresh", json=body)
    )

    assert response.status_code == 401, response.text


def test_whoever_follows_a_link_is_late(
    api: TestClient, user: TestUser, resources: Resources, own_database: Settings, mails_to: MailsTo
) -> None:
    body = {"token": link_token_in(mails_to(user.email)[0]), "clave_nueva": NEW_KEY}

    response = answer_after_erasing(
        resources, own_database, user.email, lambda: api.post("/user/password/reset", json=body)
    )

    assert set(fields_refused(response)) == {"token"}
