"""Signing up, signing in, and the profile."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.core.ages import age_on
from maverik_backend.web.resources import Resources
from tests.support.answers import fields_refused
from tests.support.fixtures.people import MakeUser, TestUser, key_in, make_profile, text_of

REQUIRED_ANSWERS = (
    "conocimiento_alt_inversion_id",
    "experiencia_invirtiendo_id",
    "porcentaje_ahorro_mensual_id",
    "porcentaje_ahorro_invertir_id",
    "tiempo_mantener_inversion_id",
    "busca_invertir_en_id",
    "proporcion_inversion_mantener_id",
)


def years_ago(years: int, *, days: int = 0, today: date | None = None) -> str:
    """The youngest birthday of somebody who has that age today; ``days`` later, one who has not yet."""
    today = today or datetime.now(UTC).date()
    year = today.year - years
    # On 29 February, 28 where there is none: who was born on the 1st of March is younger.
    born = today.replace(year=year, day=min(today.day, monthrange(year, today.month)[1]))
    return (born + timedelta(days=days)).isoformat()


class TestYearsAgo:
    @pytest.mark.parametrize("today", ["2027-01-29", "2027-12-31", "2028-02-29", "2026-02-28", "2027-03-01"])
    @pytest.mark.parametrize("years", [18, 119])
    def test_a_day_makes_the_difference_on_every_day_of_the_calendar(self, today: str, years: int) -> None:
        day = date.fromisoformat(today)

        assert age_on(date.fromisoformat(years_ago(years, today=day)), day) == years
        assert age_on(date.fromisoformat(years_ago(years, days=1, today=day)), day) == years - 1


class TestSignUp:
    def test_the_key_comes_by_mail_and_signs_in(
        self, api: TestClient, resources: Resources, mailbox: LocalMailbox
    ) -> None:
        form = make_profile()

        response = api.post("/user/signup", json=form)

        assert response.status_code == 201
        assert resources.jobs.run_due() == 1
        (mail,) = mailbox.mails_to(form["email"])
        assert api.post("/user/login", json={"email": form["email"], "clave": key_in(mail)}).status_code == 200

    def test_the_mail_links_to_the_first_frontend(
        self, api: TestClient, resources: Resources, mailbox: LocalMailbox
    ) -> None:
        form = make_profile()
        api.post("/user/signup", json=form)
        resources.jobs.run_due()

        (mail,) = mailbox.mails_to(form["email"])

        assert "https://app.example.com" in text_of(mail)
        html = mail.get_body(("html",))
        assert html is not None
        assert f"Clave: {key_in(mail)}" in html.get_content()

    def test_the_key_is_nowhere_in_the_answer_nor_the_database(
        self, api: TestClient, resources: Resources, mailbox: LocalMailbox, connection: Connection
    ) -> None:
        form = make_profile()
        response = api.post("/user/signup", json=form)
        tables = ("usuario", "trabajo", "enlace_clave", "evento_seguridad")
        stored = [str(connection.execute(text(f"SELECT * FROM {table}")).all()) for table in tables]  # noqa: S608
        resources.jobs.run_due()

        key = key_in(mailbox.mails_to(form["email"])[0])

        assert key not in response.text
        assert not any(key in content for content in stored)

    def test_the_key_is_stored_as_argon2id(self, user: TestUser, connection: Connection) -> None:
        stored = connection.scalar(text("SELECT clave_hash FROM usuario WHERE email = :email"), {"email": user.email})

        assert stored.startswith("$argon2id$v=19$")

    def test_an_address_that_exists_gets_the_same_answer_and_another_mail(
        self, api: TestClient, user: TestUser, resources: Resources, mailbox: LocalMailbox
    ) -> None:
        first = api.post("/user/signup", json=make_profile())
        again = api.post("/user/signup", json=make_profile(email=user.email.upper()))
        resources.jobs.run_due()

        assert again.status_code == first.status_code
        assert again.json().keys() == first.json().keys()
        welcome, notice = mailbox.mails_to(user.email)
        assert notice["Subject"] != welcome["Subject"]
        assert "Clave:" not in text_of(notice)

    def test_it_is_answered_with_the_form_and_no_key(self, api: TestClient) -> None:
        form = make_profile()

        body = api.post("/user/signup", json=form).json()

        assert {field: body[field] for field in form} == form
        assert body["fecha_creacion"] == body["fecha_actualizacion"]
        assert not {"clave", "clave_hash"} & body.keys()

    def test_its_id_is_that_of_the_account(self, api: TestClient, resources: Resources, mailbox: LocalMailbox) -> None:
        form = make_profile()
        told = api.post("/user/signup", json=form).json()
        resources.jobs.run_due()
        (mail,) = mailbox.mails_to(form["email"])
        token = api.post("/user/login", json={"email": form["email"], "clave": key_in(mail)}).json()["access_token"]

        me = api.get("/user/me", headers={"Authorization": f"Bearer {token}"}).json()

        assert {field: me[field] for field in told if field != "mensaje"} == {
            field: value for field, value in told.items() if field != "mensaje"
        }

    def test_signing_up_again_does_not_change_the_key(self, api: TestClient, user: TestUser) -> None:
        api.post("/user/signup", json=make_profile(email=user.email))

        assert api.post("/user/login", json={"email": user.email, "clave": user.key}).status_code == 200

    @pytest.mark.parametrize(
        "email", ["", "x", "a@b", "a b@example.com", "a@@example.com", f"a@{'b.' * 122}example.com", 7]
    )
    def test_something_that_is_no_address_is_refused(self, api: TestClient, email: Any) -> None:
        assert "email" in fields_refused(api.post("/user/signup", json=make_profile(email=email)))

    @pytest.mark.parametrize("email", ['"Ana Paz" <a@example.com>', "Ana Paz <a@example.com>", "<a@example.com>"])
    @pytest.mark.parametrize("path", ["/user/signup", "/user/password/forgot", "/user/email/resend"])
    def test_an_address_with_a_name_beside_it_is_refused(self, api: TestClient, path: str, email: str) -> None:
        refused = fields_refused(api.post(path, json=make_profile(email=email)))

        assert refused["email"]["mensaje"] == "No es una dirección de correo válida."

    @pytest.mark.parametrize(("chars", "status"), [(64, 201), (65, 422)])
    def test_the_part_before_the_at_sign_has_64_characters_at_most(
        self, api: TestClient, chars: int, status: int
    ) -> None:
        assert api.post("/user/signup", json=make_profile(email=f"{'a' * chars}@example.com")).status_code == status

    @pytest.mark.parametrize("years", [18, 119])
    def test_an_adult_is_accepted(self, api: TestClient, years: int) -> None:
        assert api.post("/user/signup", json=make_profile(fecha_nacimiento=years_ago(years))).status_code == 201

    @pytest.mark.parametrize("born", [None, ...], ids=str)
    def test_somebody_who_does_not_say_is_accepted(self, api: TestClient, born: Any) -> None:
        assert api.post("/user/signup", json=make_profile(fecha_nacimiento=born)).status_code == 201

    @pytest.mark.parametrize(("years", "days"), [(18, 1), (121, 0), (-1, 0)])
    def test_an_age_outside_18_to_120_is_refused(self, api: TestClient, years: int, days: int) -> None:
        form = make_profile(fecha_nacimiento=years_ago(years, days=days))

        assert set(fields_refused(api.post("/user/signup", json=form))) == {"fecha_nacimiento"}

    @pytest.mark.parametrize("born", ["31/12/1990", "1990-02-30", "", True], ids=str)
    def test_what_is_no_date_is_refused(self, api: TestClient, born: Any) -> None:
        form = make_profile(fecha_nacimiento=born)

        assert set(fields_refused(api.post("/user/signup", json=form))) == {"fecha_nacimiento"}

    @pytest.mark.parametrize(
        "born",
        [
            *(0, 643_248_000, 643_248_000.0, "643248000", "1990-05-17T00:00:00", "1990-05-17T00:00:00Z"),
            *("1990-5-17", "19900517", "1990-W20-4", "\u0661990-05-17", " 1990-05-17", "1990-05-17\n"),
        ],
    )
    def test_a_date_is_text_of_one_format_and_nothing_else(self, api: TestClient, born: Any) -> None:
        refused = fields_refused(api.post("/user/signup", json=make_profile(fecha_nacimiento=born)))

        assert refused["fecha_nacimiento"]["mensaje"] == "Tiene que ser una fecha con el formato AAAA-MM-DD."

    @pytest.mark.parametrize("field", REQUIRED_ANSWERS)
    def test_every_answer_but_the_education_is_required(self, api: TestClient, field: str) -> None:
        refused = fields_refused(api.post("/user/signup", json=make_profile(**{field: ...})))

        assert refused[field]["mensaje"] == "Falta este dato."

    @pytest.mark.parametrize("field", ["nivel_educativo_id", *REQUIRED_ANSWERS])
    @pytest.mark.parametrize("value", [0, -1, 99, 10**30])
    def test_an_unknown_option_is_refused_with_the_ones_there_are(
        self, api: TestClient, field: str, value: int
    ) -> None:
        refused = fields_refused(api.post("/user/signup", json=make_profile(**{field: value})))

        assert set(refused) == {field}
        assert refused[field]["permitidos"][:3] == [1, 2, 3]

    def test_unknown_fields_are_ignored(self, api: TestClient) -> None:
        assert api.post("/user/signup", json=make_profile(es_admin=True)).status_code == 201

    def test_nothing_is_stored_of_a_refused_sign_up(self, api: TestClient, connection: Connection) -> None:
        count = text("SELECT (SELECT count(*) FROM usuario) + (SELECT count(*) FROM trabajo)")
        before = connection.scalar(count)

        api.post("/user/signup", json=make_profile(busca_invertir_en_id=99))

        assert connection.scalar(count) == before


class TestLogIn:
    def test_the_answer_has_what_frontends_use(self, api: TestClient, make_user: MakeUser) -> None:
        user = make_user(email="Ana.Perez@example.com")

        body = api.post("/user/login", json={"email": "ana.perez@EXAMPLE.com", "clave": user.key}).json()

        assert body["user_name"] == "ana.perez"
        assert body["token_type"] == "Bearer"
        assert body["expires_in"] == 24 * 3600
        assert api.get("/user/me", headers={"Authorization": f"Bearer {body['access_token']}"}).status_code == 200

    def test_a_wrong_key_and_an_unknown_address_are_the_same_401(self, api: TestClient, user: TestUser) -> None:
        wrong = api.post("/user/login", json={"email": user.email, "clave": "otra"})
        unknown = api.post("/user/login", json={"email": "nadie@example.com", "clave": "otra"})

        assert (wrong.status_code, wrong.json()) == (401, unknown.json())
        assert wrong.json()["error"] == "wrong credentials"
        assert wrong.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("body", [{}, {"email": "a@example.com"}, {"clave": "x"}, {"email": 1, "clave": 2}])
    def test_missing_or_mistyped_credentials_are_named(self, api: TestClient, body: dict[str, Any]) -> None:
        assert fields_refused(api.post("/user/login", json=body))

    @pytest.mark.parametrize("field", ["email", "clave"])
    def test_nul_is_refused(self, api: TestClient, field: str) -> None:
        body = {"email": "a@example.com", "clave": "x", field: "a\x00b"}

        assert set(fields_refused(api.post("/user/login", json=body))) == {field}


class TestProfile:
    def test_it_is_what_was_signed_up_with(self, make_user: MakeUser) -> None:
        form = make_profile()
        user = make_user(**form)

        me = user.get("/user/me").json()

        assert {field: me[field] for field in form} == form
        assert not {"clave", "clave_hash"} & set(me)

    def test_only_the_named_fields_change(self, user: TestUser) -> None:
        before = user.get("/user/me").json()

        after = user.patch("/user/me", {"busca_invertir_en_id": 4}).json()

        assert after == {**before, "busca_invertir_en_id": 4, "fecha_actualizacion": after["fecha_actualizacion"]}
        assert user.get("/user/me").json() == after

    @pytest.mark.parametrize("field", ["fecha_nacimiento", "nivel_educativo_id"])
    def test_what_may_be_unknown_can_be_emptied(self, user: TestUser, field: str) -> None:
        assert user.patch("/user/me", {field: None}).json()[field] is None

    @pytest.mark.parametrize("field", REQUIRED_ANSWERS)
    def test_an_answer_cannot_be_emptied(self, user: TestUser, field: str) -> None:
        assert set(fields_refused(user.patch("/user/me", {field: None}))) == {field}

    def test_an_unknown_option_is_refused(self, user: TestUser) -> None:
        refused = fields_refused(user.patch("/user/me", {"nivel_educativo_id": 4}))

        assert refused["nivel_educativo_id"]["permitidos"] == [1, 2, 3]

    def test_a_child_is_refused(self, user: TestUser) -> None:
        assert fields_refused(user.patch("/user/me", {"fecha_nacimiento": years_ago(10)}))

    def test_the_address_stays(self, user: TestUser) -> None:
        assert user.patch("/user/me", {"email": "otra@example.com"}).json()["email"] == user.email
