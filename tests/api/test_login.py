"""Logins and their tokens: opening, renewing, seeing and ending them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.core.security import PasswordHasher, Purpose, generate_paserk
from maverik_backend.core.tokens import Tokens
from maverik_backend.services.accounts.auth import LONGEST_LOGIN, REUSE_GRACE
from maverik_backend.web.resources import Resources
from tests.support.answers import fields_refused
from tests.support.fixtures.application import InterruptedHasher, MakeApp
from tests.support.fixtures.people import TestUser

GRACE_S = REUSE_GRACE.total_seconds()


def refresh(api: TestClient, token: str) -> Any:
    return api.post("/user/token/refresh", json={"refresh_token": token})


def me(api: TestClient, access_token: str) -> int:
    return int(api.get("/user/me", headers={"Authorization": f"Bearer {access_token}"}).status_code)


def let_pass(connection: Connection, seconds: float) -> None:
    """Move every login so far into the past."""
    moved = "{0} = {0} - make_interval(secs => :s)".format
    statement = f"UPDATE inicio_sesion SET {moved('ultimo_uso')}, {moved('vence')}, {moved('fecha_creacion')}"  # noqa: S608
    connection.execute(text(statement), {"s": seconds})


def kinds(user: TestUser) -> list[str]:
    return [event["tipo"] for event in user.get("/user/me/events").json()]


class TestTheAnswer:
    def test_it_has_every_field_of_the_contract(self, user: TestUser) -> None:
        body = user.log_in().json()

        assert set(body) == {
            "access_token",
            "token_type",
            "expires_in",
            "refresh_token",
            "user_name",
            "debe_cambiar_clave",
        }
        assert (body["token_type"], body["expires_in"]) == ("Bearer", 86_400)

    def test_renewed_tokens_come_in_the_same_shape(self, api: TestClient, user: TestUser) -> None:
        login = user.log_in().json()

        renewed = refresh(api, login["refresh_token"]).json()

        assert set(renewed) == set(login)
        assert renewed["user_name"] == login["user_name"]

    def test_a_login_opens_for_30_days(self, user: TestUser, connection: Connection) -> None:
        del user
        statement = text("SELECT extract(epoch FROM vence - fecha_creacion) / 86400 FROM inicio_sesion")

        assert float(connection.scalar(statement) or 0) == pytest.approx(30, abs=0.01)


class TestClientsThatRefresh:
    """A client that says so gets access tokens that hold briefly; the others cannot renew theirs."""

    def test_their_access_tokens_hold_for_15_minutes(self, user: TestUser, resources: Resources) -> None:
        login = user.log_in(renueva_tokens=True).json()

        assert login["expires_in"] == 15 * 60
        claims = json.loads(resources.keyring.unseal(login["access_token"], purpose=Purpose.ACCESS_TOKEN))
        lives = datetime.fromisoformat(claims["exp"]) - datetime.fromisoformat(claims["iat"])
        assert lives.total_seconds() == pytest.approx(15 * 60, abs=1)

    def test_so_do_their_next_ones(self, api: TestClient, user: TestUser) -> None:
        token = user.log_in(renueva_tokens=True).json()["refresh_token"]

        for _ in range(2):
            renewed = refresh(api, token).json()
            assert renewed["expires_in"] == 15 * 60
            token = renewed["refresh_token"]

    def test_operators_say_for_how_long(self, make_app: MakeApp, user: TestUser) -> None:
        body = {"email": user.email, "clave": user.key, "renueva_tokens": True}
        for access, short, expected in ((1440, 5, 300), (3, 15, 180)):
            api = TestClient(make_app(access_token_ttl_minutes=access, short_access_token_ttl_minutes=short))
            assert api.post("/user/login", json=body).json()["expires_in"] == expected

    def test_the_others_go_on_as_before(self, api: TestClient, user: TestUser) -> None:
        login = user.log_in(renueva_tokens=False).json()

        assert (login["expires_in"], refresh(api, login["refresh_token"]).json()["expires_in"]) == (86_400, 86_400)

    @pytest.mark.parametrize("value", ["true", 1, None, []])
    def test_it_is_said_with_a_boolean(self, user: TestUser, value: Any) -> None:
        assert set(fields_refused(user.log_in(renueva_tokens=value))) == {"renueva_tokens"}


class TestRefreshing:
    def test_the_new_tokens_work(self, api: TestClient, user: TestUser) -> None:
        renewed = refresh(api, user.refresh_token).json()

        assert me(api, renewed["access_token"]) == 200
        assert refresh(api, renewed["refresh_token"]).status_code == 200

    def test_the_access_token_from_before_still_holds(self, api: TestClient, user: TestUser) -> None:
        refresh(api, user.refresh_token)

        assert user.get("/user/me").status_code == 200

    def test_it_is_the_same_login(self, api: TestClient, user: TestUser) -> None:
        (before,) = user.get("/user/logins").json()

        refresh(api, user.refresh_token)

        (after,) = user.get("/user/logins").json()
        assert after["id"] == before["id"]

    def test_each_renewal_gives_30_days_more(self, api: TestClient, user: TestUser, connection: Connection) -> None:
        let_pass(connection, 20 * 86_400)

        refresh(api, user.refresh_token)

        statement = text("SELECT extract(epoch FROM vence - now()) / 86400 FROM inicio_sesion")
        assert float(connection.scalar(statement) or 0) == pytest.approx(30, abs=0.01)

    def test_however_often_it_is_renewed_a_login_ends(
        self, api: TestClient, user: TestUser, connection: Connection
    ) -> None:
        seconds = (LONGEST_LOGIN - timedelta(days=1)).total_seconds()
        old = text("UPDATE inicio_sesion SET fecha_creacion = now() - make_interval(secs => :seconds)")
        connection.execute(old, {"seconds": seconds})

        refresh(api, user.refresh_token)

        statement = text("SELECT extract(epoch FROM vence - now()) / 86400 FROM inicio_sesion")
        assert float(connection.scalar(statement) or 0) == pytest.approx(1, abs=0.01)

    def test_an_answer_that_was_lost_can_be_asked_for_again(
        self, api: TestClient, user: TestUser, connection: Connection
    ) -> None:
        refresh(api, user.refresh_token)
        let_pass(connection, GRACE_S)

        again = refresh(api, user.refresh_token)

        assert again.status_code == 200
        assert refresh(api, again.json()["refresh_token"]).status_code == 200

    def test_it_can_be_asked_for_again_once(self, api: TestClient, user: TestUser) -> None:
        first = refresh(api, user.refresh_token).json()

        assert [refresh(api, user.refresh_token).status_code for _ in range(2)] == [200, 401]

        assert me(api, first["access_token"]) == 401
        assert refresh(api, first["refresh_token"]).status_code == 401

    def test_each_token_can_be_asked_for_again(self, api: TestClient, user: TestUser) -> None:
        refresh(api, user.refresh_token)
        second = refresh(api, user.refresh_token).json()["refresh_token"]

        assert [refresh(api, second).status_code for _ in range(2)] == [200, 200]

    def test_each_token_can_be_asked_for_again_whatever_an_older_process_renewed(
        self, api: TestClient, user: TestUser, connection: Connection
    ) -> None:
        first = [refresh(api, user.refresh_token) for _ in range(2)][-1].json()["refresh_token"]
        # What the release before does of these columns when it takes the first token.
        connection.execute(text("UPDATE inicio_sesion SET rotacion = rotacion + 1, ultimo_uso = now()"))

        assert [refresh(api, first).status_code for _ in range(2)] == [200, 401]

    def test_asking_for_it_again_is_told_to_the_person(self, api: TestClient, user: TestUser) -> None:
        for _ in range(2):
            refresh(api, user.refresh_token)

        assert kinds(user)[0] == "renovacion_repetida"

    def test_later_than_that_it_closes_the_login(self, api: TestClient, user: TestUser, connection: Connection) -> None:
        renewed = refresh(api, user.refresh_token).json()
        let_pass(connection, GRACE_S + 1)

        assert refresh(api, user.refresh_token).status_code == 401

        assert refresh(api, renewed["refresh_token"]).status_code == 401
        assert me(api, renewed["access_token"]) == 401
        assert user.get("/user/me").status_code == 401

    def test_an_even_older_one_closes_the_login_at_once(self, api: TestClient, user: TestUser) -> None:
        second = refresh(api, user.refresh_token).json()
        third = refresh(api, second["refresh_token"]).json()

        assert refresh(api, user.refresh_token).status_code == 401

        assert me(api, third["access_token"]) == 401

    def test_a_reused_one_leaves_the_persons_other_logins(
        self, api: TestClient, user: TestUser, connection: Connection
    ) -> None:
        phone = user.again()
        refresh(api, user.refresh_token)
        let_pass(connection, GRACE_S + 1)

        refresh(api, user.refresh_token)

        assert phone.get("/user/me").status_code == 200

    def test_a_reused_one_is_told_to_the_person(self, api: TestClient, user: TestUser, connection: Connection) -> None:
        phone = user.again()
        refresh(api, user.refresh_token)
        let_pass(connection, GRACE_S + 1)

        refresh(api, user.refresh_token)

        assert kinds(phone)[0] == "token_reutilizado"

    def test_an_access_token_does_not_renew(self, api: TestClient, user: TestUser) -> None:
        response = refresh(api, user.token)

        assert (response.status_code, response.json()["error"]) == (401, "not authenticated")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    def test_a_refresh_token_does_not_open_anything(self, api: TestClient, user: TestUser) -> None:
        assert me(api, user.refresh_token) == 401

    @pytest.mark.parametrize("token", ["", "x", "v4.local.AAAA.AAAA", "ñ", "x" * 5000])
    def test_an_invented_one_is_refused(self, api: TestClient, token: str) -> None:
        assert refresh(api, token).status_code == 401

    def test_an_expired_one_is_refused(self, api: TestClient, user: TestUser, resources: Resources) -> None:
        login_id = resources.tokens.read_refresh(user.refresh_token).login_id
        past = Tokens(resources.keyring, access_ttl=timedelta(1), refresh_ttl=timedelta(seconds=-1))

        assert refresh(api, past.issue_refresh(login_id=login_id, rotation=0)).status_code == 401

    def test_one_of_a_login_that_ended_is_refused(self, api: TestClient, user: TestUser) -> None:
        user.post("/user/logout")

        assert refresh(api, user.refresh_token).status_code == 401

    def test_one_of_a_login_that_expired_is_refused(
        self, api: TestClient, user: TestUser, connection: Connection
    ) -> None:
        let_pass(connection, 31 * 86_400)

        assert refresh(api, user.refresh_token).status_code == 401

    def test_one_of_a_disabled_account_is_refused(
        self, api: TestClient, user: TestUser, connection: Connection
    ) -> None:
        connection.execute(text("UPDATE usuario SET deshabilitado = now()"))

        assert refresh(api, user.refresh_token).status_code == 401


class TestALoginThatATemporaryKeyOpened:
    @pytest.fixture(autouse=True)
    def _older_than_a_mailed_key_gets(self, user: TestUser, connection: Connection) -> None:
        """Also as a process of the release before leaves it, which keeps the end of a key that was used."""
        statement = text("UPDATE usuario SET clave_vence = now() WHERE email = :email")
        connection.execute(statement, {"email": user.email})
        let_pass(connection, 4 * 86_400)

    def test_goes_on(self, user: TestUser) -> None:
        assert user.get("/user/me").status_code == 200

    def test_is_renewed(self, api: TestClient, user: TestUser) -> None:
        assert refresh(api, user.refresh_token).status_code == 200

    def test_can_make_the_key_another(self, user: TestUser) -> None:
        assert user.change_key("una clave bien nueva").status_code == 200


class TestLoggingOut:
    def test_this_login_ends_and_no_other(self, user: TestUser) -> None:
        phone = user.again()

        assert user.post("/user/logout").status_code == 204

        assert user.get("/user/me").status_code == 401
        assert phone.get("/user/me").status_code == 200
        assert kinds(phone)[0] == "cierre_de_sesion"


class TestSeeingLogins:
    def test_every_open_one_is_shown_newest_first(self, user: TestUser) -> None:
        phone = user.again()

        logins = user.get("/user/logins").json()

        assert [login["actual"] for login in logins] == [False, True]
        assert [login["actual"] for login in phone.get("/user/logins").json()] == [True, False]

    def test_it_tells_the_program_and_roughly_the_place(self, api: TestClient, user: TestUser) -> None:
        api.post(
            "/user/login", json={"email": user.email, "clave": user.key}, headers={"User-Agent": "Firefox " + "x" * 500}
        )

        login = user.get("/user/logins").json()[0]

        assert login["agente"] == ("Firefox " + "x" * 500)[:200]
        assert set(login) == {"id", "fecha_creacion", "ultimo_uso", "vence", "direccion", "agente", "actual"}

    def test_closed_and_expired_ones_are_not_shown(self, user: TestUser, connection: Connection) -> None:
        user.again().post("/user/logout")
        expired = user.again()
        (newest, *_) = expired.get("/user/logins").json()
        connection.execute(text("UPDATE inicio_sesion SET vence = now() WHERE id = :id"), {"id": newest["id"]})

        assert [login["actual"] for login in user.get("/user/logins").json()] == [True]

    def test_other_peoples_are_not_shown(self, user: TestUser, other_user: TestUser) -> None:
        other_user.again()

        assert len(user.get("/user/logins").json()) == 1

    def test_one_can_be_ended_from_another(self, user: TestUser) -> None:
        phone = user.again()
        (login_id,) = [login["id"] for login in user.get("/user/logins").json() if not login["actual"]]

        assert user.delete(f"/user/logins/{login_id}").status_code == 204

        assert phone.get("/user/me").status_code == 401
        assert user.get("/user/me").status_code == 200
        assert kinds(user)[0] == "sesion_terminada"

    def test_one_that_ended_is_not_there_any_more(self, user: TestUser) -> None:
        user.again()
        (login_id,) = [login["id"] for login in user.get("/user/logins").json() if not login["actual"]]
        user.delete(f"/user/logins/{login_id}")

        assert user.delete(f"/user/logins/{login_id}").status_code == 404


class TestChangingTheSecretKey:
    """SECRET_KEY holds the new key before the old one until the tokens of the old one have expired."""

    OLD, NEW = (SecretStr(generate_paserk()) for _ in range(2))

    @pytest.fixture
    def app(self, make_app: MakeApp) -> FastAPI:
        return make_app(secret_key=self.OLD)

    def serve(self, make_app: MakeApp, *keys: SecretStr) -> TestClient:
        return TestClient(make_app(secret_key=SecretStr(",".join(key.get_secret_value() for key in keys))))

    def test_tokens_of_the_old_key_go_on(self, make_app: MakeApp, user: TestUser) -> None:
        changed = self.serve(make_app, self.NEW, self.OLD)

        assert me(changed, user.token) == 200
        assert refresh(changed, user.refresh_token).status_code == 200

    def test_new_tokens_are_of_the_new_key(self, make_app: MakeApp, user: TestUser) -> None:
        renewed = refresh(self.serve(make_app, self.NEW, self.OLD), user.refresh_token).json()

        assert me(self.serve(make_app, self.NEW), renewed["access_token"]) == 200

    def test_without_the_old_key_its_tokens_end(self, make_app: MakeApp, user: TestUser) -> None:
        changed = self.serve(make_app, self.NEW)

        assert me(changed, user.token) == 401
        assert refresh(changed, user.refresh_token).status_code == 401


class TestWhatHappensWhileAKeyIsVerified:
    @pytest.fixture
    def app(self, make_app: MakeApp, interrupted_hasher: InterruptedHasher) -> FastAPI:
        return make_app(hasher=interrupted_hasher)

    def test_a_hash_that_another_login_renews_lets_both_in(
        self, user: TestUser, interrupted_hasher: InterruptedHasher, connection: Connection
    ) -> None:
        older = PasswordHasher(memory_kib=16, passes=1).hash(user.key)
        connection.execute(text("UPDATE usuario SET clave_hash = :h WHERE email = :e"), {"h": older, "e": user.email})
        statuses: list[int] = []
        interrupted_hasher.meanwhile = lambda: statuses.append(user.log_in().status_code)

        statuses.append(user.log_in().status_code)

        assert statuses == [200, 200]

    def test_a_key_that_is_changed_no_longer_lets_in(
        self, api: TestClient, user: TestUser, interrupted_hasher: InterruptedHasher
    ) -> None:
        before = {"email": user.email, "clave": user.key}
        interrupted_hasher.meanwhile = lambda: user.change_key("una clave bien nueva")

        assert api.post("/user/login", json=before).status_code == 401

    def test_an_account_that_is_erased_is_just_unknown(
        self, api: TestClient, user: TestUser, interrupted_hasher: InterruptedHasher
    ) -> None:
        interrupted_hasher.meanwhile = lambda: user.delete("/user/me", {"clave": user.key})

        assert api.post("/user/login", json={"email": user.email, "clave": "otra"}).status_code == 401
        assert user.get("/user/me").status_code == 401
