"""Our own pages for setting, restoring and changing a key, as a browser without scripts uses them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.routers import site
from maverik_backend.services.limits import LIMITS, Action
from maverik_backend.web.forms import MAX_FIELDS
from maverik_backend.web.middleware.body_limit import MAX_BYTES
from tests.support.fixtures.people import MailsTo, MakeUser, TestUser, key_in, link_token_in, text_of
from tests.support.fixtures.second_factor import Phone

NEW_KEY = "una clave nueva, larga"
PAGES = ("/clave/nueva", "/clave/olvide", "/clave/cambiar")
HOSTILE = """"'><script>alert(1)</script>{0.__class__}&amp;"""
ESCAPED = "&#34;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;{0.__class__}&amp;amp;"


def send(api: TestClient, path: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> Any:
    return api.post(path, data=fields, headers=headers)


def set_key(api: TestClient, token: str, key: str = NEW_KEY, **changes: str) -> Any:
    return send(api, "/clave/nueva", {"token": token, "clave_nueva": key, "clave_repetida": key, **changes})


def change_key(api: TestClient, user: TestUser, key: str = NEW_KEY, **changes: str) -> Any:
    fields = {"email": user.email, "clave_actual": user.key, "clave_nueva": key, "clave_repetida": key}
    return send(api, "/clave/cambiar", {**fields, **changes})


def sign_in(api: TestClient, email: str, key: str) -> int:
    return int(api.post("/user/login", json={"email": email, "clave": key}).status_code)


def link_of(user: TestUser, api: TestClient, mails_to: MailsTo) -> str:
    """The token that is mailed to a person who forgot the key."""
    assert send(api, "/clave/olvide", {"email": user.email}).status_code == 200
    return link_token_in(mails_to(user.email)[-1])


def heading(page: Any) -> str:
    (found,) = re.findall("<h1>(.*?)</h1>", page.text)
    return unescape(found)


def errors(page: Any) -> dict[str, str]:
    """What is said beneath the label of each field that was refused; ``""`` is said of the form as a whole."""
    alert = re.findall(r'role="alert">\n<p>(.*?)</p>', page.text)
    fields = re.findall(r'<p class="error" id="(\w+)-error">(.*?)</p>', page.text)
    return {"": unescape(alert[0]), **dict(fields)} if alert else {}


def open_logins(connection: Connection) -> int:
    return int(connection.scalar(text("SELECT count(*) FROM inicio_sesion WHERE cerrado IS NULL")) or 0)


def kinds(user: TestUser) -> list[str]:
    return [event["tipo"] for event in user.get("/user/me/events").json()]


class TestSettingAKey:
    def test_with_a_mailed_link_it_becomes_the_key(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        page = set_key(api, link_of(user, api, mails_to))

        assert (page.status_code, heading(page)) == (200, "Guardamos tu clave")
        assert "segundo factor" not in page.text
        assert (sign_in(api, user.email, NEW_KEY), sign_in(api, user.email, user.key)) == (200, 401)

    def test_opening_the_link_does_not_use_it_up(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        token = link_of(user, api, mails_to)

        for _ in range(3):
            page = api.get("/clave/nueva", params={"token": token})
            assert f'name="token" value="{token}"' in page.text

        assert set_key(api, token).status_code == 200

    def test_every_login_ends_and_none_is_opened(
        self, api: TestClient, user: TestUser, mails_to: MailsTo, connection: Connection
    ) -> None:
        set_key(api, link_of(user, api, mails_to))

        assert user.get("/user/me").status_code == 401
        assert open_logins(connection) == 0

    def test_a_used_link_is_refused_and_the_way_to_another_is_shown(
        self, api: TestClient, user: TestUser, mails_to: MailsTo
    ) -> None:
        token = link_of(user, api, mails_to)
        set_key(api, token)

        page = set_key(api, token, "otra clave distinta")

        assert page.status_code == 422
        assert errors(page) == {"": "El enlace ya se usó o venció: pedí otro."}
        assert '<a href="olvide">' in page.text

    def test_a_link_that_does_not_hold_is_refused_before_a_key_is_typed(
        self, api: TestClient, user: TestUser, mails_to: MailsTo
    ) -> None:
        used = link_of(user, api, mails_to)
        set_key(api, used)

        for token in (used, "nunca-mandado"):
            page = api.get("/clave/nueva", params={"token": token})

            assert page.status_code == 422
            assert errors(page) == {"": "El enlace ya se usó o venció: pedí otro."}
            assert "<form" not in page.text
            assert '<a href="olvide">' in page.text

    def test_opening_links_is_counted_with_using_them(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        token = link_of(user, api, mails_to)
        for _ in range(LIMITS[Action.RESET_FROM_ADDRESS].amount):
            assert api.get("/clave/nueva", params={"token": token}).status_code == 200

        assert api.get("/clave/nueva", params={"token": token}).status_code == 429
        assert set_key(api, token).status_code == 429

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"clave_nueva": "corta", "clave_repetida": "corta"}, {"clave_nueva": "Tiene que tener entre 8 y 128"}),
            ({"clave_nueva": "password1", "clave_repetida": "password1"}, {"clave_nueva": "Es una de las claves más"}),
            ({"clave_repetida": "otra distinta"}, {"clave_repetida": "No es igual a la clave nueva"}),
            ({"clave_nueva": "", "clave_repetida": ""}, {"clave_nueva": "Tiene que tener entre 8 y 128"}),
        ],
    )
    def test_what_is_wrong_stands_at_its_field_and_the_link_stays_good(
        self, api: TestClient, user: TestUser, mails_to: MailsTo, fields: dict[str, str], wrong: dict[str, str]
    ) -> None:
        token = link_of(user, api, mails_to)

        page = set_key(api, token, **fields)

        assert page.status_code == 422
        assert errors(page).pop("") == "Revisá los datos marcados y volvé a intentar."
        assert {name: message[: len(wrong[name])] for name, message in errors(page).items() if name} == wrong
        assert set_key(api, token).status_code == 200

    def test_both_spellings_of_an_accent_are_the_same_key(
        self, api: TestClient, user: TestUser, mails_to: MailsTo
    ) -> None:
        token = link_of(user, api, mails_to)

        page = set_key(api, token, clave_nueva="contrase\u00f1a lindísima", clave_repetida="contrasen\u0303a lindísima")

        assert page.status_code == 200

    def test_a_link_without_its_token_says_so(self, api: TestClient) -> None:
        page = api.get("/clave/nueva")

        assert "le falta una parte" in page.text
        assert "<form" not in page.text

    def test_fields_that_are_missing_are_named(self, api: TestClient) -> None:
        assert set(errors(send(api, "/clave/nueva", {"token": "x"}))) == {"", "clave_nueva", "clave_repetida"}


