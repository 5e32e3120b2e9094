"""``evento_seguridad``: what happened to accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sqlalchemy import Connection, Table, insert, select

from maverik_backend.models import EventoSeguridad, SecurityEvent
from maverik_backend.services.accounts.records import EventRecord
from maverik_backend.services.accounts.store.people import PEOPLE

EVENTS = cast("Table", EventoSeguridad.__table__)


def add(db: Connection, event: SecurityEvent, *, user_id: int | None, network: str | None) -> None:
    db.execute(insert(EVENTS).values(usuario_id=user_id, tipo=event.value, direccion=network))


def find_account_id(db: Connection, user_id: int) -> int | None:
    """The id, while there is such an account, which is then not deleted before the transaction ends."""
    found: int | None = db.scalar(
        select(PEOPLE.c.id).where(PEOPLE.c.id == user_id).with_for_update(read=True, key_share=True)
    )
    return found


def get_page(db: Connection, *, user_id: int, limit: int, before: int | None) -> Sequence[EventRecord]:
    """What happened to the account, newest first: at most ``limit``, below the id ``before``."""
    query = select(EVENTS).where(EVENTS.c.usuario_id == user_id)
    if before is not None:
        query = query.where(EVENTS.c.id < before)
    return [
        EventRecord(id=row.id, kind=row.tipo, network=row.direccion, created=row.fecha_creacion)
        for row in db.execute(query.order_by(EVENTS.c.id.desc()).limit(limit))
    ]
