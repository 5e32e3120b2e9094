"""Keys: the mailed one, the link beside it, changing, forgetting, and which may be chosen."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Any

import argon2
import pytest
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.services import accounts
from maverik_backend.web.resources import Resources
from tests.support.answers import fields_refused
from tests.support.fixtures.people import MailsTo, MakeUser, TestUser, key_in, link_token_in, make_profile, text_of

NEW_KEY = "una clave nueva, larga"
COMMON = (files("maverik_backend.core") / "data" / "common_passwords.txt").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def newcomer(api: TestClient, mails_to: MailsTo) -> str:
    """The address of somebody who signed up and has not signed in."""
    email = str(make_profile()["email"])
    assert api.post("/user/signup", json=make_profile(email=email)).status_code == 201
    assert len(mails_to(email)) == 1
    return email


def sign_in(api: TestClient, email: str, key: str) -> Any:
    return api.post("/user/login", json={"email": email, "clave": key})


def reset(api: TestClient, token: str, key: str = NEW_KEY) -> Any:
    return api.post("/user/password/reset", json={"token": token, "clave_nueva": key})


def forget(api: TestClient, email: str, mails_to: MailsTo) -> str:
    """The token of the link that is mailed to somebody who forgot the key."""
    assert api.post("/user/password/forgot", json={"email": email}).status_code == 200
    return link_token_in(mails_to(email)[-1])


def let_pass_but(connection: Connection, remaining_s: int) -> None:
    """Move every mailed key that has an end to so many seconds before it."""
    statement = "UPDATE usuario SET clave_vence = now() + make_interval(secs => :s) WHERE clave_vence IS NOT NULL"
    connection.execute(text(statement), {"s": remaining_s})


def is_verified(connection: Connection, email: str) -> bool:
    statement = text("SELECT email_verificado IS NOT NULL FROM usuario WHERE email = :email")
    return bool(connection.scalar(statement, {"email": email}))


class TestTheMailedKey:
    def test_the_mail_has_the_key_on_a_line_of_its_own_and_a_link(self, newcomer: str, mails_to: MailsTo) -> None:
        (mail,) = mails_to(newcomer)

        assert len(key_in(mail)) == 26
        assert len(link_token_in(mail)) >= 43

    def test_the_mail_says_how_long_it_holds(self, newcomer: str, mails_to: MailsTo) -> None:
        assert "72 horas" in text_of(mails_to(newcomer)[0])

    def test_signing_in_with_it_asks_for_another(self, api: TestClient, newcomer: str, mails_to: MailsTo) -> None:
        for _ in range(2):
            response = sign_in(api, newcomer, key_in(mails_to(newcomer)[0]))
            assert (response.status_code, response.json()["debe_cambiar_clave"]) == (200, True)

    def test_it_is_kept_for_72_hours(self, newcomer: str, connection: Connection) -> None:
        statement = text(
            "SELECT extract(epoch FROM clave_vence - fecha_creacion) / 3600 FROM usuario WHERE email = :email"
        )

        assert 71.9 < float(connection.scalar(statement, {"email": newcomer}) or 0) < 72.1

    @pytest.mark.parametrize(("remaining_s", "status"), [(60, 200), (-1, 401)])
    def test_unused_it_works_until_it_expires(
        self,
        api: TestClient,
        newcomer: str,
        mails_to: MailsTo,
        connection: Connection,
        *,
        remaining_s: int,
        status: int,
    ) -> None:
        key = key_in(mails_to(newcomer)[0])
        let_pass_but(connection, remaining_s)

        assert sign_in(api, newcomer, key).status_code == status

    def test_used_in_time_it_does_not_expire(
        self, api: TestClient, newcomer: str, mails_to: MailsTo, connection: Connection
    ) -> None:
        key = key_in(mails_to(newcomer)[0])
        sign_in(api, newcomer, key)

        let_pass_but(connection, -1)

        again = sign_in(api, newcomer, key)
        assert (again.status_code, again.json()["debe_cambiar_clave"]) == (200, True)

    def test_a_wrong_try_does_not_keep_it_from_expiring(
        self, api: TestClient, newcomer: str, mails_to: MailsTo, connection: Connection
    ) -> None:
        sign_in(api, newcomer, "otra")

        let_pass_but(connection, -1)

        assert sign_in(api, newcomer, key_in(mails_to(newcomer)[0])).status_code == 401

    def test_using_it_verifies_the_address(
        self, api: TestClient, newcomer: str, mails_to: MailsTo, connection: Connection
    ) -> None:
        assert not is_verified(connection, newcomer)

        sign_in(api, newcomer, key_in(mails_to(newcomer)[0]))

        assert is_verified(connection, newcomer)

    def test_a_wrong_one_does_not_verify_the_address(
        self, api: TestClient, newcomer: str, connection: Connection
    ) -> None:
        sign_in(api, newcomer, "otra")

        assert not is_verified(connection, newcomer)

    def test_it_is_verified_once(self, user: TestUser) -> None:
        user.again()

        kinds = [event["tipo"] for event in user.get("/user/me/events").json()]
        assert kinds.count("correo_verificado") == 1


class TestAKeyThatAnOperatorReplaced:
    @pytest.fixture
    def key(self, user: TestUser, resources: Resources, mails_to: MailsTo) -> str:
        mailed = resources.passwords.make_mailed_password()
        with resources.database.transaction() as session:
            accounts.reset_password(session, email=user.email, passwords=resources.passwords, mailed=mailed)
        return key_in(mails_to(user.email)[-1])

    def test_expires_unused(self, api: TestClient, user: TestUser, key: str, connection: Connection) -> None:
        let_pass_but(connection, -1)

        assert sign_in(api, user.email, key).status_code == 401

    def test_used_in_time_does_not_expire(
        self, api: TestClient, user: TestUser, key: str, connection: Connection
    ) -> None:
        sign_in(api, user.email, key)

        let_pass_but(connection, -1)

        assert sign_in(api, user.email, key).json()["debe_cambiar_clave"] is True


class TestTheLink:
    def test_it_sets_a_key_that_need_not_be_changed(self, api: TestClient, newcomer: str, mails_to: MailsTo) -> None:
        assert reset(api, link_token_in(mails_to(newcomer)[0])).status_code == 200

        assert sign_in(api, newcomer, NEW_KEY).json()["debe_cambiar_clave"] is False

    def test_it_replaces_the_mailed_key(self, api: TestClient, newcomer: str, mails_to: MailsTo) -> None:
        (mail,) = mails_to(newcomer)

        reset(api, link_token_in(mail))

        assert sign_in(api, newcomer, key_in(mail)).status_code == 401

    def test_the_key_it_sets_does_not_expire(
        self, api: TestClient, newcomer: str, mails_to: MailsTo, connection: Connection
    ) -> None:
        reset(api, link_token_in(mails_to(newcomer)[0]))

        statement = text("SELECT clave_vence FROM usuario WHERE email = :email")
        assert connection.execute(statement, {"email": newcomer}).one() == (None,)

    def test_it_verifies_the_address(
        self, api: TestClient, newcomer: str, mails_to: MailsTo, connection: Connection
    ) -> None:
        reset(api, link_token_in(mails_to(newcomer)[0]))

        assert is_verified(connection, newcomer)

    def test_it_works_once(self, api: TestClient, newcomer: str, mails_to: MailsTo) -> None:
        token = link_token_in(mails_to(newcomer)[0])
        reset(api, token)

        again = reset(api, token, "otra clave distinta")

        assert set(fields_refused(again)) == {"token"}
        assert sign_in(api, newcomer, NEW_KEY).status_code == 200

    def test_it_works_until_it_expires(
        self, api: TestClient, newcomer: str, mails_to: MailsTo, connection: Connection
    ) -> None:
        connection.execute(text("UPDATE enlace_clave SET vence = now()"))

        assert set(fields_refused(reset(api, link_token_in(mails_to(newcomer)[0])))) == {"token"}

    def test_a_key_that_is_not_acceptable_leaves_it_good(
        self, api: TestClient, newcomer: str, mails_to: MailsTo
    ) -> None:
        token = link_token_in(mails_to(newcomer)[0])

        for key in ("corta", "password1", newcomer):
            assert set(fields_refused(reset(api, token, key))) == {"clave_nueva"}
        assert reset(api, token).status_code == 200

    def test_it_does_not_make_the_mailed_key_permanent(self, api: TestClient, newcomer: str, mails_to: MailsTo) -> None:
        (mail,) = mails_to(newcomer)

        assert set(fields_refused(reset(api, link_token_in(mail), key_in(mail)))) == {"clave_nueva"}

        assert sign_in(api, newcomer, key_in(mail)).json()["debe_cambiar_clave"] is True
        assert reset(api, link_token_in(mail)).status_code == 200

    @pytest.mark.parametrize("token", ["", "x", "A" * 43, "ñ", "A" * 200])
    def test_an_invented_one_is_refused(self, api: TestClient, newcomer: str, token: str) -> None:
        del newcomer

        assert set(fields_refused(reset(api, token))) == {"token"}

    def test_only_its_digest_is_stored(self, newcomer: str, mails_to: MailsTo, connection: Connection) -> None:
        token = link_token_in(mails_to(newcomer)[0])

        (digest,) = connection.scalars(text("SELECT resumen FROM enlace_clave")).all()

        assert len(digest) == 32
        assert token.encode() not in digest

    def test_that_of_a_disabled_account_is_refused(
        self, api: TestClient, newcomer: str, mails_to: MailsTo, connection: Connection
    ) -> None:
        connection.execute(text("UPDATE usuario SET deshabilitado = now() WHERE email = :e"), {"e": newcomer})

        assert set(fields_refused(reset(api, link_token_in(mails_to(newcomer)[0])))) == {"token"}


class TestSigningInWithALink:
    """Whoever reads the mailbox is the person: a mailed link sets the key and opens a login."""

    def test_the_answer_carries_the_tokens_of_a_login(
        self, api: TestClient, user: TestUser, newcomer: str, mails_to: MailsTo
    ) -> None:
        body = reset(api, link_token_in(mails_to(newcomer)[0])).json()

        assert set(body) == {*user.log_in().json(), "mensaje", "segundo_factor_requerido"}
        assert (body["user_name"], body["debe_cambiar_clave"]) == (newcomer.partition("@")[0], False)
        headers = {"Authorization": f"Bearer {body['access_token']}"}
        assert api.get("/user/me", headers=headers).json()["email"] == newcomer
        assert api.post("/user/token/refresh", json={"refresh_token": body["refresh_token"]}).status_code == 200

    def test_it_is_the_only_login_that_is_left(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        body = reset(api, forget(api, user.email, mails_to)).json()

        logins = api.get("/user/logins", headers={"Authorization": f"Bearer {body['access_token']}"}).json()
        assert [login["actual"] for login in logins] == [True]

    def test_it_is_on_record(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        body = reset(api, forget(api, user.email, mails_to)).json()

        events = api.get("/user/me/events", headers={"Authorization": f"Bearer {body['access_token']}"}).json()
        assert [event["tipo"] for event in events[:2]] == ["inicio_de_sesion", "clave_restablecida"]

    def test_a_client_that_refreshes_may_say_so(self, api: TestClient, newcomer: str, mails_to: MailsTo) -> None:
        body = {"token": link_token_in(mails_to(newcomer)[0]), "clave_nueva": NEW_KEY, "renueva_tokens": True}

        assert api.post("/user/password/reset", json=body).json()["expires_in"] == 15 * 60

    def test_a_link_that_does_not_hold_opens_nothing(self, api: TestClient, connection: Connection) -> None:
        assert set(fields_refused(reset(api, "x"))) == {"token"}
        assert connection.scalar(text("SELECT count(*) FROM inicio_sesion")) == 0


class TestForgetting:
    def test_a_link_is_mailed_that_sets_another_key(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        token = forget(api, user.email, mails_to)

        assert reset(api, token).status_code == 200
        assert sign_in(api, user.email, NEW_KEY).status_code == 200
        assert sign_in(api, user.email, user.key).status_code == 401

    def test_the_mail_has_no_key(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        forget(api, user.email, mails_to)

        assert "Clave:" not in text_of(mails_to(user.email)[-1])

    def test_asking_changes_nothing_yet(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        forget(api, user.email, mails_to)

        assert user.get("/user/me").status_code == 200
        assert user.log_in().status_code == 200

    def test_the_letters_of_the_address_may_be_of_any_case(
        self, api: TestClient, user: TestUser, mails_to: MailsTo
    ) -> None:
        assert forget(api, user.email.upper(), mails_to)

    def test_the_link_holds_for_an_hour(
        self, api: TestClient, user: TestUser, mails_to: MailsTo, connection: Connection
    ) -> None:
        token = forget(api, user.email, mails_to)
        newest = "(SELECT max(id) FROM enlace_clave)"
        statement = text(f"SELECT extract(epoch FROM vence - now()) FROM enlace_clave WHERE id = {newest}")  # noqa: S608
        assert 3590 < float(connection.scalar(statement) or 0) < 3660

        connection.execute(text(f"UPDATE enlace_clave SET vence = now() WHERE id = {newest}"))  # noqa: S608

        assert set(fields_refused(reset(api, token))) == {"token"}

    def test_using_one_link_ends_all_of_them(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        welcome = link_token_in(mails_to(user.email)[0])
        first = forget(api, user.email, mails_to)
        second = forget(api, user.email, mails_to)

        assert reset(api, second).status_code == 200

        for token in (welcome, first, second):
            assert set(fields_refused(reset(api, token, "otra clave distinta"))) == {"token"}

    def test_another_persons_links_go_on(
        self, api: TestClient, user: TestUser, other_user: TestUser, mails_to: MailsTo
    ) -> None:
        mine, theirs = (forget(api, person.email, mails_to) for person in (user, other_user))

        reset(api, mine)

        assert reset(api, theirs).status_code == 200

    def test_restoring_ends_every_login(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        phone = user.again()

        reset(api, forget(api, user.email, mails_to))

        for login in (user, phone):
            assert login.get("/user/me").status_code == 401
            refreshed = api.post("/user/token/refresh", json={"refresh_token": login.refresh_token})
            assert refreshed.status_code == 401

    def test_restoring_is_said_by_mail(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        reset(api, forget(api, user.email, mails_to))

        assert mails_to(user.email)[-1]["Subject"] == "Tu clave de Maverik cambió"

    def test_an_address_without_account_is_told_so_by_mail(self, api: TestClient, mails_to: MailsTo) -> None:
        api.post("/user/password/forgot", json={"email": "nadie@example.com"})

        (mail,) = mails_to("nadie@example.com")
        assert mail["Subject"] == "No hay una cuenta de Maverik con este correo"

    @pytest.mark.parametrize("path", ["/user/signup", "/user/password/forgot", "/user/email/resend"])
    def test_a_disabled_account_is_told_the_same_whatever_was_asked_for(
        self, api: TestClient, user: TestUser, mails_to: MailsTo, connection: Connection, path: str
    ) -> None:
        connection.execute(text("UPDATE usuario SET deshabilitado = now()"))

        api.post(path, json=make_profile(email=user.email))

        assert mails_to(user.email)[-1]["Subject"] == "Tu cuenta de Maverik está deshabilitada"

    def test_a_disabled_account_gets_no_link(
        self, api: TestClient, user: TestUser, mails_to: MailsTo, connection: Connection
    ) -> None:
        connection.execute(text("UPDATE usuario SET deshabilitado = now()"))

        api.post("/user/password/forgot", json={"email": user.email})

        assert "token=" not in text_of(mails_to(user.email)[-1])

    @pytest.mark.parametrize("path", ["/user/password/forgot", "/user/email/resend"])
    @pytest.mark.parametrize("email", ["", "x", 7, None])
    def test_what_is_no_address_is_refused(self, api: TestClient, path: str, email: Any) -> None:
        assert set(fields_refused(api.post(path, json={"email": email}))) == {"email"}


class TestResending:
    def test_a_fresh_key_and_link_come(self, api: TestClient, newcomer: str, mails_to: MailsTo) -> None:
        assert api.post("/user/email/resend", json={"email": newcomer}).status_code == 200

        first, second = mails_to(newcomer)
        assert sign_in(api, newcomer, key_in(first)).status_code == 401
        assert sign_in(api, newcomer, key_in(second)).json()["debe_cambiar_clave"] is True
        assert reset(api, link_token_in(second)).status_code == 200

    def test_earlier_links_end(self, api: TestClient, newcomer: str, mails_to: MailsTo) -> None:
        welcome = link_token_in(mails_to(newcomer)[0])
        forgotten = forget(api, newcomer, mails_to)

        api.post("/user/email/resend", json={"email": newcomer})

        for token in (welcome, forgotten):
            assert set(fields_refused(reset(api, token))) == {"token"}

    def test_an_expired_key_is_replaced(
        self, api: TestClient, newcomer: str, mails_to: MailsTo, connection: Connection
    ) -> None:
        connection.execute(text("UPDATE usuario SET clave_vence = now() WHERE email = :e"), {"e": newcomer})

        api.post("/user/email/resend", json={"email": newcomer})

        assert sign_in(api, newcomer, key_in(mails_to(newcomer)[-1])).status_code == 200

    def test_somebody_who_signed_in_already_keeps_the_key(
        self, api: TestClient, user: TestUser, mails_to: MailsTo
    ) -> None:
        api.post("/user/email/resend", json={"email": user.email})

        assert "Clave:" not in text_of(mails_to(user.email)[-1])
        assert user.log_in().status_code == 200

    def test_somebody_from_before_an_upgrade_keeps_the_key(
        self, api: TestClient, newcomer: str, mails_to: MailsTo, connection: Connection
    ) -> None:
        key = key_in(mails_to(newcomer)[0])
        connection.execute(text("UPDATE usuario SET clave_vence = NULL WHERE email = :e"), {"e": newcomer})

        api.post("/user/email/resend", json={"email": newcomer})

        assert sign_in(api, newcomer, key).status_code == 200

    def test_a_disabled_account_gets_no_key(
        self, api: TestClient, newcomer: str, mails_to: MailsTo, connection: Connection
    ) -> None:
        connection.execute(text("UPDATE usuario SET deshabilitado = now() WHERE email = :e"), {"e": newcomer})

        api.post("/user/email/resend", json={"email": newcomer})

        assert "Clave:" not in text_of(mails_to(newcomer)[-1])

    def test_an_address_without_account_gets_a_mail_without_key(self, api: TestClient, mails_to: MailsTo) -> None:
        api.post("/user/email/resend", json={"email": "nadie@example.com"})

        (mail,) = mails_to("nadie@example.com")
        assert "Clave:" not in text_of(mail)
        assert "token=" not in text_of(mail)


class TestChanging:
    def test_the_new_key_signs_in_and_the_old_one_no_more(self, api: TestClient, user: TestUser) -> None:
        old = user.key

        assert user.change_key(NEW_KEY).status_code == 200

        assert sign_in(api, user.email, old).status_code == 401
        assert sign_in(api, user.email, NEW_KEY).json()["debe_cambiar_clave"] is False

    def test_every_other_login_ends(self, api: TestClient, user: TestUser) -> None:
        phone = user.again()

        user.change_key(NEW_KEY)

        assert user.get("/user/me").status_code == 200
        assert phone.get("/user/me").status_code == 401
        refreshed = api.post("/user/token/refresh", json={"refresh_token": phone.refresh_token})
        assert refreshed.status_code == 401

    def test_other_people_stay_signed_in(self, user: TestUser, other_user: TestUser) -> None:
        user.change_key(NEW_KEY)

        assert other_user.get("/user/me").status_code == 200

    def test_it_is_said_by_mail(self, user: TestUser, mails_to: MailsTo) -> None:
        user.change_key(NEW_KEY)

        mail = mails_to(user.email)[-1]
        assert mail["Subject"] == "Tu clave de Maverik cambió"
        assert NEW_KEY not in text_of(mail)

    def test_mailed_links_die(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        token = forget(api, user.email, mails_to)

        user.change_key(NEW_KEY)

        assert set(fields_refused(reset(api, token))) == {"token"}

    def test_the_current_key_must_be_right(self, user: TestUser) -> None:
        refused = user.put("/user/password", {"clave_actual": "otra", "clave_nueva": NEW_KEY})

        assert set(fields_refused(refused)) == {"clave_actual"}
        assert user.log_in().status_code == 200

    @pytest.mark.parametrize("spelling", [str, partial(unicodedata.normalize, "NFD")])
    def test_the_key_that_is_there_already_is_no_new_one(self, user: TestUser, spelling: Callable[[str], str]) -> None:
        user.change_key("señal de ñandú")

        refused = fields_refused(
            user.put("/user/password", {"clave_actual": user.key, "clave_nueva": spelling(user.key)})
        )

        assert refused["clave_nueva"]["mensaje"] == "Es la clave que ya tenés: elegí una distinta."

    def test_a_mailed_key_cannot_be_made_permanent(self, api: TestClient, user: TestUser) -> None:
        assert set(fields_refused(user.change_key(user.key))) == {"clave_nueva"}

        assert sign_in(api, user.email, user.key).json()["debe_cambiar_clave"] is True

    @pytest.mark.parametrize("body", [{}, {"clave_actual": "x"}, {"clave_nueva": NEW_KEY}, {"clave_actual": 1}])
    def test_both_keys_are_required(self, user: TestUser, body: dict[str, Any]) -> None:
        assert fields_refused(user.put("/user/password", body))


class TestWhichKeys:
    @pytest.mark.parametrize(
        "key",
        [
            pytest.param("8 letras", id="8"),
            pytest.param("una clave " * 12 + "y 8 más.", id="128"),
            pytest.param("49127385016", id="digits"),
            pytest.param("a   b   c   d", id="mostly spaces"),
            pytest.param(" con bordes ", id="spaces around"),
            pytest.param("😀😃😄😁😆😅🤣😂", id="8 emoji"),
            pytest.param("👩‍👩‍👧‍👦 familia", id="joined emoji"),
            pytest.param("我喜欢在山上看日出", id="Chinese"),
            pytest.param("contraseña ÁÉÍ", id="accents"),
            pytest.param("a\tb\nc\rd\x07e\x1b", id="control characters"),
            pytest.param("'; DROP TABLE usuario; --", id="SQL"),
            pytest.param("$argon2id$v=19$m=8,t=1,p=1$x$y", id="like a hash"),
            pytest.param(unicodedata.normalize("NFD", "ñandú " * 21 + "áé"), id="128 after NFC"),
            pytest.param(unicodedata.normalize("NFD", ("ᾂᾖᾄᾧᾆᾗ" * 22)[:128]), id="128 after NFC, sent as 512"),
            pytest.param("barcelona 1929", id="a word and a year"),
            pytest.param("mi tía ahorra en maverik", id="the product in a sentence"),
        ],
    )
    def test_any_characters_and_8_to_128_of_them_are_accepted(self, user: TestUser, key: str) -> None:
        assert user.change_key(key).status_code == 200
        assert user.log_in().status_code == 200

    @pytest.mark.parametrize(
        "key",
        [
            pytest.param("", id="none"),
            pytest.param("7 letra", id="7"),
            pytest.param("😀" * 7, id="7 emoji"),
            pytest.param("x" * 129, id="129"),
            pytest.param("x" * 513, id="513"),
            pytest.param("x" * 16_000, id="16,000"),
            pytest.param(unicodedata.normalize("NFD", "áéíóúñ"), id="6 after NFC"),
            pytest.param("\U0001d160" * 3, id="3, although NFC makes 9 of them"),
        ],
    )
    def test_another_length_is_refused(self, user: TestUser, key: str) -> None:
        refused = fields_refused(user.change_key(key))

        assert "entre 8 y 128" in refused["clave_nueva"]["mensaje"]

    @pytest.mark.parametrize("key", ["password1", "PassWord1", "12345678", "iloveyou", "qwertyuiop"])
    def test_a_common_one_is_refused_in_any_case(self, user: TestUser, key: str) -> None:
        assert set(fields_refused(user.change_key(key))) == {"clave_nueva"}

    @pytest.mark.parametrize(
        "key",
        ["contraseña", "Contrasena", "CONTRASEÑA123", "micontraseña", "teamo1234", "bocajuniors", "argentina2022"],
    )
    def test_a_common_one_in_spanish_is_refused(self, user: TestUser, key: str) -> None:
        assert set(fields_refused(user.change_key(key))) == {"clave_nueva"}

    @pytest.mark.parametrize(
        "key",
        [
            "zzzzzzzzz",
            "        ",
            "23456789012",
            "98765432",
            "abcd1234",
            "abcabcabc",
            "1212121212",
            "asdasdas",
            "ñññññññññ",
        ],
    )
    def test_a_series_or_a_repetition_is_refused(self, user: TestUser, key: str) -> None:
        assert set(fields_refused(user.change_key(key))) == {"clave_nueva"}

    @pytest.mark.parametrize(
        "key",
        ["maverik2026", "Maverik!!!", "mi-maverick-1", "12maverik34", "anaperez1990", "ana.perez!", "1990 Ána Pérez"],
    )
    def test_one_that_the_address_or_the_product_gives_away_is_refused(self, make_user: MakeUser, key: str) -> None:
        user = make_user(email="ana.perez@example.com")

        refused = fields_refused(user.change_key(key))

        assert refused["clave_nueva"]["mensaje"].startswith("Se adivina por tu correo")

    def test_a_short_name_inside_a_key_gives_nothing_away(self, make_user: MakeUser) -> None:
        user = make_user(email="ana@example.com")

        assert set(fields_refused(user.change_key("ana19901990"))) == {"clave_nueva"}
        assert user.change_key("manzanas ana").status_code == 200

    def test_common_ones_in_spanish_are_known(self) -> None:
        content = (files("maverik_backend.core") / "data" / "common_passwords_es.txt").read_text(encoding="utf-8")
        spanish = content.splitlines()

        assert 200 <= len(spanish) == len(set(spanish))
        # Compared without accents and in lower case; shorter ones are refused by their length.
        assert all(key.isascii() and key == key.lower() and len(key) >= 8 for key in spanish)
        assert not set(spanish) & set(COMMON)

    def test_the_10000_most_common_are_known(self) -> None:
        assert len(COMMON) == len(set(COMMON)) == 10_000
        assert all(key == unicodedata.normalize("NFC", key).lower() for key in COMMON)

    @pytest.mark.parametrize("key", ["{0}", "{1}", "{2}"])
    def test_the_own_address_or_name_is_refused(self, make_user: MakeUser, key: str) -> None:
        user = make_user(email="anamaria.perez@example.com")
        key = key.format(user.email, user.email.upper(), "AnaMaria.Perez")

        assert set(fields_refused(user.change_key(key))) == {"clave_nueva"}
        assert user.log_in().status_code == 200

    def test_a_key_with_the_address_inside_is_accepted(self, user: TestUser) -> None:
        assert user.change_key(f"{user.email} y algo").status_code == 200

    def test_any_spelling_of_an_accent_signs_in(self, api: TestClient, user: TestUser) -> None:
        user.change_key(unicodedata.normalize("NFD", "contraseña más"))

        assert sign_in(api, user.email, unicodedata.normalize("NFC", "contraseña más")).status_code == 200
        assert sign_in(api, user.email, unicodedata.normalize("NFD", "contraseña más")).status_code == 200

    def test_the_case_of_letters_counts(self, api: TestClient, user: TestUser) -> None:
        user.change_key("Una Clave Larga")

        assert sign_in(api, user.email, "una clave larga").status_code == 401

    @pytest.mark.parametrize("key", [None, 12345678, ["una clave"], {"a": 1}, "con \x00 nulo"])
    def test_what_is_no_text_is_refused(self, user: TestUser, key: Any) -> None:
        refused = user.put("/user/password", {"clave_actual": user.key, "clave_nueva": key})

        assert set(fields_refused(refused)) == {"clave_nueva"}

    def test_a_refusal_does_not_repeat_the_key(self, user: TestUser) -> None:
        assert "qwertyuiop" not in user.change_key("qwertyuiop").text
        assert "7 letra" not in user.change_key("7 letra").text


class TestRehashing:
    STORED = text("SELECT clave_hash FROM usuario WHERE email = :email")

    def plant(self, connection: Connection, user: TestUser, **parameters: Any) -> str:
        planted = argon2.PasswordHasher(**parameters).hash(user.key)
        statement = text("UPDATE usuario SET clave_hash = :hash WHERE email = :email")
        connection.execute(statement, {"hash": planted, "email": user.email})
        return planted

    def test_signing_in_renews_a_hash_of_other_parameters(self, user: TestUser, connection: Connection) -> None:
        planted = self.plant(connection, user, memory_cost=16, time_cost=2, parallelism=1)

        assert user.log_in().status_code == 200

        stored = connection.scalar(self.STORED, {"email": user.email})
        assert stored != planted
        assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")
        assert user.log_in().status_code == 200

    def test_a_wrong_key_renews_nothing(self, api: TestClient, user: TestUser, connection: Connection) -> None:
        planted = self.plant(connection, user, memory_cost=16, time_cost=2, parallelism=1)

        sign_in(api, user.email, "otra")

        assert connection.scalar(self.STORED, {"email": user.email}) == planted

    def test_a_hash_of_todays_parameters_stays(self, user: TestUser, connection: Connection) -> None:
        before = connection.scalar(self.STORED, {"email": user.email})

        user.log_in()

        assert connection.scalar(self.STORED, {"email": user.email}) == before

    def test_a_planted_hash_of_excessive_parameters_does_not_sign_in(
        self, user: TestUser, connection: Connection
    ) -> None:
        self.plant(connection, user, memory_cost=8, time_cost=9, parallelism=1)

        assert user.log_in().status_code == 401