class TestForgettingAKey:
    def test_a_link_is_mailed_to_our_page(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        page = send(api, "/clave/olvide", {"email": user.email})

        assert (page.status_code, heading(page)) == (200, "Revisá tu correo")
        assert re.search(r"http://127\.0\.0\.1:8082/clave/nueva\?token=\S{43}", text_of(mails_to(user.email)[-1]))

    def test_an_unknown_address_sees_the_same_page(self, api: TestClient, user: TestUser) -> None:
        known, unknown = (send(api, "/clave/olvide", {"email": email}) for email in (user.email, "nadie@example.com"))

        assert (known.status_code, known.content) == (unknown.status_code, unknown.content)

    def test_what_is_no_address_is_shown_again_with_what_is_wrong(self, api: TestClient) -> None:
        page = send(api, "/clave/olvide", {"email": "ana@"})

        assert page.status_code == 422
        assert set(errors(page)) == {"", "email"}
        assert 'value="ana@"' in page.text

    def test_too_many_tries_are_told_with_when_to_come_back(self, api: TestClient, user: TestUser) -> None:
        for _ in range(LIMITS[Action.MAIL_TO_ACCOUNT].amount):
            send(api, "/clave/olvide", {"email": user.email})

        page = send(api, "/clave/olvide", {"email": user.email})

        assert page.status_code == 429
        assert int(page.headers["Retry-After"]) > 0
        assert errors(page)[""].startswith("Hiciste demasiados intentos.")


class TestChangingAKey:
    def test_with_the_current_one_it_becomes_the_key(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        page = change_key(api, user)

        assert (page.status_code, heading(page)) == (200, "Tu clave cambió")
        assert (sign_in(api, user.email, NEW_KEY), sign_in(api, user.email, user.key)) == (200, 401)
        assert mails_to(user.email)[-1]["Subject"] == "Tu clave de Maverik cambió"

    def test_every_login_ends_that_of_the_page_included(
        self, api: TestClient, user: TestUser, connection: Connection
    ) -> None:
        change_key(api, user)

        assert user.get("/user/me").status_code == 401
        assert open_logins(connection) == 0

    def test_no_login_stays_open_when_the_new_key_is_refused(self, api: TestClient, user: TestUser) -> None:
        page = change_key(api, user, "password1")

        assert set(errors(page)) == {"", "clave_nueva"}
        assert len(user.get("/user/logins").json()) == 1
        assert kinds(user)[:2] == ["cierre_de_sesion", "inicio_de_sesion"]

    def test_a_wrong_key_an_unknown_address_and_a_disabled_account_are_one_answer(
        self, api: TestClient, user: TestUser, make_user: MakeUser, connection: Connection
    ) -> None:
        disabled = make_user()
        connection.execute(
            text("UPDATE usuario SET deshabilitado = now() WHERE email = :email"), {"email": disabled.email}
        )
        answers = [
            change_key(api, user, clave_actual="otra", email=user.email),
            change_key(api, user, email="nadie@example.com"),
            change_key(api, user, email="no es un correo"),
            change_key(api, disabled),
        ]

        assert {page.status_code for page in answers} == {401}
        assert {errors(page)[""] for page in answers} == {"El correo o la clave no son correctos."}

    def test_wrong_tries_count_as_those_of_signing_in(self, api: TestClient, user: TestUser) -> None:
        for _ in range(LIMITS[Action.LOG_IN_TO_ACCOUNT].amount):
            change_key(api, user, clave_actual="otra")

        assert change_key(api, user).status_code == 429
        assert user.log_in().status_code == 429

    def test_the_mailed_key_may_be_the_current_one(self, api: TestClient, user: TestUser) -> None:
        change_key(api, user)

        login = api.post("/user/login", json={"email": user.email, "clave": NEW_KEY}).json()
        assert login["debe_cambiar_clave"] is False

    def test_the_current_one_is_no_new_one(self, api: TestClient, user: TestUser) -> None:
        page = change_key(api, user, user.key)

        assert errors(page)["clave_nueva"].startswith("Es la clave que ya tenés")


class TestASecondFactor:
    def test_changing_the_key_asks_for_its_code(self, api: TestClient, user: TestUser, phone: Phone) -> None:
        without, wrong = change_key(api, user), change_key(api, user, codigo=phone.wrong_code())

        assert (without.status_code, wrong.status_code) == (401, 401)
        assert "código" in errors(without)[""]
        assert change_key(api, user, codigo=phone.next_code()).status_code == 200

    def test_the_code_does_not_come_back(self, api: TestClient, user: TestUser, phone: Phone) -> None:
        code = phone.next_code()

        assert code not in change_key(api, user, clave_actual="otra", codigo=code).text

    def test_a_mailed_link_sets_the_key_without_it_and_opens_nothing(
        self, api: TestClient, user: TestUser, phone: Phone, mails_to: MailsTo, connection: Connection
    ) -> None:
        del phone

        page = set_key(api, link_of(user, api, mails_to))

        assert page.status_code == 200
        assert "Tu cuenta tiene un segundo factor: para ingresar hace falta también un código" in page.text
        assert open_logins(connection) == 0
        assert sign_in(api, user.email, NEW_KEY) == 401


class TestWhatIsShown:
    @pytest.mark.parametrize(("path", "shown"), [("/clave/nueva", 1), ("/clave/olvide", 1), ("/clave/cambiar", 1)])
    def test_what_was_sent_is_escaped_and_keys_do_not_come_back(self, api: TestClient, path: str, shown: int) -> None:
        fields = dict.fromkeys(("token", "email", "clave_actual", "clave_nueva", "clave_repetida"), HOSTILE)

        page = send(api, path, {**fields, "clave_repetida": "otra", "extra": HOSTILE})

        assert page.status_code == 422
        assert "<script" not in page.text
        assert page.text.count(f'value="{ESCAPED}"') == page.text.count("alert(1)") == shown

    def test_a_token_that_does_not_hold_is_not_shown(self, api: TestClient) -> None:
        page = api.get("/clave/nueva", params={"token": HOSTILE})

        assert page.status_code == 422
        assert "alert(1)" not in page.text

    @pytest.mark.parametrize("path", PAGES)
    def test_it_needs_no_script_and_loads_from_here_only(self, api: TestClient, path: str) -> None:
        page = api.get(path, params={"token": "x"})

        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "<script" not in page.text
        assert "style=" not in page.text
        assert not re.search(r'(?:src|action)="[^"]*//|<link[^>]*href="[^"]*//', page.text)

    @pytest.mark.parametrize("path", PAGES)
    def test_browsers_are_told_to_keep_to_that(self, api: TestClient, path: str) -> None:
        headers = api.get(path, params={"token": "x"}).headers

        directives = headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= {
            *directives
        }
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")

    def test_its_files_may_be_kept_for_good_under_their_own_address(self, api: TestClient) -> None:
        page = api.get("/clave/olvide")
        files = re.findall(r'"\.\./(static/[^"]+)"', page.text)

        assert {name.rpartition("/")[2] for name in files} == {"maverik.css", "maverik.svg"}
        for name in files:
            assert api.get(f"/{name}").headers["Cache-Control"] == "public, max-age=31536000, immutable"

    def test_the_page_of_another_release_gets_todays_file_uncached(self, api: TestClient) -> None:
        answer = api.get("/static/0123456789abcdef/maverik.css")

        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
        assert answer.headers["content-type"] == "text/css; charset=utf-8"

    @pytest.mark.parametrize("name", ["page.html", "..%2Fpage.html", "..", "maverik.css/x", ""])
    def test_no_other_file_is_served(self, api: TestClient, name: str) -> None:
        assert api.get(f"/static/x/{name}").status_code == 404


class TestWhatIsSent:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
            {"Origin": "null"},
            {"Origin": "http://testserver"},
            {},
        ],
    )
    def test_a_form_of_ours_is_taken(self, api: TestClient, headers: dict[str, str]) -> None:
        assert send(api, "/clave/olvide", {"email": "nadie@example.com"}, headers).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
            {"Origin": "https://otro.example"},
            {"Origin": "http://testserver.otro.example"},
            {"Origin": "http://[::1"},
            {"Origin": ""},
        ],
    )
    @pytest.mark.parametrize("path", PAGES)
    def test_that_of_another_site_is_refused_before_anything_is_counted(
        self, api: TestClient, path: str, headers: dict[str, str], mails_to: MailsTo
    ) -> None:
        assert send(api, path, {"email": "nadie@example.com"}, headers).status_code == 403
        assert mails_to("nadie@example.com") == []

    @pytest.mark.parametrize(
        ("body", "media_type", "status"),
        [
            (b"email=" + b"x" * MAX_BYTES, "application/x-www-form-urlencoded", 413),
            (b"&".join([b"a=b"] * (MAX_FIELDS + 1)), "application/x-www-form-urlencoded", 400),
            (b"email=%ff", "application/x-www-form-urlencoded", 400),
            ("email=ñ".encode(), "application/x-www-form-urlencoded", 400),
            (b"", "application/x-www-form-urlencoded", 422),
            (b'{"email": "a@b.co"}', "application/json", 415),
            (b"--x--", "multipart/form-data; boundary=x", 415),
        ],
    )
    def test_what_is_no_small_form_is_refused(self, api: TestClient, body: bytes, media_type: str, status: int) -> None:
        answer = api.post("/clave/olvide", content=body, headers={"Content-Type": media_type})

        assert answer.status_code == status

    def test_a_key_may_hold_anything_that_a_form_can_spell(
        self, api: TestClient, user: TestUser, mails_to: MailsTo
    ) -> None:
        odd = "+ %2B & = ; ñ 🔑"

        assert set_key(api, link_of(user, api, mails_to), odd).status_code == 200
        assert sign_in(api, user.email, odd) == 200

    def test_the_longest_key_fits(self, api: TestClient, user: TestUser, mails_to: MailsTo) -> None:
        longest = "".join(f"{chr(0x1F600 + 7 * i % 64)}{chr(97 + 11 * i % 26)}" for i in range(64))

        assert set_key(api, link_of(user, api, mails_to), longest).status_code == 200


class TestWhereMailsLead:
    def test_welcome_tells_where_the_key_can_be_changed(self, user: TestUser, mails_to: MailsTo) -> None:
        welcome = text_of(mails_to(user.email)[0])

        assert "http://127.0.0.1:8082/clave/cambiar" in welcome
        assert key_in(mails_to(user.email)[0]) == user.key


def test_the_pages_are_open_and_not_part_of_the_api(app: FastAPI) -> None:
    routes = [route for route in site.router.routes if isinstance(route, APIRoute)]

    assert {route.path for route in routes} == {*PAGES, "/static/{version}/{name}"}
    assert not {route.path for route in routes} & set(app.openapi()["paths"])
