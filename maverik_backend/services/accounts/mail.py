"""Mails about an account, enqueued in the transaction of what they tell."""

from __future__ import annotations

from sqlalchemy.orm import Session

from maverik_backend.core.security import Keyring
from maverik_backend.services.jobs import outbox
from maverik_backend.texts.mail import Letter


def enqueue(db: Session, *, keyring: Keyring, to: str, letter: Letter) -> None:
    """Let ``letter`` leave for ``to`` once the transaction is committed."""
    outbox.enqueue(db, keyring=keyring, to=to, letter=letter)
