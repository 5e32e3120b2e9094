"""Mails through an SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, Self

from maverik_backend.clients import punctual
from maverik_backend.clients.mail.base import Mail, Sender, as_mime
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import (
    RecipientRefused,
    UpstreamBadAnswer,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnreachable,
)

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext

CONNECT_TIMEOUT_S = 10.0
_FIRST_PERMANENT_REPLY = 500  # RFC 5321, section 4.2.1: 5yz is permanent, 4yz transient


class SmtpSender:
    """One connection a mail: mails are rare, and a server's idle limits are its own."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sender: Sender,
        security: Literal["starttls", "tls", "none"] = "starttls",
        credentials: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._sender = sender
        self._security = security
        self._credentials = credentials
        self._tls = tls or ssl.create_default_context()

    @classmethod
    def from_context(cls, context: ClientContext) -> Self:
        mail = context.settings.mail
        credentials = None
        if mail.smtp_username and mail.smtp_password:
            credentials = (mail.smtp_username, mail.smtp_password.get_secret_value())
        return cls(
            mail.smtp_host or "",
            mail.smtp_port,
            sender=Sender.from_settings(mail),
            security=mail.smtp_security,
            credentials=credentials,
        )

    def send(self, mail: Mail, *, deadline: Deadline) -> None:
        with _errors_mapped(deadline), closing(self._connect(deadline)) as server:
            if self._security == "starttls":
                server.starttls(context=self._tls)
            if self._credentials:
                server.login(*self._credentials)
            server.send_message(as_mime(mail, self._sender))
            # The mail is theirs now. However the server says goodbye, sending it again would be a second one.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()

    def _connect(self, deadline: Deadline) -> smtplib.SMTP:
        if self._security == "tls":
            return _PunctualSmtps(self._host, self._port, deadline=deadline, context=self._tls)
        return _PunctualSmtp(self._host, self._port, deadline=deadline)


class _PunctualSmtp(smtplib.SMTP):
    """Waits until the deadline and no longer, however many replies there are and however slowly they drip."""

    def __init__(self, host: str, port: int, *, deadline: Deadline, **options: Any) -> None:  # noqa: ANN401 - smtplib's
        self._deadline = deadline
        # smtplib takes zero for "do not block"
        timeout_s = max(min(CONNECT_TIMEOUT_S, deadline.remaining_s()), 0.001)
        super().__init__(host, port, timeout=timeout_s, **options)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = punctual.open_reader(self.sock, self._deadline)
        reply = super().getreply()
        if self.sock is not None:  # for what comes next: a command, or the TLS handshake
            punctual.set_timeout(self.sock, self._deadline)
        return reply


class _PunctualSmtps(_PunctualSmtp, smtplib.SMTP_SSL):
    """The same, in TLS from the first byte on."""


@contextmanager
def _errors_mapped(deadline: Deadline) -> Iterator[None]:
    """Smtplib's exceptions in our words, without the addresses and replies that they quote."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code = min(code for code, _ in error.recipients.values())
        if code >= _FIRST_PERMANENT_REPLY:
            raise RecipientRefused("mail", f"reply {code}") from None
        raise _rejected(code) from None
    except smtplib.SMTPResponseException as error:
        raise _rejected(error.smtp_code) from None
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        # smtplib reports a reply that did not come in time as a lost connection.
        if isinstance(error, TimeoutError) or deadline.passed:
            raise UpstreamTimeout("mail") from None
        raise UpstreamUnreachable("mail", type(error).__name__) from None


def _rejected(code: int) -> UpstreamError:
    """The error for a reply that says no; smtplib's code for what is not a reply is -1."""
    return UpstreamRejected("mail", code) if code > 0 else UpstreamBadAnswer("mail", "not an SMTP reply")
