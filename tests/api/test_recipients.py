"""A mail goes to the address of the account: what is typed, stored and sent name one mailbox."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.core.security import PasswordHasher
from maverik_backend.web.resources import Resources
from tests.support.answers import fields_refused
from tests.support.fixtures.people import MailsTo, make_profile

# Python's own parser finds a second mailbox in it: m@ev.co.
DECODED = "=?utf-8?q?m=40ev.co=3c?=z@corp.example"
KEY = "una clave de antes"


@pytest.fixture
def add_account(connection: Connection) -> Callable[[str], None]:
    """An account as another release, or an operator, left it."""

    def add(email: str) -> None:
        connection.execute(
            text("INSERT INTO usuario (email, clave_hash) VALUES (:email, :hash)"),
            {"email": email, "hash": PasswordHasher().hash(KEY)},
        )

    return add


@pytest.mark.parametrize("path", ["/user/signup", "/user/password/forgot", "/user/email/resend"])
@pytest.mark.parametrize("address", [DECODED, "m%ev.co@corp.example", "ev.co!m@corp.example", "o\ufb03ce@corp.example"])
def test_an_address_that_could_be_read_as_another_one_is_refused(api: TestClient, path: str, address: str) -> None:
    response = api.post(path, json=make_profile(email=address))

    assert list(fields_refused(response)) == ["email"]


class TestAccountWithSuchAnAddress:
    def test_its_owner_still_signs_in(self, api: TestClient, add_account: Callable[[str], None]) -> None:
        add_account(DECODED)

        assert api.post("/user/login", json={"email": DECODED.upper(), "clave": KEY}).status_code == 200

    def test_its_mails_are_given_up_at_once_with_the_reason(
        self,
        api: TestClient,
        add_account: Callable[[str], None],
        resources: Resources,
        mailbox: LocalMailbox,
        connection: Connection,
    ) -> None:
        add_account(DECODED)
        token = api.post("/user/login", json={"email": DECODED, "clave": KEY}).json()["access_token"]
        body = {"clave_actual": KEY, "clave_nueva": "una clave bien nueva"}
        changed = api.put("/user/password", json=body, headers={"Authorization": f"Bearer {token}"})
        assert changed.status_code == 200

        assert resources.jobs.run_due() == 0

        row = connection.execute(text("SELECT * FROM trabajo ORDER BY id DESC LIMIT 1")).one()
        assert (row.estado, row.intentos) == ("fallido", 1)
        assert row.error == "refused (encoded word in the local part)"
        assert not list(mailbox.directory.glob("*.eml"))


@pytest.mark.parametrize("path", ["/user/password/forgot", "/user/email/resend", "/user/signup"])
def test_what_was_typed_finds_the_account_and_the_mail_goes_to_what_is_stored(
    api: TestClient, add_account: Callable[[str], None], resources: Resources, mailbox: LocalMailbox, path: str
) -> None:
    add_account("Ana.Mano@corp.example")

    api.post(path, json=make_profile(email="ana.mano@corp.example"))

    resources.jobs.run_due()
    assert len(mailbox.mails_to("Ana.Mano@corp.example")) == 1
    assert mailbox.mails_to("ana.mano@corp.example") == []


def test_a_domain_has_one_spelling(api: TestClient, mails_to: MailsTo) -> None:
    api.post("/user/signup", json=make_profile(email="ana@xn--mller-kva.example"))
    api.post("/user/signup", json=make_profile(email="ANA@MÜLLER.example"))

    assert [mail["Subject"] for mail in mails_to("ana@müller.example")] == [
        "Te damos la bienvenida a Maverik",
        "Ya tenés una cuenta en Maverik",
    ]
