"""A whole story on a real server; then its secrets are looked for wherever they must not be."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pyotp
import requests

from maverik_backend.clients.mail.base import Sender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.core.database import make_engine
from maverik_backend.core.deadline import Deadline
from tests.support.fixtures.application import local_settings
from tests.support.fixtures.people import key_in, link_token_in, make_profile, make_session_body, text_of
from tests.support.fixtures.scan import everything
from tests.support.processes import ServerProcess

EMAIL = "ana.de.la.fuga@example.com"
CHOSEN = ("primera clave elegida 8Qz", "segunda clave elegida 3Wv")
METRICS_TOKEN = "una clave de metricas 5Kp"
BOILERPLATE = {"¡Hola!", "El equipo de Maverik"}
PATIENCE_S = 60.0


class Story:
    """Somebody's life with the product, with every secret that came by and every error that was answered."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.secrets: set[str] = set(CHOSEN)
        self.errors: list[str] = []
        self.mails: list[EmailMessage] = []
        settings = local_settings(folder)
        self._mailbox = LocalMailbox(settings.mailbox_dir, sender=Sender.from_settings(settings.mail))
        self._token = ""

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, **kwargs: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token if token is None else token}"}
        if body is not None:
            kwargs["json"] = body
        response = requests.request(method, f"{self.url}{path}", headers=headers, timeout=PATIENCE_S, **kwargs)
        if not response.ok:
            self.errors.append(response.text)
        return response

    def next_mail(self) -> EmailMessage:
        deadline = Deadline.after(PATIENCE_S)
        mail = self._mailbox.wait_for_mail(EMAIL, deadline=deadline, already_seen=len(self.mails))
        self.mails.append(mail)
        return mail

    def log_in(self, key: str) -> None:
        login = self.call("POST", "/user/login", {"email": EMAIL, "clave": key}).json()
        self.keep_tokens(login)

    def keep_tokens(self, login: Any) -> None:
        self._token = login["access_token"]
        self.refresh_token = login["refresh_token"]
        self.secrets |= {self._token, self.refresh_token}

    def live(self) -> None:
        """Sign up, log in, change the key, forget it, restore it, add a second factor, talk, refresh, export."""
        assert self.call("POST", "/user/signup", make_profile(email=EMAIL)).status_code == 201
        welcome = self.next_mail()
        self.secrets |= {key_in(welcome), link_token_in(welcome)}
        self.log_in(key_in(welcome))
        changed = self.call("PUT", "/user/password", {"clave_actual": key_in(welcome), "clave_nueva": CHOSEN[0]})
        assert changed.status_code == 200
        self.next_mail()
        self.call("POST", "/user/password/forgot", {"email": EMAIL})
        token = link_token_in(self.next_mail())
        self.secrets.add(token)
        reset = self.call("POST", "/user/password/reset", {"token": token, "clave_nueva": CHOSEN[1]})
        assert reset.status_code == 200
        self.keep_tokens(reset.json())
        self.next_mail()
        self.add_second_factor()
        session = self.call("POST", "/copilot/sessions", make_session_body()).json()
        assert self.call("POST", f"/copilot/sessions/{session['id']}", {"input": None}).status_code == 200
        self.keep_tokens(self.call("POST", "/user/token/refresh", {"refresh_token": self.refresh_token}).json())
        assert self.call("GET", "/user/me/export").status_code == 200

    def add_second_factor(self) -> None:
        secret = self.call("POST", "/user/second-factor", {"clave": CHOSEN[1]}).json()["secreto"]
        confirmed = self.call("POST", "/user/second-factor/confirm", {"codigo": pyotp.TOTP(secret).now()})
        recovery_code = confirmed.json()["codigos"][0]
        self.secrets |= {secret, recovery_code, recovery_code.replace("-", "")}
        self.next_mail()
        body = {"email": EMAIL, "clave": CHOSEN[1], "codigo": recovery_code}
        self.keep_tokens(self.call("POST", "/user/login", body).json())
        self.next_mail()

    def blunder(self) -> None:
        """Send every secret to places where it does not belong, as broken clients do."""
        for secret in sorted(self.secrets):
            self.call("POST", "/user/login", {"email": secret, "clave": secret})
            self.call("POST", "/user/login", {"email": [secret], "clave": {"a": secret}})
            self.call("POST", "/user/login", data=secret.encode())
            self.call("POST", "/user/login", {"email": secret, "clave": "x", "codigo": secret})
            self.call("POST", "/user/second-factor/confirm", {"codigo": [secret]})
            self.call("POST", "/user/signup", make_profile(email=secret, busca_invertir_en_id=secret))
            self.call("POST", "/user/password/forgot", {"email": secret})
            self.call("POST", "/user/password/reset", {"token": secret, "clave_nueva": [secret]})
            self.call("POST", "/user/password/reset", {"token": secret, "clave_nueva": "otra clave"})
            self.call("POST", "/user/token/refresh", {"refresh_token": secret + "x"})
            self.call("PUT", "/user/password", {"clave_actual": secret + "x", "clave_nueva": secret * 9})
            self.call("DELETE", "/user/me", {"clave": [secret]})
            self.call("GET", "/user/me", token=secret + "x")
            self.call("GET", f"/user/me/events?limit={secret}")
            self.call("GET", f"/copilot/sessions/{secret}")
            self.call("GET", f"/{secret}")
            self.call("DELETE", f"/user/logins/{secret}")

    def leave(self) -> None:
        assert self.call("DELETE", "/user/me", {"clave": CHOSEN[1]}).status_code == 204
        self.next_mail()

    def traces(self) -> set[str]:
        """Every secret, and every line of every mail that is not in all of them."""
        lines = {line for mail in self.mails for line in text_of(mail).splitlines() if line}
        return self.secrets | (lines - BOILERPLATE)


