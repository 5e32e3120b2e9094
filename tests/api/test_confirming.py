"""What is done with the key re-entered is done only if all that was true before the key was verified still is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, text

from tests.support.answers import fields_refused
from tests.support.fixtures.application import InterruptedHasher, MakeApp
from tests.support.fixtures.people import TestUser

NEW_KEY = "una clave bien nueva"


def change(user: TestUser) -> Any:
    return user.put("/user/password", {"clave_actual": user.key, "clave_nueva": NEW_KEY})


def leave(user: TestUser) -> Any:
    return user.delete("/user/me", {"clave": user.key})


both = pytest.mark.parametrize("act", [change, leave])
Act = Callable[[TestUser], Any]


@pytest.fixture
def app(make_app: MakeApp, interrupted_hasher: InterruptedHasher) -> FastAPI:
    return make_app(hasher=interrupted_hasher)


def state(connection: Connection, user: TestUser) -> tuple[Any, ...]:
    statement = text("SELECT clave_hash, debe_cambiar_clave FROM usuario WHERE email = :email")
    return tuple(connection.execute(statement, {"email": user.email}).one())


@both
class TestWhatHappensWhileTheKeyIsVerified:
    def test_a_login_that_ends_can_do_nothing_more(
        self, user: TestUser, interrupted_hasher: InterruptedHasher, connection: Connection, act: Act
    ) -> None:
        before = state(connection, user)
        interrupted_hasher.meanwhile = lambda: user.post("/user/logout")

        assert act(user).status_code == 401

        assert state(connection, user) == before

    def test_a_disabled_account_can_do_nothing_more(
        self, user: TestUser, interrupted_hasher: InterruptedHasher, connection: Connection, act: Act
    ) -> None:
        before = state(connection, user)
        disable = text("UPDATE usuario SET deshabilitado = now() WHERE email = :email")
        interrupted_hasher.meanwhile = lambda: connection.execute(disable, {"email": user.email})

        assert act(user).status_code == 401

        assert state(connection, user) == before

    def test_a_key_that_is_changed_is_wrong_by_then(
        self, user: TestUser, interrupted_hasher: InterruptedHasher, connection: Connection, act: Act
    ) -> None:
        replace = text("UPDATE usuario SET clave_hash = 'otra' WHERE email = :email")
        interrupted_hasher.meanwhile = lambda: connection.execute(replace, {"email": user.email})

        assert set(fields_refused(act(user))) in ({"clave"}, {"clave_actual"})

        assert state(connection, user)[0] == "otra"

    def test_an_account_that_is_erased_is_nobodys_wrong_confirmation(
        self, user: TestUser, interrupted_hasher: InterruptedHasher, act: Act
    ) -> None:
        phone = user.again()
        interrupted_hasher.meanwhile = lambda: leave(phone)
        user.key = "otra"

        assert act(user).status_code == 422
        assert phone.get("/user/me").status_code == 401

    def test_an_account_that_is_erased_is_gone(
        self, user: TestUser, interrupted_hasher: InterruptedHasher, act: Act
    ) -> None:
        phone = user.again()
        interrupted_hasher.meanwhile = lambda: leave(phone)

        assert act(user).status_code == 401
