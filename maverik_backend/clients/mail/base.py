"""What a mail sender is."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formataddr, formatdate
from typing import Protocol, Self

from maverik_backend.core.deadline import Deadline
from maverik_backend.settings import MailSettings


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # it may hold a key, which no log shall show
class Mail:
    """One mail to one person, in both forms. ``reference`` is unique to it and the same each time it is tried."""

    to: str
    subject: str
    text: str
    html: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Whom mails come from."""

    name: str
    address: str

    @classmethod
    def from_settings(cls, mail: MailSettings) -> Self:
        """The configured sender; without one, an address that no mail can be answered to (RFC 2606)."""
        return cls(name=mail.mail_sender_name, address=mail.mail_sender_address or "maverik@localhost.invalid")


class MailSender(Protocol):
    """Delivers mails. Implementations are safe to call from several threads at once."""

    def send(self, mail: Mail, *, deadline: Deadline) -> None:
        """Hand ``mail`` over; when this returns, somebody else is responsible for it.

        Raises:
            RecipientRefused: when trying again cannot help.
            UpstreamError: when it can.
        """
        ...


def as_mime(mail: Mail, sender: Sender, *, cte: str | None = None) -> EmailMessage:
    """``mail`` as multipart/alternative. ``cte`` forces a transfer encoding, such as ``8bit`` for readable files."""
    message = EmailMessage()
    message["From"] = formataddr((sender.name, sender.address))
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{mail.reference}@{sender.address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: keeps out-of-office robots quiet
    message.set_content(mail.text, cte=cte)
    message.add_alternative(mail.html, subtype="html", cte=cte)
    return message
