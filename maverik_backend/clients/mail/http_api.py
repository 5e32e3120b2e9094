"""Mails through an HTTP API of Brevo's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from maverik_backend.clients.http import HttpService
from maverik_backend.clients.mail.base import Mail, Sender, recipient_of
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import RecipientRefused, UpstreamRejected

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext

# The API says with these that this mail is wrong; everything else may be right later (key, quota, outage).
_REFUSED_FOR_GOOD = {400, 413, 422}


class HttpApiSender:
    """One POST a mail."""

    def __init__(self, url: str, *, api_key: str, sender: Sender, metrics: Metrics | None = None) -> None:
        self._service = HttpService("mail", url, headers={"api-key": api_key}, max_connections=4, metrics=metrics)
        self._sender = sender

    @classmethod
    def from_context(cls, context: ClientContext) -> Self:
        mail = context.settings.mail
        api_key = mail.smtp_api_key.get_secret_value() if mail.smtp_api_key else ""
        sender = Sender.from_settings(mail)
        return cls(mail.smtp_api_url or "", api_key=api_key, sender=sender, metrics=context.metrics)

    def send(self, mail: Mail, *, deadline: Deadline) -> None:
        payload = {
            "sender": {"name": self._sender.name, "email": self._sender.address},
            "to": [{"email": recipient_of(mail)}],
            "subject": mail.subject,
            "htmlContent": mail.html,
            "textContent": mail.text,
            # A mail header of Brevo's that its event log shows. Not its "idempotencyKey", which has to be a UUID.
            "headers": {"X-Mailin-custom": mail.reference},
        }
        try:
            self._service.post("", payload, deadline=deadline)
        except UpstreamRejected as error:
            if error.status in _REFUSED_FOR_GOOD:
                raise RecipientRefused("mail", f"status {error.status}") from None
            raise
