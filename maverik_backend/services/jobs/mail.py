"""Mails: the first kind of job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from maverik_backend.clients.mail.base import Mail, MailSender
from maverik_backend.core.security import Keyring, Purpose
from maverik_backend.errors import RecipientRefused
from maverik_backend.services.jobs.kind import Attempt, JobKind
from maverik_backend.services.jobs.queue import enqueue
from maverik_backend.texts.mail import Letter, lay_out


class MailPayload(BaseModel):
    """One mail to one address. ``uuid`` is only in mails of releases that kept it here, and not in ``referencia``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    to: str
    subject: str
    text: str
    html: str
    uuid: str | None = None

    def __repr__(self) -> str:  # it may hold a key, which no log shall show
        return "MailPayload()"

    __str__ = __repr__


class MailJob(JobKind[MailPayload]):
    """Hands a mail over to the mail service; retried for about three days."""

    name = "correo"
    sealed_as = Purpose.MAIL
    retry_delays: ClassVar[Sequence[timedelta]] = (
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(minutes=30),
        timedelta(hours=1),
        timedelta(hours=3),
        timedelta(hours=6),
        timedelta(hours=12),
        timedelta(hours=24),
        timedelta(hours=24),
    )
    permanent_errors = (RecipientRefused,)

    def __init__(self, *, sender: MailSender, timeout_s: float) -> None:
        self._sender = sender
        self.timeout_s = timeout_s

    def parse(self, content: str) -> MailPayload:
        return MailPayload.model_validate_json(content)

    def run(self, payload: MailPayload, attempt: Attempt) -> None:
        reference = f"{attempt.idempotency_key}-{payload.uuid}" if payload.uuid else attempt.idempotency_key
        mail = Mail(to=payload.to, subject=payload.subject, text=payload.text, html=payload.html, reference=reference)
        self._sender.send(mail, deadline=attempt.deadline)


def enqueue_mail(db: Connection, *, keyring: Keyring, to: str, letter: Letter, principal_id: int | None = None) -> None:
    """Send ``letter`` to ``to`` once the transaction of ``db`` has committed.

    A mail of a principal is deleted with it; one that must leave after that has none.
    """
    text, html = lay_out(letter)
    payload = MailPayload(to=to, subject=letter.subject, text=text, html=html)
    enqueue(db, MailJob, payload, keyring=keyring, description=letter.subject, principal_id=principal_id)
