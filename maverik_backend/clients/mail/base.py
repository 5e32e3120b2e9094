"""What a mail sender is."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formataddr, formatdate
from typing import Protocol, Self

from maverik_backend.core.addresses import Unmailable, mailable
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import RecipientRefused, SettingsError
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
        """The configured sender; without one, an address that no mail can be answered to (RFC 2606).

        Raises:
            SettingsError: when the configured address is one that not every mail server takes.
        """
        if not mail.mail_sender_address:
            return cls(name=mail.mail_sender_name, address="maverik@localhost.invalid")
        try:
            address = mailable(mail.mail_sender_address)
        except Unmailable as error:
            raise SettingsError([f"MAIL_SENDER_ADDRESS cannot be used: {error}."]) from None
        if not address.isascii():
            raise SettingsError(["MAIL_SENDER_ADDRESS cannot be used: it must be ASCII before the @."])
        return cls(name=mail.mail_sender_name, address=address)


class MailSender(Protocol):
    """Delivers mails. Implementations are safe to call from several threads at once."""

    def send(self, mail: Mail, *, deadline: Deadline) -> None:
        """Hand ``mail`` over; when this returns, the next server is responsible for it.

        Raises:
            RecipientRefused: when trying again cannot help.
            UpstreamError: when it can.
        """
        ...


def recipient_of(mail: Mail) -> str:
    """The one address that ``mail`` is handed over for, as it stands in an SMTP envelope.

    Raises:
        RecipientRefused: when something on the way could take it for another one; nothing was sent then.
    """
    try:
        return mailable(mail.to)
    except Unmailable as error:
        raise RecipientRefused("mail", str(error)) from None


def as_bytes(
    mail: Mail, sender: Sender, *, to: str, policy: EmailPolicy[EmailMessage], cte: str | None = None
) -> bytes:
    """``mail`` as multipart/alternative, its first line ``To: `` and ``to``, in UTF-8 (RFC 6532) and never folded.

    That line is not left to the standard library, which parses addresses, decodes what it finds in them, and encodes
    what no encoded word may stand for (RFC 2047, section 5). ``cte`` forces a transfer encoding, such as ``8bit`` for
    readable files.
    """
    message = EmailMessage()
    message["From"] = formataddr((sender.name, sender.address))
    message["Subject"] = mail.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{mail.reference}@{sender.address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: keeps out-of-office robots quiet
    message.set_content(mail.text, cte=cte)
    message.add_alternative(mail.html, subtype="html", cte=cte)
    return f"To: {to}{policy.linesep}".encode() + message.as_bytes(policy=policy)
