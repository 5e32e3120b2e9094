"""What happened to an account: written beside the fact itself, shown to the person, never holding a secret."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.models import SecurityEvent
from maverik_backend.services.accounts.records import EventRecord
from maverik_backend.services.accounts.store import events as store

NO_USER_ID = 0
"""An id that no account has, as ids start at 1: where the same statements must run without an account."""


def record(db: Connection, event: SecurityEvent, *, user_id: int | None, client_info: ClientInfo | None = None) -> None:
    """Record ``event``; without ``client_info`` an operator caused it from the command line."""
    store.add(db, event, user_id=user_id, network=client_info.truncated_address if client_info else None)


def record_afterwards(db: Connection, event: SecurityEvent, *, user_id: int, client_info: ClientInfo) -> None:
    """Record ``event`` of an account that was read in an earlier transaction; :data:`NO_USER_ID` costs the same.

    The event has no account when that was deleted concurrently.
    """
    record(db, event, user_id=store.find_account_id(db, user_id), client_info=client_info)


def get_events(db: Connection, *, user_id: int, limit: int, before: int | None) -> Sequence[EventRecord]:
    """What happened to the person's account, newest first: at most ``limit``, below the id ``before``."""
    return store.get_page(db, user_id=user_id, limit=limit, before=before)
