"""A real SMTP server on loopback that keeps what it takes."""

from __future__ import annotations

import socket
import ssl
import threading
from asyncio import BaseTransport
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.servers import LOOPBACK


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A mail that was taken: its envelope, its bytes, and whether it came encrypted and from a user who signed in."""

    sender: str
    recipients: list[str]
    content: bytes
    encrypted: bool
    authenticated: bool


class SmtpServer:
    """Takes mails until told otherwise. With ``credentials`` it wants them; see :attr:`Delivery.authenticated`."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        credentials: tuple[str, str] | None = None,
        smtputf8: bool = True,
    ) -> None:
        self.deliveries: list[Delivery] = []
        self.recipient_reply: str | None = None
        """What to answer to ``RCPT`` instead of taking the recipient, such as ``550 5.1.1 nobody``."""
        self.content_reply: str | None = None
        """What to answer to the mail itself instead of taking it."""
        self.commands: list[str] = []
        self.raw_recipients: list[str] = []
        """What followed ``RCPT`` on the wire: aiosmtpd parses it with the same library as our code once did."""
        self._lock = threading.Lock()
        self._credentials = credentials
        # aiosmtpd does not count TLS from the start as TLS: it would warn of an AUTH that it takes for one in clear.
        self._controller = _Controller(
            self,
            hostname=LOOPBACK,
            port=0,
            server_hostname="smtp.example",
            ident="test",
            enable_SMTPUTF8=smtputf8,
            ssl_context=tls if implicit_tls else None,
            tls_context=None if implicit_tls else tls,
            require_starttls=tls is not None and not implicit_tls,
            authenticator=self._authenticate,
            auth_required=credentials is not None and not implicit_tls,
            auth_require_tls=not implicit_tls,
        )

    @property
    def port(self) -> int:
        return self._controller.port

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.wait_until_idle()
        self._controller.stop()

    def _authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        expected = self._credentials and tuple(part.encode() for part in self._credentials)
        given = (data.login, data.password) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given == expected, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands.append(f"RCPT {address}")
        if self.recipient_reply:
            return self.recipient_reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.content_reply:
            return self.content_reply
        content = envelope.original_content or b""
        delivery = Delivery(
            sender=envelope.mail_from or "",
            recipients=list(envelope.rcpt_tos),
            content=content,
            encrypted=session.ssl is not None or self._controller.ssl_context is not None,
            authenticated=bool(session.authenticated),
        )
        with self._lock:
            self.deliveries.append(delivery)
        return "250 OK"


class _Controller(Controller):
    """Finds out which port the system gave it, and knows when no client is connected."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._connected = 0
        self._changed = threading.Condition()

    def factory(self) -> SMTP:
        return _Smtp(self._count, self.handler, **self.SMTP_kwargs)

    def wait_until_idle(self) -> None:
        """Wait until the clients have gone: asyncio warns about connections that its loop leaves open."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._connected == 0, 10), "a client does not close its connection"

    def _count(self, change: int) -> None:
        with self._changed:
            self._connected += change
            self._changed.notify_all()

    def _trigger_server(self) -> None:
        sockets: list[socket.socket] = self.server.sockets  # type: ignore[union-attr]
        self.port = sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class _Smtp(SMTP):
    def __init__(self, count: Callable[[int], None], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._count = count
        self._is_connected = False

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802 - aiosmtpd looks for this name
        self.event_handler.raw_recipients.append(arg)
        await super().smtp_RCPT(arg)

    def connection_made(self, transport: BaseTransport) -> None:
        if not self._is_connected:  # STARTTLS makes the connection once more
            self._is_connected = True
            self._count(1)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if self._is_connected:
            self._is_connected = False
            self._count(-1)
