"""What every mail sender promises, asked of each line of ``registry.MAIL_SENDERS``."""

from __future__ import annotations

import os
import ssl
import stat
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr
from functools import cache
from pathlib import Path

import pytest
import trustme

from maverik_backend.clients import registry
from maverik_backend.clients.mail.base import Mail, MailSender, Sender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.clients.mail.smtp import SmtpSender
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import (
    RecipientRefused,
    SettingsError,
    UpstreamBadAnswer,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from maverik_backend.settings import AppSettings, MailSettings, Settings
from maverik_backend.texts.mail import lay_out, welcome
from tests.support.servers import CUT, HANG, LOOPBACK, MailApiServer, Peer, RawServer, Reply, refusing_port
from tests.support.smtp_server import SmtpServer

AMPLE_S = 60.0
SHORT_S = 0.3
LATE_S = 10.0  # for how long a loaded machine may stand still beyond a deadline
API_KEY = "xkeysib-very-secret"
PASSWORD = "smtp-very-secret"
SENDER_ADDRESS = "hola@example.com"
TEXT, HTML = lay_out(
    welcome(
        key="abc",
        link="https://app.example.com/a/rather/long/path?with=a&query=string",
        frontend_url="https://app.example.com",
        change_url="https://app.example.com/clave",
        hours=72,
    )
)
MAIL = Mail(
    to="ana@example.org",
    subject="¡Te damos la bienvenida a Maverik, señora Núñez! Acá está tu clave temporal",
    text=TEXT,
    html=HTML,
    reference="maverik-0000000042",
)


@dataclass(frozen=True, kw_only=True)
class Received:
    """A mail at the other end, whatever way it went."""

    sender: tuple[str, str]
    to: str
    subject: str
    text: str
    html: str
    reference: str

    @classmethod
    def from_mime(cls, mime: EmailMessage) -> Received:
        return cls(
            sender=parseaddr(str(mime["From"])),
            to=str(mime["To"]),
            subject=str(mime["Subject"]),
            text=_content(mime, "plain"),
            html=_content(mime, "html"),
            reference=str(mime["Message-ID"]).strip("<>").partition("@")[0],
        )


@dataclass(frozen=True, kw_only=True)
class Harness:
    """A sender, and what arrived through it."""

    sender: MailSender
    received: Callable[[], list[Received]]


def _content(mime: EmailMessage, subtype: str) -> str:
    part = mime.get_body(preferencelist=(subtype,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def parse(content: bytes) -> EmailMessage:
    return BytesParser(EmailMessage, policy=policy.default).parsebytes(content)


def mail_settings(**fields: object) -> MailSettings:
    return MailSettings.model_validate(
        {"mail_sender_name": "Asesoría Maverik", "mail_sender_address": SENDER_ADDRESS, **fields}
    )


def make_sender(mail: MailSettings, *, data_dir: Path = Path("unused")) -> MailSender:
    settings = Settings(mail=mail, app=AppSettings(local_data_dir=data_dir))
    context = registry.ClientContext(settings=settings, search=lambda _text, *, limit: [][:limit])
    return registry.make_clients(context).mail


@contextmanager
def local(tmp_path: Path, _monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    sender = make_sender(mail_settings(), data_dir=tmp_path)

    def received() -> list[Received]:
        return [Received.from_mime(parse(file.read_bytes())) for file in tmp_path.rglob("*.eml")]

    yield Harness(sender=sender, received=received)


@contextmanager
def http_api(_tmp_path: Path, _monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    with MailApiServer() as server:

        def received() -> list[Received]:
            return [
                Received(
                    sender=(body["sender"]["name"], body["sender"]["email"]),
                    to=body["to"][0]["email"],
                    subject=body["subject"],
                    text=body["textContent"],
                    html=body["htmlContent"],
                    reference=body["headers"]["X-Mailin-custom"],
                )
                for body in (request.json for request in server.requests)
            ]

        sender = make_sender(mail_settings(smtp_api_url=server.url, smtp_api_key=API_KEY))
        yield Harness(sender=sender, received=received)


@contextmanager
def smtp(_tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    with authority().cert_pem.tempfile() as certificate, SmtpServer(tls=server_tls()) as server:
        monkeypatch.setenv("SSL_CERT_FILE", certificate)  # what the system's OpenSSL trusts
        sender = make_sender(mail_settings(smtp_host=LOOPBACK, smtp_port=server.port))
        yield Harness(
            sender=sender,
            received=lambda: [Received.from_mime(parse(delivery.content)) for delivery in server.deliveries],
        )


HARNESSES: dict[str, Callable[[Path, pytest.MonkeyPatch], AbstractContextManager[Harness]]] = {
    "local": local,
    "http_api": http_api,
    "smtp": smtp,
}


@pytest.fixture(params=registry.MAIL_SENDERS)
def harness(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    if request.param not in HARNESSES:
        pytest.fail(f"registry.MAIL_SENDERS has {request.param!r}, which has no harness here: add one to HARNESSES")
    with HARNESSES[request.param](tmp_path, monkeypatch) as made:
        module, _, name = registry.MAIL_SENDERS[request.param].partition(":")
        assert (type(made.sender).__module__, type(made.sender).__name__) == (module, name)
        yield made


def send(sender: MailSender, mail: Mail = MAIL, *, within_s: float = AMPLE_S) -> None:
    sender.send(mail, deadline=Deadline.after(within_s))


class TestEveryMailSender:
    def test_mail_arrives_as_it_was_written(self, harness: Harness) -> None:
        send(harness.sender)
        assert harness.received() == [
            Received(
                sender=("Asesoría Maverik", SENDER_ADDRESS),
                to=MAIL.to,
                subject=MAIL.subject,
                text=MAIL.text,
                html=MAIL.html,
                reference=MAIL.reference,
            )
        ]

    def test_key_stands_alone_on_its_line(self, harness: Harness) -> None:
        send(harness.sender)
        assert "Clave: abc" in harness.received()[0].text.splitlines()

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(".\n..\n.punto\n", id="lines that start with a full stop"),
            pytest.param("ñ" * 3000 + "\n", id="a line longer than mails may have"),
            pytest.param("💸 = 100 %\n", id="emoji and equals sign"),
            pytest.param("fin  \n\n\n", id="spaces and empty lines at the end"),
        ],
    )
    def test_text_arrives_unharmed(self, harness: Harness, text: str) -> None:
        send(harness.sender, replace(MAIL, text=text))
        assert harness.received()[0].text == text

    def test_a_second_try_has_the_same_reference(self, harness: Harness) -> None:
        send(harness.sender)
        send(harness.sender)
        assert {mail.reference for mail in harness.received()} == {MAIL.reference}

    def test_mails_of_several_threads_do_not_mix(self, harness: Harness) -> None:
        threads = 8
        barrier = threading.Barrier(threads)
        mails = [
            replace(MAIL, to=f"p{number}@example.org", text=f"Clave: {number}\n", reference=f"maverik-{number}")
            for number in range(threads)
        ]

        def work(mail: Mail) -> None:
            barrier.wait(AMPLE_S)
            send(harness.sender, mail)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, mails))
        arrived = sorted((mail.to, mail.text, mail.reference) for mail in harness.received())
        assert arrived == sorted((mail.to, mail.text, mail.reference) for mail in mails)


@pytest.fixture
def api() -> Iterator[MailApiServer]:
    with MailApiServer() as server:
        yield server


def api_sender(url: str) -> MailSender:
    return make_sender(mail_settings(smtp_api_url=url, smtp_api_key=API_KEY))


class TestHttpApi:
    def test_call_is_what_the_contract_says(self, api: MailApiServer) -> None:
        send(api_sender(api.url))
        request = api.requests[0]
        assert (request.method, request.path, request.headers["api-key"]) == ("POST", "/v3/smtp/email", API_KEY)
        assert {key: value for key, value in request.json.items() if key != "headers"} == {
            "sender": {"name": "Asesoría Maverik", "email": SENDER_ADDRESS},
            "to": [{"email": MAIL.to}],
            "subject": MAIL.subject,
            "htmlContent": MAIL.html,
            "textContent": MAIL.text,
        }

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_every_2xx_means_taken(self, api: MailApiServer, status: int) -> None:
        api.script(Reply(status=status))
        send(api_sender(api.url))
        assert len(api.requests) == 1

    @pytest.mark.parametrize("status", [400, 413, 422])
    def test_mail_that_is_wrong_is_refused_for_good(self, api: MailApiServer, status: int) -> None:
        api.script(Reply.json({"message": f"{MAIL.to} is not valid"}, status=status))
        with pytest.raises(RecipientRefused):
            send(api_sender(api.url))

    @pytest.mark.parametrize("status", [301, 401, 402, 403, 404, 408, 429, 500, 502, 503])
    def test_everything_else_may_be_right_later(self, api: MailApiServer, status: int) -> None:
        api.script(Reply(status=status))
        with pytest.raises(UpstreamRejected) as caught:
            send(api_sender(api.url))
        assert caught.value.status == status

    @pytest.mark.parametrize(
        ("reply", "error"),
        [pytest.param(CUT, UpstreamUnreachable, id="cut"), pytest.param(HANG, UpstreamTimeout, id="hang")],
    )
    def test_failure_is_of_the_right_kind(self, api: MailApiServer, reply: Reply, error: type[UpstreamError]) -> None:
        api.script(reply)
        with pytest.raises(error):
            send(api_sender(api.url), within_s=SHORT_S if reply is HANG else AMPLE_S)

    def test_a_refused_connection_is_unreachable(self) -> None:
        with refusing_port() as port, pytest.raises(UpstreamUnreachable):
            send(api_sender(f"http://{LOOPBACK}:{port}"))


@cache
def authority() -> trustme.CA:
    return trustme.CA()


def server_tls(*, issuer: trustme.CA | None = None, name: str = LOOPBACK) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (issuer or authority()).issue_cert(name).configure_cert(context)
    return context


def client_tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


def smtp_sender(port: int, *, security: str = "starttls", password: str | None = None) -> SmtpSender:
    # The security is checked by the settings; here it comes from parameters that are plain text.
    assert security in {"starttls", "tls", "none"}
    return SmtpSender(
        LOOPBACK,
        port,
        sender=Sender(name="Maverik", address=SENDER_ADDRESS),
        security=security,  # type: ignore[arg-type]
        credentials=("maverik", password) if password else None,
        tls=client_tls(),
    )


class TestSmtp:
    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_mail_travels_encrypted(self, security: str) -> None:
        with SmtpServer(tls=server_tls(), implicit_tls=security == "tls") as server:
            send(smtp_sender(server.port, security=security))
            assert [(mail.recipients, mail.encrypted) for mail in server.deliveries] == [([MAIL.to], True)]

    def test_mail_travels_in_clear_only_when_told_to(self) -> None:
        with SmtpServer() as server:
            send(smtp_sender(server.port, security="none"))
            assert [mail.encrypted for mail in server.deliveries] == [False]

    def test_envelope_names_the_sender(self) -> None:
        with SmtpServer() as server:
            send(smtp_sender(server.port, security="none"))
            assert server.deliveries[0].sender == SENDER_ADDRESS

    def test_key_line_can_be_found_in_the_bytes_on_the_wire(self) -> None:
        with SmtpServer() as server:
            send(smtp_sender(server.port, security="none"))
            assert b"Clave: abc" in server.deliveries[0].content.split(b"\r\n")

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_it_signs_in(self, security: str) -> None:
        login = ("maverik", PASSWORD)
        with SmtpServer(tls=server_tls(), implicit_tls=security == "tls", credentials=login) as server:
            send(smtp_sender(server.port, security=security, password=PASSWORD))
            assert [mail.authenticated for mail in server.deliveries] == [True]

    def test_credentials_come_from_the_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with (
            authority().cert_pem.tempfile() as certificate,
            SmtpServer(tls=server_tls(), credentials=("maverik", PASSWORD)) as server,
        ):
            monkeypatch.setenv("SSL_CERT_FILE", certificate)
            settings = mail_settings(
                smtp_host=LOOPBACK, smtp_port=server.port, smtp_username="maverik", smtp_password=PASSWORD
            )
            send(make_sender(settings))
            assert [mail.authenticated for mail in server.deliveries] == [True]

    def test_wrong_password_is_a_rejection(self) -> None:
        with SmtpServer(tls=server_tls(), credentials=("maverik", PASSWORD)) as server:
            with pytest.raises(UpstreamRejected) as caught:
                send(smtp_sender(server.port, password="another"))
            assert (caught.value.status, server.deliveries) == (535, [])

    def test_address_with_accents_arrives(self) -> None:
        with SmtpServer() as server:
            send(smtp_sender(server.port, security="none"), replace(MAIL, to="ñandú@example.org"))
            assert server.deliveries[0].recipients == ["ñandú@example.org"]

    def test_domain_with_accents_needs_no_special_server(self) -> None:
        with SmtpServer(smtputf8=False) as server:
            send(smtp_sender(server.port, security="none"), replace(MAIL, to="ana@müller.example"))
            assert server.raw_recipients == ["TO:<ana@xn--mller-kva.example>"]

    def test_address_with_accents_is_refused_for_good_where_the_server_takes_none(self) -> None:
        with SmtpServer(smtputf8=False) as server:
            with pytest.raises(RecipientRefused) as caught:
                send(smtp_sender(server.port, security="none"), replace(MAIL, to="ñandú@example.org"))
            assert caught.value.reason == "refused (the server offers no SMTPUTF8)"
            assert server.raw_recipients == []

    @pytest.mark.parametrize(
        ("reply", "reason"),
        [
            ("550 5.1.1 nobody here", "reply 550 5.1.1"),
            ("553 5.1.3 bad address", "reply 553 5.1.3"),
            ("501 what?", "reply 501"),
            ("521 no mail", "reply 521"),
            ("550 5.1.1234 x", "reply 550"),
        ],
    )
    def test_recipient_refused_for_good(self, reply: str, reason: str) -> None:
        with SmtpServer() as server:
            server.recipient_reply = reply
            with pytest.raises(RecipientRefused) as caught:
                send(smtp_sender(server.port, security="none"))
            assert caught.value.reason == f"refused ({reason})"

    @pytest.mark.parametrize("reply", ["450 4.2.1 greylisted", "451 4.3.0 later", "452 4.2.2 full"])
    def test_recipient_refused_for_now(self, reply: str) -> None:
        with SmtpServer() as server:
            server.recipient_reply = reply
            with pytest.raises(UpstreamRejected) as caught:
                send(smtp_sender(server.port, security="none"))
            assert caught.value.status == int(reply[:3])

    @pytest.mark.parametrize("reply", ["451 4.3.0 later", "552 5.3.4 too big", "554 5.7.1 looks like spam"])
    def test_refused_content_is_a_rejection(self, reply: str) -> None:
        with SmtpServer() as server:
            server.content_reply = reply
            with pytest.raises(UpstreamRejected) as caught:
                send(smtp_sender(server.port, security="none"))
            assert caught.value.status == int(reply[:3])

    def test_a_refused_connection_is_unreachable(self) -> None:
        with refusing_port() as port, pytest.raises(UpstreamUnreachable):
            send(smtp_sender(port))


class TestSender:
    def test_domain_with_accents_is_written_for_every_server(self) -> None:
        sender = Sender.from_settings(mail_settings(mail_sender_address="hola@müller.example"))
        assert sender.address == "hola@xn--mller-kva.example"

    @pytest.mark.parametrize(
        "address", ["ñandú@example.com", "=?utf-8?q?m=40ev.co=3c?=z@example.com", "a%b@example.com"]
    )
    def test_address_that_not_every_server_takes_is_told_at_the_start(self, address: str) -> None:
        with pytest.raises(SettingsError, match="MAIL_SENDER_ADDRESS cannot be used: "):
            make_sender(mail_settings(mail_sender_address=address))


class TestSmtpIsNeverInClear:
    @pytest.mark.parametrize("security", ["starttls", "tls"])
    @pytest.mark.parametrize(
        ("issuer", "name"),
        [pytest.param(trustme.CA(), LOOPBACK, id="unknown authority"), pytest.param(None, "::1", id="another host")],
    )
    def test_bad_certificate_stops_it(self, security: str, issuer: trustme.CA | None, name: str) -> None:
        tls = server_tls(issuer=issuer, name=name)
        with SmtpServer(tls=tls, implicit_tls=security == "tls") as server:
            with pytest.raises(UpstreamUnreachable):
                send(smtp_sender(server.port, security=security, password=PASSWORD))
            assert (server.deliveries, server.commands) == ([], [])

    def test_server_that_does_not_offer_starttls_gets_nothing(self) -> None:
        with SmtpServer() as server:
            with pytest.raises(UpstreamError):
                send(smtp_sender(server.port))
            assert (server.deliveries, server.commands) == ([], [])

    @pytest.mark.parametrize("reply", [b"454 4.7.0 not now", b"502 5.5.1 what?"])
    def test_server_that_takes_starttls_back_gets_nothing(self, reply: bytes) -> None:
        dialog = Dialog(EHLO=b"250-raw.example\r\n250 STARTTLS", STARTTLS=reply)
        with RawServer(dialog) as server, pytest.raises(UpstreamRejected):
            send(smtp_sender(server.port, password=PASSWORD))
        assert [command[:8] for command in dialog.commands] == [b"EHLO", b"STARTTLS"]

    def test_what_follows_starttls_in_clear_is_not_believed(self) -> None:
        """CVE-2011-0411: replies put in before the handshake must not count as replies after it."""
        dialog = Dialog(EHLO=b"250-raw.example\r\n250 STARTTLS", STARTTLS=b"220 go\r\n250 AUTH PLAIN\r\n250 OK")
        with RawServer(dialog) as server, pytest.raises(UpstreamError):
            send(smtp_sender(server.port, password=PASSWORD), within_s=SHORT_S)
        assert [command[:8] for command in dialog.commands][:2] == [b"EHLO", b"STARTTLS"]
        assert not any(command.startswith((b"AUTH", b"MAIL")) for command in dialog.commands)


class Dialog:
    """An SMTP server for :class:`RawServer` that says yes to everything but what it is told to answer otherwise.

    A reply is text, or something to do with the connection. ``GREETING`` and ``CONTENT`` are the two replies that
    answer no command.
    """

    YES: dict[str, bytes | Callable[[Peer], None]] = {  # noqa: RUF012 - never changed
        "GREETING": b"220 raw.example ESMTP",
        "EHLO": b"250 raw.example",
        "HELO": b"250 raw.example",
        "DATA": b"354 go on",
        "QUIT": b"221 bye",
    }

    def __init__(self, **replies: bytes | Callable[[Peer], None]) -> None:
        self.commands: list[bytes] = []
        self._replies = self.YES | replies

    def __call__(self, peer: Peer) -> None:
        self._reply(peer, "GREETING")
        while line := peer.read_line():
            verb = line.split()[0].decode("ascii", "replace").upper() if line.split() else ""
            self.commands.append(verb.encode())
            self._reply(peer, verb)
            if verb == "DATA":
                while peer.read_line() not in {b".\r\n", b""}:
                    pass
                self._reply(peer, "CONTENT")
            if verb == "QUIT":
                return

    def _reply(self, peer: Peer, what: str) -> None:
        reply = self._replies.get(what, b"250 OK")
        if callable(reply):
            reply(peer)
        else:
            peer.send(reply + b"\r\n")


def cut(_peer: Peer) -> None:
    raise ConnectionAbortedError  # ends what the server does with this connection


def drips(reply: bytes) -> Callable[[Peer], None]:
    """``reply`` byte by byte, ever the same line again."""
    return lambda peer: peer.drip(reply * 100)


def slowly(reply: bytes) -> Callable[[Peer], None]:
    """``reply`` after two thirds of the deadline: in time alone, not together with another one."""

    def behave(peer: Peer) -> None:
        if not peer.stops_within(SHORT_S * 2 / 3):
            peer.send(reply + b"\r\n")

    return behave


class TestSmtpDeadline:
    @pytest.mark.parametrize(
        "dialog",
        [
            pytest.param(Dialog(GREETING=Peer.hang), id="no greeting"),
            pytest.param(Dialog(EHLO=Peer.hang), id="no answer to EHLO"),
            pytest.param(Dialog(CONTENT=Peer.hang), id="no answer to the mail"),
            pytest.param(Dialog(GREETING=drips(b"220-wait\r\n")), id="dripping greeting"),
            pytest.param(Dialog(CONTENT=drips(b"250-wait\r\n")), id="dripping answer to the mail"),
            pytest.param(Dialog(EHLO=slowly(b"250 raw.example"), MAIL=slowly(b"250 OK")), id="every answer slow"),
        ],
    )
    def test_slow_dialog_ends_at_the_deadline(self, dialog: Dialog) -> None:
        with RawServer(dialog) as server:
            self._check_ends(smtp_sender(server.port, security="none"))

    def test_silent_handshake_after_starttls_ends_at_the_deadline(self) -> None:
        def silent(peer: Peer) -> None:
            peer.send(b"220 go\r\n")
            peer.hang()

        with RawServer(Dialog(EHLO=b"250-raw.example\r\n250 STARTTLS", STARTTLS=silent)) as server:
            self._check_ends(smtp_sender(server.port))

    def test_silent_handshake_ends_at_the_deadline(self) -> None:
        with RawServer(Peer.hang) as server:
            self._check_ends(smtp_sender(server.port, security="tls"))

    def test_no_time_left_is_a_timeout(self) -> None:
        with RawServer(Dialog(GREETING=Peer.hang)) as server, pytest.raises(UpstreamTimeout):
            send(smtp_sender(server.port, security="none"), within_s=0)

    @staticmethod
    def _check_ends(sender: SmtpSender) -> None:
        start = time.monotonic()
        with pytest.raises(UpstreamTimeout):
            send(sender, within_s=SHORT_S)
        assert SHORT_S - 0.01 <= time.monotonic() - start < SHORT_S + LATE_S


class TestSmtpThatMisbehaves:
    @pytest.mark.parametrize(
        "goodbye",
        [
            pytest.param(b"421 4.3.2 shutting down", id="421"),
            pytest.param(b"500 5.5.1 what?", id="500"),
            pytest.param(b"hasta luego", id="not a reply"),
            pytest.param(cut, id="cut"),
            pytest.param(Peer.hang, id="hang"),
        ],
    )
    def test_mail_that_was_taken_is_sent_however_it_says_goodbye(self, goodbye: bytes | Callable[[Peer], None]) -> None:
        dialog = Dialog(QUIT=goodbye)
        with RawServer(dialog) as server:
            send(smtp_sender(server.port, security="none"), within_s=SHORT_S if goodbye is Peer.hang else AMPLE_S)
        assert dialog.commands[-1] == b"QUIT"

    def test_refused_recipient_stays_refused_however_it_says_goodbye(self) -> None:
        dialog = Dialog(RCPT=b"550 5.1.1 nobody", QUIT=b"500 5.5.1 what?", RSET=b"500 5.5.1 what?")
        with RawServer(dialog) as server, pytest.raises(RecipientRefused):
            send(smtp_sender(server.port, security="none"))

    @pytest.mark.parametrize("moment", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT"])
    def test_cut_connection_is_unreachable(self, moment: str) -> None:
        with RawServer(Dialog(**{moment: cut})) as server, pytest.raises(UpstreamUnreachable):
            send(smtp_sender(server.port, security="none"))

    @pytest.mark.parametrize("moment", ["GREETING", "MAIL", "CONTENT"])
    def test_what_is_not_a_reply_is_a_bad_answer(self, moment: str) -> None:
        with RawServer(Dialog(**{moment: b"HTTP/1.1 400 Bad Request"})) as server, pytest.raises(UpstreamBadAnswer):
            send(smtp_sender(server.port, security="none"))

    @pytest.mark.parametrize("moment", ["GREETING", "MAIL", "RCPT", "DATA"])
    def test_service_that_shuts_down_is_a_rejection_for_now(self, moment: str) -> None:
        with RawServer(Dialog(**{moment: b"421 4.3.2 later"})) as server, pytest.raises(UpstreamRejected) as caught:
            send(smtp_sender(server.port, security="none"))
        assert caught.value.status == 421

    @pytest.mark.parametrize("moment", ["MAIL", "DATA", "CONTENT"])
    @pytest.mark.parametrize("reply", [b"553 5.6.7 no such letters", b"550 5.1.1 nobody here"])
    def test_recipient_refused_later_than_asked_is_refused_for_good(self, moment: str, reply: bytes) -> None:
        with RawServer(Dialog(**{moment: reply})) as server, pytest.raises(RecipientRefused):
            send(smtp_sender(server.port, security="none"))

    @pytest.mark.parametrize("reply", [b"553 5.1.8 unknown sender", b"530 5.7.0 sign in first", b"550 no"])
    def test_sender_that_is_refused_may_be_mended(self, reply: bytes) -> None:
        with RawServer(Dialog(MAIL=reply)) as server, pytest.raises(UpstreamRejected):
            send(smtp_sender(server.port, security="none"))

    def test_password_that_smtplib_cannot_send_is_an_upstream_error(self) -> None:
        with SmtpServer(tls=server_tls(), credentials=("maverik", PASSWORD)) as server, pytest.raises(UpstreamError):
            send(smtp_sender(server.port, password="contraseña"))


class TestSmtpSecrets:
    @pytest.mark.parametrize(
        "dialog",
        [
            pytest.param(Dialog(RCPT=f"550 5.1.1 <{MAIL.to}> unknown".encode()), id="refused"),
            pytest.param(Dialog(RCPT=f"450 4.2.1 <{MAIL.to}> later".encode()), id="later"),
            pytest.param(Dialog(CONTENT=f"554 5.7.1 {MAIL.to}: Clave: abc".encode()), id="content"),
            pytest.param(Dialog(CONTENT=cut), id="cut"),
        ],
    )
    def test_no_error_quotes_address_or_content(self, dialog: Dialog) -> None:
        with RawServer(dialog) as server, pytest.raises(UpstreamError) as caught:
            send(smtp_sender(server.port, security="none"))
        self._check_silent(caught.value)

    def test_no_error_quotes_the_password(self) -> None:
        with SmtpServer(tls=server_tls(), credentials=("maverik", PASSWORD)) as server:
            with pytest.raises(UpstreamError) as caught:
                send(smtp_sender(server.port, password=PASSWORD + "?"))
            self._check_silent(caught.value)

    @staticmethod
    def _check_silent(error: UpstreamError) -> None:
        shown = "".join(traceback.format_exception(error)) + repr(error.__dict__)
        assert not [secret for secret in (MAIL.to, "Clave: abc", PASSWORD) if secret in shown]


@pytest.fixture
def mailbox(tmp_path: Path) -> LocalMailbox:
    return LocalMailbox(tmp_path / "data" / "mailbox", sender=Sender(name="Maverik", address=SENDER_ADDRESS))


class TestLocalMailbox:
    @pytest.fixture(autouse=True)
    def _careless_umask(self) -> Iterator[None]:
        before = os.umask(0)
        yield
        os.umask(before)

    def test_only_the_owner_may_read_it(self, mailbox: LocalMailbox) -> None:
        send(mailbox)
        (file,) = mailbox.directory.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(mailbox.directory.stat().st_mode) == 0o700

    def test_a_mail_is_one_file_named_by_its_reference(self, mailbox: LocalMailbox) -> None:
        send(mailbox)
        send(mailbox)
        assert [file.name for file in mailbox.directory.iterdir()] == [f"{MAIL.reference}.eml"]

    def test_what_a_crash_left_unfinished_is_no_mail(self, mailbox: LocalMailbox) -> None:
        mailbox.directory.mkdir(parents=True)
        (mailbox.directory / f"{MAIL.reference}.part").write_bytes(f"To: {MAIL.to}\n\nhalf".encode())
        assert mailbox.mails_to(MAIL.to) == []
        send(mailbox)
        assert [mail["Subject"] for mail in mailbox.mails_to(MAIL.to)] == [MAIL.subject]

    @pytest.mark.parametrize("line", ["Clave: abc", f"To: {MAIL.to}", f"Subject: {MAIL.subject}"])
    def test_lines_can_be_grepped(self, mailbox: LocalMailbox, line: str) -> None:
        send(mailbox)
        (file,) = mailbox.directory.iterdir()
        assert line in file.read_text(encoding="utf-8").splitlines()

    def test_mails_of_others_are_not_shown(self, mailbox: LocalMailbox) -> None:
        send(mailbox)
        send(mailbox, replace(MAIL, to="juana@example.org", reference="maverik-2"))
        assert [mail["To"] for mail in mailbox.mails_to(MAIL.to)] == [MAIL.to]

    def test_address_with_accents_is_found(self, mailbox: LocalMailbox) -> None:
        send(mailbox, replace(MAIL, to="ñandú@example.org"))
        assert len(mailbox.mails_to("ñandú@example.org")) == 1

    def test_mails_are_shown_oldest_first(self, mailbox: LocalMailbox) -> None:
        for number, name in enumerate("cab"):
            send(mailbox, replace(MAIL, subject=name, reference=name))
            os.utime(mailbox.directory / f"{name}.eml", (number, number))
        assert [mail["Subject"] for mail in mailbox.mails_to(MAIL.to)] == ["c", "a", "b"]

    def test_mailbox_that_nobody_wrote_to_is_empty(self, mailbox: LocalMailbox) -> None:
        assert mailbox.mails_to(MAIL.to) == []

    def test_waiting_ends_when_the_mail_arrives(self, mailbox: LocalMailbox) -> None:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(mailbox.wait_for_mail, MAIL.to, deadline=Deadline.after(AMPLE_S))
            send(mailbox)
            assert waiting.result(AMPLE_S)["Subject"] == MAIL.subject

    def test_waiting_can_skip_what_was_seen(self, mailbox: LocalMailbox) -> None:
        for name in "ab":
            send(mailbox, replace(MAIL, subject=name, reference=name))
        mail = mailbox.wait_for_mail(MAIL.to, deadline=Deadline.after(AMPLE_S), already_seen=1)
        assert mail["Subject"] == "b"

    def test_waiting_ends_at_the_deadline(self, mailbox: LocalMailbox) -> None:
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            mailbox.wait_for_mail(MAIL.to, deadline=Deadline.after(0.1))
        assert 0.1 <= time.monotonic() - start < 0.1 + LATE_S

    def test_directory_that_cannot_be_written_is_unreachable(self, mailbox: LocalMailbox) -> None:
        mailbox.directory.parent.mkdir(parents=True)
        mailbox.directory.write_text("a file in its place")
        with pytest.raises(UpstreamUnreachable):
            send(mailbox)
