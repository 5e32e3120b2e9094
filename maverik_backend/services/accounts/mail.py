"""Mails about an account, enqueued in the transaction of what they tell."""

from __future__ import annotations

from sqlalchemy import Connection

from maverik_backend.core.security import Keyring
from maverik_backend.services.jobs import enqueue_mail
from maverik_backend.texts.mail import Letter


def enqueue(db: Connection, *, keyring: Keyring, to: str, letter: Letter, user_id: int | None) -> None:
    """Let ``letter`` leave for ``to`` once the transaction is committed; an erasure of the account deletes it."""
    enqueue_mail(db, keyring=keyring, to=to, letter=letter, principal_id=user_id)
