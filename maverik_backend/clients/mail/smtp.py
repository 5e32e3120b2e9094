"""Mails through an SMTP server."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from email import policy
from typing import TYPE_CHECKING, Any, Literal, Self

from maverik_backend.clients import punctual
from maverik_backend.clients.mail.base import Mail, Sender, as_bytes, recipient_of
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
# What a permanent reply to the sender or the content says of the recipient with these stays true (RFC 3463, section 3;
# RFC 6531, section 3.7.3). Others, such as a sender that is not allowed, may be mended by operators.
_RECIPIENT_STATUSES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.6.7", "5.6.9"})


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
        recipient = recipient_of(mail)
        with _errors_mapped(deadline), closing(self._connect(deadline)) as server:
            if self._security == "starttls":
                server.starttls(context=self._tls)
            if self._credentials:
                server.login(*self._credentials)
            content = as_bytes(mail, self._sender, to=recipient, policy=policy.SMTP)
            server.sendmail(self._sender.address, [recipient], content, mail_options=_options(server, recipient))
            # The server has accepted the mail. Whatever it answers to QUIT, sending it again would be a second one.
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

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """``RCPT TO`` with the address as it is: smtplib's own parses it, and names what it found instead."""
        self.putcmd("RCPT", " ".join([f"TO:<{recip}>", *options]))
        return self.getreply()


class _PunctualSmtps(_PunctualSmtp, smtplib.SMTP_SSL):
    """The same, in TLS from the first byte on."""


def _options(server: smtplib.SMTP, recipient: str) -> tuple[str, ...]:
    """The parameters of ``MAIL FROM`` that the recipient needs: RFC 6531 for letters beyond ASCII before the @.

    Raises:
        RecipientRefused: when the server does not offer it.
    """
    if recipient.isascii():
        return ()
    server.ehlo_or_helo_if_needed()
    if not server.has_extn("smtputf8"):
        raise RecipientRefused("mail", "the server offers no SMTPUTF8")
    return ("SMTPUTF8", "BODY=8BITMIME")


@contextmanager
def _errors_mapped(deadline: Deadline) -> Iterator[None]:
    """Smtplib's exceptions in our words, without the addresses and replies that they quote."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        ((code, text),) = error.recipients.values()
        if code >= _FIRST_PERMANENT_REPLY:
            raise RecipientRefused("mail", f"reply {code} {_enhanced_status(text)}".rstrip()) from None
        raise _rejected(code) from None
    except smtplib.SMTPResponseException as error:
        if (status := _enhanced_status(error.smtp_error)) in _RECIPIENT_STATUSES:
            raise RecipientRefused("mail", f"reply {error.smtp_code} {status}") from None
        raise _rejected(error.smtp_code) from None
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        # smtplib reports a reply that did not come in time as a lost connection.
        if isinstance(error, TimeoutError) or deadline.passed:
            raise UpstreamTimeout("mail") from None
        raise UpstreamUnreachable("mail", type(error).__name__) from None


def _enhanced_status(text: bytes | str) -> str:
    """The three numbers that a permanent reply's text may begin with (RFC 2034), or nothing."""
    text = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    found = re.match(r"5\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])", text)
    return found[0] if found else ""


def _rejected(code: int) -> UpstreamError:
    """The error for a reply that says no; smtplib's code for what is not a reply is -1."""
    return UpstreamRejected("mail", code) if code > 0 else UpstreamBadAnswer("mail", "not an SMTP reply")
