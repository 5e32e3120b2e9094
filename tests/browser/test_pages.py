"""Our own pages in a real browser: with and without scripts, narrow and wide, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from maverik_backend.clients.mail.base import Sender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.core.deadline import Deadline
from tests.support.fixtures.application import local_settings
from tests.support.fixtures.browser import MakeVisit
from tests.support.fixtures.database import rows
from tests.support.fixtures.people import key_in, link_token_in, make_profile, text_of
from tests.support.processes import ServerProcess

NEW_KEY = "una clave nueva, larga"
PATIENCE_S = 60.0
PAGES = ("/clave/nueva?token=x", "/clave/nueva", "/clave/olvide", "/clave/cambiar")


class Server:
    """A running backend with everything local, and what its people are mailed."""

    def __init__(self, process: ServerProcess, data: Path) -> None:
        self.url = process.url
        self.output = process.output
        self.settings = local_settings(data)
        self._mailbox = LocalMailbox(self.settings.mailbox_dir, sender=Sender.from_settings(self.settings.mail))

    def next_mail(self, email: str, *, already_seen: int) -> EmailMessage:
        return self._mailbox.wait_for_mail(email, deadline=Deadline.after(PATIENCE_S), already_seen=already_seen)

    def sign_up(self) -> tuple[str, EmailMessage]:
        """Somebody new: their address, and the mail that they get."""
        form = make_profile()
        requests.post(f"{self.url}/user/signup", json=form, timeout=PATIENCE_S).raise_for_status()
        return form["email"], self.next_mail(form["email"], already_seen=0)

    def sign_in(self, email: str, key: str) -> Any:
        return requests.post(f"{self.url}/user/login", json={"email": email, "clave": key}, timeout=PATIENCE_S)

    def let_days_pass(self, email: str, days: int) -> None:
        """Move everything that has an end so much nearer to it, for one person."""
        for table, whose in (("usuario", "email = :e"), ("enlace_clave", OWNED), ("inicio_sesion", OWNED)):
            end = "clave_vence" if table == "usuario" else "vence"
            rows(
                self.settings,
                f"UPDATE {table} SET {end} = {end} - make_interval(days => :days) WHERE {whose}",  # noqa: S608 - ours
                days=days,
                e=email,
            )


OWNED = "usuario_id = (SELECT id FROM usuario WHERE email = :e)"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with TemporaryDirectory(prefix="maverik-test-") as folder:
        variables = {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG", "JOBS_POLL_INTERVAL_S": "0.05"}
        with ServerProcess(Path(folder), **variables) as process:
            yield Server(process, Path(folder) / "data")
            assert process.stop() == 0


def fill(page: Page, **fields: str) -> None:
    """Fill the fields found by their labels, as people who hear a page do, and send the form."""
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)
    page.get_by_role("button").click()


def choose(page: Page, key: str, **others: str) -> None:
    fill(page, **others, Clave_nueva=key, Repetí_la_clave_nueva=key)


class TestWithoutScripts:
    @pytest.fixture
    def page(self, visit: MakeVisit) -> Page:
        return visit(java_script_enabled=False).page

    def test_a_used_key_outlives_its_end_and_is_changed_on_our_page(self, server: Server, page: Page) -> None:
        email, welcome = server.sign_up()
        mailed = key_in(welcome)
        assert server.sign_in(email, mailed).status_code == 200

        server.let_days_pass(email, 4)

        login = server.sign_in(email, mailed)
        assert (login.status_code, login.json()["debe_cambiar_clave"]) == (200, True)
        assert f"{server.url}/clave/cambiar" in text_of(welcome)
        page.goto(f"{server.url}/clave/cambiar")
        choose(page, NEW_KEY, Correo=email, Clave_actual=mailed)
        expect(page.get_by_role("heading")).to_have_text("Tu clave cambió")
        login = server.sign_in(email, NEW_KEY)
        assert (login.status_code, login.json()["debe_cambiar_clave"]) == (200, False)
        assert server.sign_in(email, mailed).status_code == 401

    def test_the_links_of_mails_lead_to_pages_that_do_what_they_say(self, server: Server, page: Page) -> None:
        email, welcome = server.sign_up()
        page.goto(f"{server.url}/clave/nueva?token={link_token_in(welcome)}")
        choose(page, "corta")
        expect(page.get_by_label("Clave nueva", exact=True)).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_label("Clave nueva", exact=True)).to_have_accessible_description(
            "De 8 a 128 caracteres de cualquier tipo. Una frase larga es mejor que una clave corta y rara. "
            "Tiene que tener entre 8 y 128 caracteres."
        )
        choose(page, NEW_KEY)
        expect(page.get_by_role("heading")).to_have_text("Guardamos tu clave")
        assert server.sign_in(email, NEW_KEY).status_code == 200

        page.get_by_role("link", name="Pedir un enlace").click()
        fill(page, Correo=email)
        expect(page.get_by_role("heading")).to_have_text("Revisá tu correo")
        token = link_token_in(server.next_mail(email, already_seen=2))  # the first two: welcome, and that it changed
        page.goto(f"{server.url}/clave/nueva?token={token}")
        choose(page, "otra clave, todavía más larga")
        expect(page.get_by_role("heading")).to_have_text("Guardamos tu clave")

        page.goto(f"{server.url}/clave/nueva?token={token}")
        expect(page.get_by_role("alert")).to_have_text("El enlace ya se usó o venció: pedí otro.")
        assert token not in server.output()


class TestHowItLooks:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [320, 1280])
    def test_no_page_breaks_its_policy_leaves_its_origin_or_is_wider_than_its_window(
        self, server: Server, visit: MakeVisit, width: int, scheme: str
    ) -> None:
        visitor = visit(viewport={"width": width, "height": 800}, color_scheme=scheme)
        for path in PAGES:
            visitor.page.goto(server.url + path)
            self.check(visitor, server, width)
            if visitor.page.get_by_role("button").count():
                visitor.page.get_by_role("button").click()
                expect(visitor.page.get_by_role("alert")).to_be_visible()
                self.check(visitor, server, width)

    @staticmethod
    def check(visitor: Any, server: Server, width: int) -> None:
        assert visitor.violations() == visitor.complaints == visitor.elsewhere(server.url) == []
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
        assert visitor.page.evaluate("getComputedStyle(document.querySelector('main')).borderRadius") == "12px"


class TestTheDocumentation:
    def test_it_shows_and_tries_every_operation_from_our_own_origin(self, server: Server, visit: MakeVisit) -> None:
        document = requests.get(f"{server.url}/openapi.json", timeout=PATIENCE_S).json()
        visitor = visit()
        page = visitor.page

        page.goto(f"{server.url}/docs")
        expect(page.locator(".opblock")).to_have_count(sum(len(item) for item in document["paths"].values()))
        operation = page.locator(".opblock", has=page.get_by_text("Quién contesta acá"))
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Try it out").click()
        operation.get_by_role("button", name="Execute").click()

        expect(operation.locator(".live-responses-table .response")).to_contain_text('"service": "maverik_backend"')
        assert visitor.violations() == visitor.complaints == visitor.elsewhere(server.url) == []
