"""A mail goes to the mailbox that its account's address names, or nowhere: every sender, several hundred addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import idna
import pytest
from pydantic import TypeAdapter, ValidationError

from maverik_backend.clients import registry
from maverik_backend.clients.mail.base import Mail, MailSender, Sender
from maverik_backend.clients.mail.http_api import HttpApiSender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.clients.mail.smtp import SmtpSender
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import RecipientRefused
from maverik_backend.schemas.user import Email
from tests.support.hostile_addresses import hostile_addresses
from tests.support.servers import LOOPBACK, MailApiServer
from tests.support.smtp_server import SmtpServer

AMPLE_S = 60.0
SENDER = Sender(name="Maverik", address="hola@example.com")
PLAIN = (
    *("ana@example.org", "ana.maria+maverik@example.org", "o'brien@example.org", "a_b-c@example.org", "1@example.org"),
    *("ana@müller.example", "ñandú@example.org", "ñandú@müller.example", "ana@intranet", "ana{1}@example.org"),
)

Recipients = Callable[[], list[str]]
"""Whom the other end was given mails for so far, as it was written on the wire."""


def envelope_of(address: str) -> str:
    """The one spelling of ``address`` that a server may see."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{idna.encode(domain, uts46=True).decode()}"


def to_headers(content: bytes) -> list[bytes]:
    """The values of all headers that name a recipient."""
    head = content.replace(b"\r\n", b"\n").partition(b"\n\n")[0].split(b"\n")
    return [line.partition(b": ")[2] for line in head if line.lower().startswith((b"to:", b"cc:", b"bcc:", b"resent-"))]


@contextmanager
def smtp(_tmp_path: Path) -> Iterator[tuple[MailSender, Recipients]]:
    with SmtpServer() as server:

        def recipients() -> list[str]:
            assert all(len(to_headers(mail.content)) == 1 for mail in server.deliveries)
            assert len(server.raw_recipients) == len(server.deliveries)
            headers = [to_headers(mail.content)[0].decode() for mail in server.deliveries]
            assert [f"TO:<{header}>" for header in headers] == server.raw_recipients
            return headers

        yield SmtpSender(LOOPBACK, server.port, sender=SENDER, security="none"), recipients


@contextmanager
def http_api(_tmp_path: Path) -> Iterator[tuple[MailSender, Recipients]]:
    with MailApiServer() as server:

        def recipients() -> list[str]:
            return [",".join(to["email"] for to in request.json["to"]) for request in server.requests]

        yield HttpApiSender(server.url, api_key="x", sender=SENDER), recipients


@contextmanager
def local(tmp_path: Path) -> Iterator[tuple[MailSender, Recipients]]:
    def recipients() -> list[str]:
        files = sorted(tmp_path.glob("*.eml"))
        return [envelope_of(b",".join(to_headers(file.read_bytes())).decode()) for file in files]

    yield LocalMailbox(tmp_path, sender=SENDER), recipients


HARNESSES: dict[str, Callable[[Path], AbstractContextManager[tuple[MailSender, Recipients]]]] = {
    "smtp": smtp,
    "http_api": http_api,
    "local": local,
}


def spellings(address: str) -> Iterator[str]:
    """``address`` as an old row may hold it, and as an account has it that signs up with it, where one may."""
    yield address
    try:
        account = str(TypeAdapter(Email).validate_python(address))
    except ValidationError:
        return
    if account != address:
        yield account


def send(sender: MailSender, address: str, *, number: int) -> bool:
    """Whether it was sent; otherwise it was refused for good."""
    mail = Mail(to=address, subject="Hola", text="Clave: abc\n", html="<p>abc</p>", reference=f"r-{number:05d}")
    try:
        sender.send(mail, deadline=Deadline.after(AMPLE_S))
    except RecipientRefused:
        return False
    return True


def test_every_sender_is_tried() -> None:
    assert sorted(HARNESSES) == sorted(registry.MAIL_SENDERS)


@pytest.mark.parametrize("kind", HARNESSES)
def test_ordinary_addresses_get_their_mail(kind: str, tmp_path: Path) -> None:
    with HARNESSES[kind](tmp_path) as (sender, recipients):
        sent = [address for number, address in enumerate(PLAIN) if send(sender, address, number=number)]

        assert sent == list(PLAIN)
        assert recipients() == [envelope_of(address) for address in PLAIN]


@pytest.mark.parametrize("kind", HARNESSES)
def test_no_mail_to_a_mailbox_that_is_not_the_account_s(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = hostile_addresses()
    tried = [spelling for address in hostile for spelling in spellings(address)]
    with HARNESSES[kind](tmp_path) as (sender, recipients):
        sent = [address for number, address in enumerate(tried) if send(sender, address, number=number)]
        reached = recipients()

    wrong = sum(recipient != envelope_of(address) for address, recipient in zip(sent, reached, strict=True))
    with capsys.disabled():
        print(  # noqa: T201 - a figure that is asked for
            f"\nHostile addresses ({kind}): {len(hostile)} tried, {wrong} mails to a mailbox that is not the account's"
            f" ({len(sent)} to the one that is, {len(tried) - len(sent)} refused)"
        )
    assert len(hostile) >= 300
    assert wrong == 0


@pytest.mark.parametrize(
    "address",
    [
        "=?utf-8?q?m=40ev.co=3c?=z@corp.example",
        "=?UTF-8?B?bUBldi5jbyw=?=z@corp.example",
        "m%ev.co@corp.example",
        "ev.co!m@corp.example",
        "o\ufb03ce@corp.example",
        "a\u2024b@corp.example",
        '"m@ev.co"@corp.example',
        "ana@[127.0.0.1]",
    ],
)
def test_no_account_gets_such_an_address(address: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Email).validate_python(address)