def files_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Everything on disk, the write-ahead log and the logs of PostgreSQL included, but mailbox and key."""
    for path in folder.rglob("*"):
        if path.is_file() and "mailbox" not in path.parts and path.name != "secret_key":
            yield str(path.relative_to(folder)), path.read_bytes()


def test_no_key_token_or_mail_is_anywhere_in_clear(own_folder: Path) -> None:
    variables = {
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "DEBUG",
        "JOBS_POLL_INTERVAL_S": "0.05",
        "FRONTEND_URL": "https://app.example.com",
        "RATE_LIMIT_STORAGE": "postgres",
        "METRICS_TOKEN": METRICS_TOKEN,
    }
    data = own_folder / "data"
    with ServerProcess(own_folder, **variables) as server:
        story = Story(server.url, data)
        story.live()
        story.blunder()
        engine = make_engine(local_settings(data))
        with engine.connect() as connection:
            tables = everything(connection)
        engine.dispose()
        story.leave()
        pages = {
            path: story.call("GET", path, token=METRICS_TOKEN).text for path in ("/docs", "/openapi.json", "/metrics")
        }
        assert server.stop() == 0
        log = server.output()

    traces = story.traces() | {METRICS_TOKEN}
    assert len(story.mails) == 7
    assert len(story.secrets) >= 2 + 1 + 2 + 3 + 8
    assert '"route": "/user/password/reset"' in log
    assert 'route="/user/password/reset"' in pages["/metrics"]
    assert len(story.errors) > 10 * len(story.secrets)
    assert not [error for error in story.errors if "too many requests" in error]
    assert EMAIL in tables["usuario"]
    assert [where for where, raw in files_in(data) if EMAIL.encode() in raw]
    for where, content in {**pages, **tables, "log": log, "errors": "\n".join(story.errors)}.items():
        assert not {trace for trace in traces if trace in content}, where
    for where, raw in files_in(data):
        assert not {trace for trace in traces if trace.encode() in raw}, where
