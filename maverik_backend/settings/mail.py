"""How mails leave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import EmailStr, Field, SecretStr

from maverik_backend.settings.base import Group
from maverik_backend.settings.values import HttpUrl, is_encrypted


class MailSettings(Group):
    """How mails leave: an HTTP API, an SMTP server, or (with neither) a local mailbox of files."""

    smtp_api_url: HttpUrl | None = None
    smtp_api_key: SecretStr | None = None
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    mail_sender_name: str = "Maverik"
    mail_sender_address: EmailStr | None = None
    support_email: EmailStr | None = None
    """Where people write to operators; mails and pages that tell them to name it."""
    mail_timeout_s: float = Field(default=20.0, gt=0, le=120)
    jobs_poll_interval_s: float = Field(default=1.0, gt=0, le=60)

    @property
    def sender(self) -> str:
        """Key into the registry of mail senders."""
        if self.smtp_api_url:
            return "http_api"
        return "smtp" if self.smtp_host else "local"

    @property
    def is_local(self) -> bool:
        return self.sender == "local"

    def problems(self) -> Iterator[str]:
        """Values that contradict each other, a sentence each."""
        if self.smtp_api_url and self.smtp_host:
            yield "SMTP_API_URL and SMTP_HOST are both set: keep the one that mails should leave through."
        if self.smtp_api_url and not self.smtp_api_key:
            yield "SMTP_API_URL is set but SMTP_API_KEY is not: set the key of the mail API."
        if self.smtp_api_key and not self.smtp_api_url:
            yield "SMTP_API_KEY is set but SMTP_API_URL is not: set the address of the mail API."
        if not self.is_local and not self.mail_sender_address:
            yield "MAIL_SENDER_ADDRESS is not set: mails that leave through a server need a sender."
        if bool(self.smtp_username) != bool(self.smtp_password):
            yield "SMTP_USERNAME and SMTP_PASSWORD belong together: set both or none."
        if self.smtp_username and self.smtp_security == "none":
            yield "SMTP_SECURITY=none would send SMTP_PASSWORD in clear: use starttls or tls, or no user."

    def production_problems(self) -> Iterator[str]:
        """What production refuses, a sentence each."""
        if self.is_local:
            yield "SMTP_API_URL or SMTP_HOST is not set: production does not leave people's keys in a local mailbox."
        if self.smtp_host and self.smtp_security == "none":
            yield "SMTP_SECURITY=none sends people's keys in clear: production uses starttls or tls."
        # The advisor and the optimiser may be asked over http: they can live in a private network, and get no secrets.
        if self.smtp_api_url and not is_encrypted(self.smtp_api_url):
            yield "SMTP_API_URL sends the API key and people's keys in clear: production uses an https:// address."
