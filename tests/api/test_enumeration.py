"""No client learns whether an address has an account: neither from an answer, nor from the work that it took.

Work is counted, not timed: Argon2 operations with their parameters, and SQL statements in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import argon2
import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, event, text
from starlette.testclient import TestClient

from maverik_backend.core.security import PasswordHasher
from maverik_backend.services.limits import LIMITS, Action
from tests.support.fixtures.application import MakeApp
from tests.support.fixtures.people import MakeUser, TestUser, make_profile

NOT_COMPARED = {"x-request-id"}


class CountingArgon2(argon2.PasswordHasher):
    """Notes each operation and its parameters."""

    def __init__(self) -> None:
        super().__init__(memory_cost=8, time_cost=1, parallelism=1)
        self.work: list[tuple[str, argon2.Parameters]] = []

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        hashed = super().hash(password, salt=salt)
        self.work.append(("hash", argon2.extract_parameters(hashed)))
        return hashed

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
        self.work.append(("verify", argon2.extract_parameters(str(hash))))
        return super().verify(hash, password)


class Work:
    """What was done since it was last asked."""

    def __init__(self, argon: CountingArgon2, connection: Connection) -> None:
        self._argon = argon
        self._statements: list[str] = []
        event.listen(connection, "before_cursor_execute", self._note)

    def _note(self, *arguments: Any) -> None:
        # Savepoints stand for the transactions of the application, and have numbers.
        self._statements.append(str(arguments[2]).rstrip("0123456789"))

    @contextmanager
    def measured(self) -> Iterator[list[Any]]:
        self._argon.work.clear()
        self._statements.clear()
        done: list[Any] = []
        yield done
        done += [*self._argon.work, *self._statements]


@pytest.fixture
def argon() -> CountingArgon2:
    return CountingArgon2()


@pytest.fixture
def app(make_app: MakeApp, argon: CountingArgon2) -> FastAPI:
    hasher = PasswordHasher(memory_kib=8, passes=1)
    hasher._argon2 = argon  # noqa: SLF001 - the work itself is what is measured
    return make_app(hasher=hasher)


@pytest.fixture
def work(argon: CountingArgon2, connection: Connection) -> Work:
    return Work(argon, connection)


@pytest.fixture
def disabled(make_user: MakeUser, connection: Connection) -> TestUser:
    person = make_user()
    connection.execute(text("UPDATE usuario SET deshabilitado = now() WHERE email = :e"), {"e": person.email})
    return person


@pytest.fixture
def expired(make_user: MakeUser, connection: Connection) -> TestUser:
    person = make_user()
    connection.execute(text("UPDATE usuario SET clave_vence = now() WHERE email = :e"), {"e": person.email})
    return person


@pytest.fixture
def newcomer(api: TestClient) -> str:
    form = make_profile()
    api.post("/user/signup", json=form)
    return str(form["email"])


# What every sign-up is told anew, whether the address has an account or not.
OF_THE_REQUEST = {"email": None, "id": None, "fecha_creacion": None, "fecha_actualizacion": None}


def answer_of(response: Any) -> tuple[Any, ...]:
    """All that a client sees."""
    headers = {name: value for name, value in response.headers.items() if name not in NOT_COMPARED}
    return response.status_code, response.content, headers


class TestWhatIsAnswered:
    def test_signing_up_again(self, api: TestClient, user: TestUser, disabled: TestUser) -> None:
        emails = (make_profile()["email"], user.email, disabled.email)

        answers = [api.post("/user/signup", json=make_profile(email=email)) for email in emails]

        told = [{**answer.json(), **OF_THE_REQUEST} for answer in answers]
        assert [answer.status_code for answer in answers] == [201] * 3
        assert told[1:] == told[:1] * 2
        assert [answer.json()["email"] for answer in answers] == list(emails)

    def test_an_address_that_exists_gets_an_id_and_a_time_like_a_new_one(self, api: TestClient, user: TestUser) -> None:
        emails = (make_profile()["email"], user.email, make_profile()["email"])

        told = [api.post("/user/signup", json=make_profile(email=email)).json() for email in emails]

        assert [body["id"] - told[0]["id"] for body in told] == [0, 1, 2]
        assert sorted(body["fecha_creacion"] for body in told) == [body["fecha_creacion"] for body in told]

    def test_logging_in(self, api: TestClient, user: TestUser, disabled: TestUser, expired: TestUser) -> None:
        tries = (
            {"email": user.email, "clave": "otra"},
            {"email": "nadie@example.com", "clave": "otra"},
            {"email": "no es un correo", "clave": "otra"},
            {"email": disabled.email, "clave": disabled.key},
            {"email": disabled.email, "clave": "otra"},
            {"email": expired.email, "clave": expired.key},
        )

        answers = [answer_of(api.post("/user/login", json=body)) for body in tries]

        assert answers[0][0] == 401
        assert answers[1:] == answers[:1] * 5

    @pytest.mark.parametrize("path", ["/user/password/forgot", "/user/email/resend"])
    def test_asking_for_a_mail(
        self, api: TestClient, user: TestUser, disabled: TestUser, newcomer: str, path: str
    ) -> None:
        emails = (user.email, newcomer, disabled.email, "nadie@example.com")

        answers = [answer_of(api.post(path, json={"email": email})) for email in emails]

        assert answers[0][0] == 200
        assert answers[1:] == answers[:1] * 3

    def test_logging_in_too_often(self, api: TestClient, user: TestUser) -> None:
        for _ in range(LIMITS[Action.LOG_IN_TO_ACCOUNT].amount):
            for email in (user.email, "nadie@example.com"):
                api.post("/user/login", json={"email": email, "clave": "otra"})

        wrong = api.post("/user/login", json={"email": user.email, "clave": "otra"})
        right = user.log_in()
        unknown = api.post("/user/login", json={"email": "nadie@example.com", "clave": "otra"})

        assert wrong.status_code == 429
        assert wrong.content == right.content == unknown.content
        assert {abs(int(r.headers["Retry-After"]) - 900) <= 60 for r in (wrong, right, unknown)} == {True}

    @pytest.mark.parametrize("path", ["/user/password/forgot", "/user/email/resend"])
    def test_asking_for_a_mail_too_often(self, api: TestClient, user: TestUser, path: str) -> None:
        for _ in range(LIMITS[Action.MAIL_TO_ACCOUNT].amount):
            for email in (user.email, "nadie@example.com"):
                api.post(path, json={"email": email})

        known, unknown = (api.post(path, json={"email": email}) for email in (user.email, "nadie@example.com"))

        assert known.status_code == unknown.status_code == 429
        assert known.content == unknown.content


class TestHowMuchWorkItTakes:
    def test_signing_up_again(self, api: TestClient, work: Work, user: TestUser, disabled: TestUser) -> None:
        with work.measured() as new:
            api.post("/user/signup", json=make_profile())
        for email in (user.email, disabled.email):
            with work.measured() as existing:
                api.post("/user/signup", json=make_profile(email=email))

            assert existing == new
        assert [item for item in new if item[0] == "hash"]

    def test_logging_in(
        self, api: TestClient, work: Work, user: TestUser, disabled: TestUser, expired: TestUser
    ) -> None:
        with work.measured() as unknown:
            api.post("/user/login", json={"email": "nadie@example.com", "clave": "otra"})
        for email, key in ((user.email, "otra"), (disabled.email, disabled.key), (expired.email, expired.key)):
            with work.measured() as known:
                api.post("/user/login", json={"email": email, "clave": key})

            assert known == unknown
        assert [item[0] for item in unknown].count("verify") == 1

    @pytest.mark.parametrize("path", ["/user/password/forgot", "/user/email/resend"])
    def test_asking_for_a_mail(
        self, api: TestClient, work: Work, user: TestUser, disabled: TestUser, newcomer: str, path: str
    ) -> None:
        with work.measured() as unknown:
            api.post(path, json={"email": "nadie@example.com"})
        for email in (user.email, newcomer, disabled.email):
            with work.measured() as known:
                api.post(path, json={"email": email})

            assert known == unknown
        assert any("INSERT INTO enlace_clave" in str(item) for item in unknown)
