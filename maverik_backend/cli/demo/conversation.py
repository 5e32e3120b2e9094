"""The demo: a whole advisory conversation over HTTP, against a server of its own, in a temporary folder.

It ignores the configuration around it: nothing it does can touch a real database, service or mailbox.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import requests

from maverik_backend.api import create_app
from maverik_backend.clients.mail.base import Sender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.core import embedded_postgres
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.logging import configure_logging
from maverik_backend.core.migrations import upgrade
from maverik_backend.invocation import own_command
from maverik_backend.server import Server
from maverik_backend.settings import (
    AdviceSettings,
    AppSettings,
    DatabaseSettings,
    FrontendSettings,
    MailSettings,
    SecuritySettings,
    Settings,
)
from maverik_backend.texts import demo as texts
from maverik_backend.texts import format as fmt
from maverik_backend.texts.mail import KEY_LINE

HOST = "127.0.0.1"
START_TIMEOUT_S = 30.0
MAIL_TIMEOUT_S = 15.0
REQUEST_TIMEOUT_S = 60.0


def play() -> None:
    """Play the conversation and print it; raises when any step of it fails."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="maverik-demo-") as folder:
        settings = isolated_settings(Path(folder))
        configure_logging(settings.app)
        with _embedded_postgres(settings), _running_server(settings) as address:
            click.secho(f"\n{texts.TITLE}", bold=True)
            _say(texts.INTRO.format(address=address))
            _Conversation(address, settings).run()
    seconds = fmt.number(time.monotonic() - started, decimals=1)
    click.secho(f"\n{texts.END.format(seconds=seconds, command=own_command('serve'))}", bold=True)


def isolated_settings(folder: Path) -> Settings:
    """Every default, whatever the environment says, with all files in ``folder``."""
    return Settings(
        app=AppSettings.isolated(app_env="local", local_data_dir=folder, log_level="WARNING", log_format="console"),
        database=DatabaseSettings.isolated(),
        advice=AdviceSettings.isolated(),
        mail=MailSettings.isolated(jobs_poll_interval_s=0.1),
        security=SecuritySettings.isolated(),
        frontend=FrontendSettings.isolated(),
    )


class _Conversation:
    """An invented investor who uses the API as a frontend would."""

    def __init__(self, address: str, settings: Settings) -> None:
        self._address = address
        self._mailbox = LocalMailbox(settings.mailbox_dir, sender=Sender.from_settings(settings.mail))
        self._http = requests.Session()
        self._http.trust_env = False

    def run(self) -> None:
        _step(texts.STEP_SIGN_UP)
        _say(self._call("POST", "/user/signup", {"email": texts.EMAIL, **texts.PROFILE})["mensaje"])
        _step(texts.STEP_MAIL)
        key = self._receive_key()
        _step(texts.STEP_LOGIN)
        self._log_in(key)
        _step(texts.STEP_SESSION)
        session = self._call("POST", "/copilot/sessions", texts.SESSION)
        _say(texts.SESSION_OPENED.format(title=session["titulo_chat"]))
        turns = [self._talk(session, question) for question in texts.QUESTIONS]
        _step(texts.STEP_HISTORY)
        self._read_back(session, turns)

    def _receive_key(self) -> str:
        mail = self._mailbox.wait_for_mail(texts.EMAIL, deadline=Deadline.after(MAIL_TIMEOUT_S))
        body = mail.get_body(("plain",))
        start = KEY_LINE.format(key="")
        key = next(line for line in body.get_content().splitlines() if line.startswith(start)) if body else ""
        key = key.removeprefix(start)
        _say(texts.MAIL_FOUND.format(subject=mail["Subject"], masked=f"{key[:3]}…"))
        return key

    def _log_in(self, key: str) -> None:
        login = self._call("POST", "/user/login", {"email": texts.EMAIL, "clave": key})
        self._http.headers["Authorization"] = f"Bearer {login['access_token']}"
        _say(texts.LOGGED_IN.format(user_name=login["user_name"], hours=login["expires_in"] // 3600))

    def _talk(self, session: dict[str, Any], question: str | None) -> dict[str, Any]:
        turn: dict[str, Any] = self._call("POST", f"/copilot/sessions/{session['id']}", {"input": question})
        _speech(texts.PERSON, turn["input"], color="cyan")
        _speech(texts.ADVISOR, turn["output"], color="green")
        if portfolio := turn["portafolio"]:
            assets = [f"{asset['activo']} {fmt.percent(asset['peso'])}" for asset in portfolio["activos"]]
            _say(texts.PORTFOLIO.format(assets=fmt.enumerate_spanish(assets)))
        return turn

    def _read_back(self, session: dict[str, Any], turns: list[dict[str, Any]]) -> None:
        history = self._call("GET", f"/copilot/sessions/{session['id']}")
        if history != turns:
            raise click.ClickException("the history is not what was said")
        _say(texts.HISTORY.format(count=len(history)))

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - decoded JSON
        response = self._http.request(method, self._address + path, json=body, timeout=REQUEST_TIMEOUT_S)
        if not response.ok:
            raise click.ClickException(f"{method} {path} answered {response.status_code}: {response.text}")
        return response.json()


@contextmanager
def _embedded_postgres(settings: Settings) -> Iterator[None]:
    """The embedded database, migrated, and stopped before its folder goes away."""
    try:
        upgrade(settings)
        yield
    finally:
        embedded_postgres.stop(embedded_postgres.data_dir_of(settings))


@contextmanager
def _running_server(settings: Settings) -> Iterator[str]:
    """The address of a real server that runs in this process until the block ends."""
    listener = socket.create_server((HOST, 0))
    port = listener.getsockname()[1]
    server = Server(create_app(settings), host=HOST, port=port)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="demo-server")
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield f"http://{HOST}:{port}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _wait_until_started(server: Server, thread: threading.Thread) -> None:
    deadline = Deadline.after(START_TIMEOUT_S)
    while not server.started:
        if deadline.passed or not thread.is_alive():
            raise click.ClickException("the server did not start")
        time.sleep(0.02)


def _step(text: str) -> None:
    click.secho(f"\n▸ {text}", fg="yellow")


def _say(text: str) -> None:
    click.echo(_wrapped(text, indent="  "))


def _speech(who: str, text: str, *, color: str) -> None:
    click.secho(f"\n{who}:", fg=color, bold=True)
    for paragraph in text.split("\n\n"):
        click.echo(_wrapped(paragraph, indent="  ") + "\n")


def _wrapped(text: str, *, indent: str) -> str:
    width = min(100, shutil.get_terminal_size().columns)
    return textwrap.fill(text, width=width, initial_indent=indent, subsequent_indent=indent)
