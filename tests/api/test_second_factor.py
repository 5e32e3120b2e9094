"""The second factor: adding it, signing in with it, recovery codes, losing it."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.core.security import Purpose, Unsealable, generate_paserk
from maverik_backend.services.accounts import second_factor
from maverik_backend.services.accounts.enrolment import ENROLMENT_TTL
from maverik_backend.services.limits import LIMITS, Action
from maverik_backend.web.resources import Resources, resources_of
from tests.support.answers import fields_refused
from tests.support.fixtures.application import Clock, MakeApp
from tests.support.fixtures.people import MailsTo, TestUser, link_token_in, text_of
from tests.support.fixtures.second_factor import STEP_S, Enrol, Phone, confirm, start

NEW_KEY = "una clave bien nueva"


def refused(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def kinds(user: TestUser) -> list[str]:
    return [event["tipo"] for event in user.get("/user/me/events").json()]


def let_enrolment_wait(connection: Connection, seconds: float) -> None:
    statement = "UPDATE segundo_factor SET fecha_creacion = fecha_creacion - make_interval(secs => :s)"
    connection.execute(text(statement), {"s": seconds})


class TestAdding:
    def test_it_starts_with_a_secret_and_the_address_of_it(self, user: TestUser) -> None:
        body = start(user).json()

        parsed = pyotp.parse_uri(body["uri"])
        assert (parsed.secret, parsed.name, parsed.issuer) == (body["secreto"], user.email, "Maverik")
        assert len(body["secreto"]) == 32

    def test_it_takes_the_key(self, user: TestUser) -> None:
        response = user.post("/user/second-factor", {"clave": "otra"})

        assert set(fields_refused(response)) == {"clave"}

    def test_until_it_is_confirmed_the_key_alone_lets_in(self, user: TestUser) -> None:
        start(user)

        assert user.log_in().status_code == 200
        assert user.get("/user/second-factor").json() == {"activo": False, "activado": None, "codigos_restantes": 0}

    def test_a_first_code_activates_it(self, user: TestUser, phone: Phone) -> None:
        body = user.get("/user/second-factor").json()

        assert (body["activo"], body["codigos_restantes"]) == (True, len(phone.recovery_codes))
        assert body["activado"]

    def test_ten_different_recovery_codes_are_shown_then(self, phone: Phone) -> None:
        assert len(set(phone.recovery_codes)) == 10
        assert {len(code) for code in phone.recovery_codes} == {29}

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "aaaa-aaaa-aaaa-aaaa-aaaa-aaaa"])
    def test_what_is_no_code_does_not(self, user: TestUser, code: str) -> None:
        start(user)

        assert set(fields_refused(confirm(user, code))) == {"codigo"}
        assert user.log_in().status_code == 200

    def test_without_starting_there_is_nothing_to_confirm(self, user: TestUser) -> None:
        assert refused(confirm(user, "123456")) == (409, "second factor inactive")

    def test_a_secret_waits_for_an_hour(self, user: TestUser, clock: Clock, connection: Connection) -> None:
        phone = Phone(start(user).json()["secreto"], clock)
        let_enrolment_wait(connection, ENROLMENT_TTL.total_seconds() + 1)

        assert refused(confirm(user, phone.code())) == (409, "second factor inactive")

    def test_starting_again_replaces_the_secret(self, user: TestUser, clock: Clock, connection: Connection) -> None:
        first = Phone(start(user).json()["secreto"], clock)
        let_enrolment_wait(connection, ENROLMENT_TTL.total_seconds() + 1)
        second = Phone(start(user).json()["secreto"], clock)

        assert set(fields_refused(confirm(user, first.code()))) == {"codigo"}
        assert confirm(user, second.code()).status_code == 200

    @pytest.mark.usefixtures("phone")
    def test_an_active_one_is_not_replaced(self, user: TestUser) -> None:
        assert refused(start(user)) == (409, "second factor active")

    def test_an_active_one_is_not_confirmed_again(self, user: TestUser, phone: Phone) -> None:
        assert refused(confirm(user, phone.next_code())) == (409, "second factor inactive")

    def test_it_ends_the_other_logins(self, user: TestUser, enrol: Enrol) -> None:
        other_device = user.again()

        enrol(user)

        assert user.get("/user/me").status_code == 200
        assert other_device.get("/user/me").status_code == 401

    @pytest.mark.usefixtures("phone")
    def test_it_is_on_record_and_said_by_mail(self, user: TestUser, mails_to: MailsTo) -> None:
        assert kinds(user)[0] == "segundo_factor_activado"
        mail = mails_to(user.email)[-1]
        assert mail["Subject"] == "Activaste el segundo factor en Maverik"
        # A key of another's choosing does not let its owner in while somebody else has the second factor.
        assert "Si no fuiste vos, elegí otra clave cuanto antes con el enlace y avisale al equipo" in text_of(mail)

    def test_only_sealed_secrets_and_digests_are_stored(
        self, user: TestUser, clock: Clock, connection: Connection
    ) -> None:
        secret = start(user).json()["secreto"]
        codes = confirm(user, Phone(secret, clock).code()).json()["codigos"]

        stored = "".join(connection.scalars(text("SELECT t::text FROM segundo_factor t")))
        digests = b"".join(connection.scalars(text("SELECT resumen FROM codigo_recuperacion")))
        assert secret not in stored
        assert len(digests) == 10 * 32
        assert not [code for code in codes if code.replace("-", "").encode() in digests]


class TestSigningIn:
    def test_without_a_code_it_is_asked_for(self, user: TestUser, phone: Phone) -> None:
        del phone
        response = user.log_in()

        assert refused(response) == (401, "second factor required")
        assert "código" in response.json()["detail"]
        assert "access_token" not in response.json()

    @pytest.mark.usefixtures("phone")
    def test_that_it_was_asked_for_is_on_record(self, user: TestUser) -> None:
        user.log_in(clave="otra")
        user.log_in()

        assert kinds(user)[:2] == ["segundo_factor_pedido", "inicio_fallido"]

    def test_with_the_code_it_is_the_login_of_everybody(
        self, user: TestUser, phone: Phone, other_user: TestUser
    ) -> None:
        login = user.log_in(codigo=phone.next_code())

        assert login.status_code == 200
        assert set(login.json()) == set(other_user.log_in().json())

    @pytest.mark.usefixtures("phone")
    @pytest.mark.parametrize("code", [None, "123456"])
    def test_a_wrong_key_is_the_same_error_as_ever(self, user: TestUser, api: TestClient, code: str | None) -> None:
        body = {"email": user.email, "clave": "otra", "codigo": code}
        unknown = {**body, "email": "nadie@example.com"}

        answers = [api.post("/user/login", json=tried) for tried in (body, unknown)]

        assert refused(answers[0]) == (401, "wrong credentials")
        assert answers[0].content == answers[1].content

    def test_a_wrong_code_is_refused_and_on_record(self, user: TestUser, phone: Phone) -> None:
        assert refused(user.log_in(codigo=phone.wrong_code())) == (401, "wrong second factor")
        assert kinds(user)[0] == "segundo_factor_fallido"

    def test_a_wrong_code_opens_no_login(self, user: TestUser, phone: Phone) -> None:
        user.log_in(codigo=phone.wrong_code())
        user.log_in()

        assert len(user.get("/user/logins").json()) == 1

    @pytest.mark.parametrize("code", ["", " ", "123456", "no es un código", None])
    def test_without_a_second_factor_a_code_means_nothing(self, user: TestUser, code: str | None) -> None:
        assert user.log_in(codigo=code).status_code == 200

    def test_without_a_second_factor_codes_are_not_counted(self, user: TestUser) -> None:
        tries = LIMITS[Action.SECOND_FACTOR_FROM_ADDRESS].amount + 1

        assert {user.log_in(codigo="123456").status_code for _ in range(tries)} == {200}

    @pytest.mark.usefixtures("phone")
    @pytest.mark.parametrize("code", ["", "  ", "-", None])
    def test_an_empty_code_is_none(self, user: TestUser, code: str | None) -> None:
        assert refused(user.log_in(codigo=code)) == (401, "second factor required")

    @pytest.mark.parametrize("typed", ["{0} {1}", " {0}{1} ", "{0}-{1}", "{0}\u00a0{1}", "{0}\t{1}\n"])
    def test_a_code_may_be_typed_in_groups(self, user: TestUser, phone: Phone, typed: str) -> None:
        code = phone.next_code()

        assert user.log_in(codigo=typed.format(code[:3], code[3:])).status_code == 200

    @pytest.mark.parametrize("zero", ["\u0660", "\uff10", "\U0001d7ce", "\u0966"])
    def test_digits_of_other_scripts_are_no_code(self, user: TestUser, phone: Phone, zero: str) -> None:
        code = "".join(chr(ord(zero) + int(digit)) for digit in phone.next_code())

        assert refused(user.log_in(codigo=code)) == (401, "wrong second factor")

    @pytest.mark.parametrize("code", ["1" * 65, "x" * 10_000, "\x00", "1\x002345"])
    def test_one_that_is_too_long_or_holds_a_nul_is_refused_before_anything_is_looked_at(
        self, user: TestUser, code: str
    ) -> None:
        assert set(fields_refused(user.log_in(codigo=code))) == {"codigo"}

    @pytest.mark.parametrize("code", [123456, True, ["123456"], {"a": 1}])
    def test_what_is_no_text_is_refused(self, user: TestUser, code: Any) -> None:
        assert set(fields_refused(user.log_in(codigo=code))) == {"codigo"}

    @pytest.mark.parametrize("code", ["₁₂₃₄₅₆", "1" * 64, "-" * 64])
    def test_hostile_ones_are_just_wrong(self, user: TestUser, phone: Phone, code: str) -> None:
        del phone

        assert user.log_in(codigo=code).status_code == 401

    @pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
    def test_clocks_may_be_a_step_apart(
        self, user: TestUser, phone: Phone, clock: Clock, steps: int, status: int
    ) -> None:
        clock.advance(10 * STEP_S)

        assert user.log_in(codigo=phone.code(steps=steps)).status_code == status

    def test_a_code_is_taken_once(self, user: TestUser, phone: Phone) -> None:
        code = phone.next_code()

        assert [user.log_in(codigo=code).status_code for _ in range(2)] == [200, 401]

    def test_the_code_that_confirmed_it_does_not_sign_in(self, user: TestUser, phone: Phone) -> None:
        assert refused(user.log_in(codigo=phone.code())) == (401, "wrong second factor")

    def test_an_earlier_code_than_the_last_one_used_is_refused(self, user: TestUser, phone: Phone) -> None:
        phone.next_code()
        earlier, later = phone.next_code(), phone.code(steps=1)

        assert user.log_in(codigo=later).status_code == 200
        assert user.log_in(codigo=earlier).status_code == 401

    def test_somebody_elses_code_is_refused(
        self, user: TestUser, phone: Phone, other_user: TestUser, enrol: Enrol
    ) -> None:
        del phone
        theirs = enrol(other_user)

        assert user.log_in(codigo=theirs.next_code()).status_code == 401

    def test_a_second_replica_takes_no_code_that_another_took(
        self, user: TestUser, phone: Phone, make_app: MakeApp
    ) -> None:
        replica = TestClient(make_app())
        body = {"email": user.email, "clave": user.key, "codigo": phone.next_code()}
        assert user.log_in(codigo=body["codigo"]).status_code == 200

        assert replica.post("/user/login", json=body).status_code == 401

    def test_an_expired_key_asks_for_no_code(self, user: TestUser, phone: Phone, connection: Connection) -> None:
        del phone
        connection.execute(text("UPDATE usuario SET clave_vence = now() - interval '1 second'"))

        assert refused(user.log_in()) == (401, "wrong credentials")

    def test_tries_of_codes_are_metered(self, make_app: MakeApp, user: TestUser, phone: Phone) -> None:
        api = TestClient(make_app(metrics_token=SecretStr("x" * 16)))
        body = {"email": user.email, "clave": user.key}
        api.post("/user/login", json=body)
        api.post("/user/login", json={**body, "codigo": phone.wrong_code()})

        page = api.get("/metrics", headers={"Authorization": f"Bearer {'x' * 16}"}).text
        assert 'maverik_logins_total{outcome="second_factor_required"} 1.0' in page
        assert 'maverik_logins_total{outcome="wrong_second_factor"} 1.0' in page


class TestGuessing:
    def test_codes_from_an_address_are_limited_and_the_right_one_too(self, user: TestUser, phone: Phone) -> None:
        tries = [
            user.log_in(codigo=phone.wrong_code()).status_code
            for _ in range(LIMITS[Action.SECOND_FACTOR_FROM_ADDRESS].amount - 1)  # one was for confirming
        ]

        assert set(tries) == {401}
        assert user.log_in(codigo=phone.next_code()).status_code == 429

    def test_recovery_codes_are_not_counted_with_those_of_the_app(
        self, make_app: MakeApp, user: TestUser, phone: Phone
    ) -> None:
        api = TestClient(make_app(trusted_proxy_count=1))

        def log_in(code: str, number: int) -> int:
            body = {"email": user.email, "clave": user.key, "codigo": code}
            return api.post("/user/login", json=body, headers={"X-Forwarded-For": f"10.0.{number}.1"}).status_code

        tries = LIMITS[Action.SECOND_FACTOR_FROM_ANYWHERE].amount
        statuses = [log_in(phone.wrong_code(), number) for number in range(tries)]

        assert set(statuses) == {401}
        assert log_in(phone.next_code(), tries) == 429
        assert log_in(phone.recovery_codes[0], tries + 1) == 200

    def test_a_new_key_does_not_start_the_count_anew(
        self, make_app: MakeApp, user: TestUser, phone: Phone, mails_to: MailsTo
    ) -> None:
        api = TestClient(make_app())
        for _ in range(LIMITS[Action.SECOND_FACTOR_FROM_ADDRESS].amount):
            api.post("/user/login", json={"email": user.email, "clave": user.key, "codigo": phone.wrong_code()})
        api.post("/user/password/forgot", json={"email": user.email})
        body = {"token": link_token_in(mails_to(user.email)[-1]), "clave_nueva": NEW_KEY}
        assert api.post("/user/password/reset", json=body).status_code == 200

        again = {"email": user.email, "clave": NEW_KEY, "codigo": phone.next_code()}
        assert api.post("/user/login", json=again).status_code == 429


class TestRecoveryCodes:
    def test_each_lets_in_once(self, user: TestUser, phone: Phone) -> None:
        code = phone.recovery_codes[3]

        assert user.log_in(codigo=code).status_code == 200
        assert refused(user.log_in(codigo=code)) == (401, "wrong second factor")
        assert user.log_in(codigo=phone.recovery_codes[4]).status_code == 200
        assert user.get("/user/second-factor").json()["codigos_restantes"] == 8

    @pytest.mark.parametrize("typed", [str.upper, lambda code: code.replace("-", ""), lambda code: f" {code} "])
    def test_they_may_be_typed_in_any_way(self, user: TestUser, phone: Phone, typed: Any) -> None:
        assert user.log_in(codigo=typed(phone.recovery_codes[0])).status_code == 200

    def test_using_one_is_on_record_and_said_by_mail(self, user: TestUser, phone: Phone, mails_to: MailsTo) -> None:
        user.log_in(codigo=phone.recovery_codes[0])

        assert "codigo_de_recuperacion_usado" in kinds(user)
        mail = mails_to(user.email)[-1]
        assert mail["Subject"] == "Se usó un código de recuperación en Maverik"
        assert "te quedan: 9" in text_of(mail)

    def test_new_ones_end_the_old(self, user: TestUser, phone: Phone, mails_to: MailsTo) -> None:
        body = {"clave": user.key, "codigo": phone.next_code()}

        codes = user.post("/user/second-factor/recovery-codes", body).json()["codigos"]

        assert len(set(codes) - set(phone.recovery_codes)) == 10
        assert user.log_in(codigo=phone.recovery_codes[0]).status_code == 401
        assert user.log_in(codigo=codes[0]).status_code == 200
        assert "codigos_renovados" in kinds(user)
        assert "Tenés códigos de recuperación nuevos en Maverik" in [mail["Subject"] for mail in mails_to(user.email)]

    def test_the_last_one_may_ask_for_new_ones(self, user: TestUser, phone: Phone) -> None:
        body = {"clave": user.key, "codigo": phone.recovery_codes[0]}

        assert user.post("/user/second-factor/recovery-codes", body).status_code == 200
        assert user.get("/user/second-factor").json()["codigos_restantes"] == 10

    def test_somebody_elses_is_refused(self, user: TestUser, phone: Phone, other_user: TestUser, enrol: Enrol) -> None:
        del phone
        theirs = enrol(other_user).recovery_codes[0]

        assert user.log_in(codigo=theirs).status_code == 401
        assert other_user.log_in(codigo=theirs).status_code == 200


class TestRemoving:
    @staticmethod
    def remove(user: TestUser, code: str, key: str | None = None) -> Any:
        return user.delete("/user/second-factor", {"clave": key or user.key, "codigo": code})

    @pytest.mark.parametrize("how", ["app", "recovery"])
    def test_with_the_key_and_a_code_the_key_alone_lets_in_again(
        self, user: TestUser, phone: Phone, mails_to: MailsTo, how: str
    ) -> None:
        code = phone.next_code() if how == "app" else phone.recovery_codes[0]

        assert self.remove(user, code).status_code == 204

        assert user.log_in().status_code == 200
        assert "segundo_factor_quitado" in kinds(user)
        assert mails_to(user.email)[-1]["Subject"] == "Quitaste el segundo factor en Maverik"

    def test_nothing_of_it_is_left(self, user: TestUser, phone: Phone, connection: Connection) -> None:
        self.remove(user, phone.next_code())

        left = "SELECT (SELECT count(*) FROM segundo_factor) + (SELECT count(*) FROM codigo_recuperacion)"
        assert connection.scalar(text(left)) == 0

    def test_it_ends_the_other_logins(self, user: TestUser, phone: Phone) -> None:
        token = user.log_in(codigo=phone.next_code()).json()["access_token"]

        self.remove(user, phone.next_code())

        assert user.get("/user/me").status_code == 200
        assert user.get("/user/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401

    @pytest.mark.parametrize("path", ["/user/second-factor", "/user/second-factor/recovery-codes"])
    def test_neither_the_key_nor_a_code_is_enough(self, user: TestUser, phone: Phone, path: str) -> None:
        method = "DELETE" if path == "/user/second-factor" else "POST"
        wrong_key = {"clave": "otra", "codigo": phone.next_code()}
        wrong_code = {"clave": user.key, "codigo": phone.wrong_code()}

        assert set(fields_refused(user.request(method, path, json=wrong_key))) == {"clave"}
        assert set(fields_refused(user.request(method, path, json=wrong_code))) == {"codigo"}
        assert kinds(user)[:2] == ["segundo_factor_fallido", "confirmacion_fallida"]
        assert user.get("/user/second-factor").json()["codigos_restantes"] == 10

    def test_a_code_that_a_wrong_key_came_with_is_not_used_up(self, user: TestUser, phone: Phone) -> None:
        code = phone.next_code()
        self.remove(user, code, key="otra")

        assert self.remove(user, code).status_code == 204

    def test_there_must_be_one(self, user: TestUser) -> None:
        assert refused(self.remove(user, "123456")) == (409, "second factor inactive")

    def test_afterwards_another_one_can_be_added(self, user: TestUser, phone: Phone, enrol: Enrol) -> None:
        self.remove(user, phone.next_code())

        assert user.log_in(codigo=enrol(user).next_code()).status_code == 200


class TestRestoringByMail:
    @pytest.fixture
    def link(self, api: TestClient, user: TestUser, phone: Phone, mails_to: MailsTo) -> str:
        del phone
        api.post("/user/password/forgot", json={"email": user.email})
        return link_token_in(mails_to(user.email)[-1])

    @staticmethod
    def reset(api: TestClient, link: str, **fields: Any) -> Any:
        return api.post("/user/password/reset", json={"token": link, "clave_nueva": NEW_KEY, **fields})

    def test_a_link_alone_sets_the_key_and_signs_nobody_in(self, api: TestClient, user: TestUser, link: str) -> None:
        body = self.reset(api, link).json()

        assert body["segundo_factor_requerido"] is True
        assert {body[name] for name in ("access_token", "refresh_token", "expires_in", "user_name")} == {None}
        login = api.post("/user/login", json={"email": user.email, "clave": NEW_KEY})
        assert refused(login) == (401, "second factor required")

    @pytest.mark.parametrize("how", ["app", "recovery"])
    def test_a_link_with_a_code_signs_in(self, api: TestClient, phone: Phone, link: str, how: str) -> None:
        code = phone.next_code() if how == "app" else phone.recovery_codes[0]

        body = self.reset(api, link, codigo=code).json()

        assert body["segundo_factor_requerido"] is False
        headers = {"Authorization": f"Bearer {body['access_token']}"}
        assert api.get("/user/me", headers=headers).status_code == 200

    def test_a_wrong_code_changes_nothing_and_leaves_the_link(
        self, api: TestClient, user: TestUser, phone: Phone, link: str
    ) -> None:
        assert set(fields_refused(self.reset(api, link, codigo=phone.wrong_code()))) == {"codigo"}

        assert user.get("/user/me").status_code == 200
        assert kinds(user)[0] == "segundo_factor_fallido"
        assert self.reset(api, link, codigo=phone.next_code()).status_code == 200

    def test_guessing_codes_with_a_link_is_limited(self, api: TestClient, phone: Phone, link: str) -> None:
        tries = LIMITS[Action.SECOND_FACTOR_FROM_ADDRESS].amount - 1  # one was for confirming
        statuses = [self.reset(api, link, codigo=phone.wrong_code()).status_code for _ in range(tries)]

        assert set(statuses) == {422}
        assert self.reset(api, link, codigo=phone.next_code()).status_code == 429

    def test_changing_the_key_takes_the_key_alone(self, user: TestUser, phone: Phone) -> None:
        del phone

        assert user.change_key(NEW_KEY).status_code == 200


class TestChangingTheSecretKey:
    """SECRET_KEY may drop a key once nothing is sealed with it any more."""

    OLD, NEW = generate_paserk(), generate_paserk()

    @pytest.fixture
    def app(self, make_app: MakeApp) -> Any:
        return make_app(secret_key=SecretStr(self.OLD))

    @staticmethod
    def log_in(make_app: MakeApp, user: TestUser, code: str, *keys: str) -> int:
        api = TestClient(make_app(secret_key=SecretStr(",".join(keys))))
        return api.post("/user/login", json={"email": user.email, "clave": user.key, "codigo": code}).status_code

    def test_codes_go_on_beside_the_old_key(self, make_app: MakeApp, user: TestUser, phone: Phone) -> None:
        assert self.log_in(make_app, user, phone.next_code(), self.NEW, self.OLD) == 200

    def test_sealed_anew_they_go_on_without_it(self, make_app: MakeApp, user: TestUser, phone: Phone) -> None:
        both = resources_of(make_app(secret_key=SecretStr(f"{self.NEW},{self.OLD}")))

        sealed = [second_factor.reseal(both.database.transaction, keyring=both.keyring) for _ in range(2)]

        assert sealed == [1, 0]
        assert self.log_in(make_app, user, phone.next_code(), self.NEW) == 200

    def test_dropped_too_early_only_recovery_codes_let_in(
        self, make_app: MakeApp, user: TestUser, phone: Phone
    ) -> None:
        new = resources_of(make_app(secret_key=SecretStr(self.NEW)))

        assert self.log_in(make_app, user, phone.next_code(), self.NEW) == 401
        assert second_factor.reseal(new.database.transaction, keyring=new.keyring) == 0
        assert self.log_in(make_app, user, phone.recovery_codes[0], self.NEW) == 200

    def test_any_number_of_secrets_is_sealed_anew(
        self, make_app: MakeApp, resources: Resources, connection: Connection
    ) -> None:
        for number in range(5):
            statement = text("INSERT INTO usuario (email, clave_hash) VALUES (:email, 'x') RETURNING id")
            user_id = connection.scalar(statement, {"email": f"{number}@example.com"})
            sealed = second_factor.seal(resources.keyring, user_id=int(user_id or 0), secret="A" * 32)
            row = text("INSERT INTO segundo_factor (usuario_id, secreto) VALUES (:id, :sealed)")
            connection.execute(row, {"id": user_id, "sealed": sealed})
        both = resources_of(make_app(secret_key=SecretStr(f"{self.NEW},{self.OLD}")))

        assert second_factor.reseal(both.database.transaction, keyring=both.keyring, batch_size=2) == 5


class TestSealedSecrets:
    def test_one_does_not_open_in_somebody_elses_row(
        self, user: TestUser, phone: Phone, other_user: TestUser, enrol: Enrol, connection: Connection
    ) -> None:
        del phone
        theirs = enrol(other_user)
        copy = text(
            "UPDATE segundo_factor SET secreto = (SELECT s.secreto FROM segundo_factor s JOIN usuario u "
            "ON u.id = s.usuario_id WHERE u.email = :from) "
            "WHERE usuario_id = (SELECT id FROM usuario WHERE email = :to)"
        )
        connection.execute(copy, {"from": other_user.email, "to": user.email})
        code = theirs.next_code()

        assert user.log_in(codigo=code).status_code == 401
        assert other_user.log_in(codigo=code).status_code == 200

    def test_one_opens_for_no_other_purpose(self, phone: Phone, resources: Resources, connection: Connection) -> None:
        del phone
        sealed = str(connection.scalar(text("SELECT secreto FROM segundo_factor")))

        for purpose in set(Purpose) - {Purpose.SECOND_FACTOR}:
            with pytest.raises(Unsealable):
                resources.keyring.unseal(sealed, purpose=purpose)
