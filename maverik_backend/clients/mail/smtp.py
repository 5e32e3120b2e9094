"""Mails through an SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Self

from maverik_backend.clients.mail.base import Mail, Sender, as_mime
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import RecipientRefused, UpstreamBadAnswer, UpstreamTimeout, UpstreamUnreachable

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext

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
        with _errors_mapped(), self._connect(deadline) as server:
            if self._security == "starttls":
                server.starttls(context=self._tls)
            if self._credentials:
                server.login(*self._credentials)
            server.send_message(as_mime(mail, self._sender))

    def _connect(self, deadline: Deadline) -> smtplib.SMTP:
        timeout_s = max(deadline.remaining_s(), 0.001)  # smtplib takes zero for "do not block"
        if self._security == "tls":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=timeout_s, context=self._tls)
        return smtplib.SMTP(self._host, self._port, timeout=timeout_s)


@contextmanager
def _errors_mapped() -> Iterator[None]:
    """Smtplib's exceptions in our words, without the addresses and replies that they quote."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        if codes and min(codes) >= _FIRST_PERMANENT_REPLY:
            raise RecipientRefused("mail", f"reply {codes[0]}") from None
        raise UpstreamBadAnswer("mail", f"reply {codes[:1]}") from None
    except smtplib.SMTPServerDisconnected:
        raise UpstreamUnreachable("mail", "disconnected") from None
    except smtplib.SMTPResponseException as error:
        raise UpstreamBadAnswer("mail", f"reply {error.smtp_code}") from None
    except TimeoutError:
        raise UpstreamTimeout("mail") from None
    except (smtplib.SMTPException, OSError) as error:
        raise UpstreamUnreachable("mail", type(error).__name__) from None
