"""``enlace_clave``: mailed links to set a password. Only digests of their tokens are stored."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, literal, select

from maverik_backend.models import EnlaceClave
from maverik_backend.services.accounts.records import Account
from maverik_backend.services.accounts.store.people import PEOPLE, account_of, has_email

LINKS = cast("Table", EnlaceClave.__table__)


def add_for_email(db: Connection, *, email: str, token: str, expires: datetime) -> int | None:
    """Store a link of the account with this address; its id, ``None`` when there is none or it is disabled."""
    return _add(db, has_email(email), token=token, expires=expires)


def add_for_account(db: Connection, *, user_id: int, token: str, expires: datetime) -> int | None:
    """The same by the account's id."""
    return _add(db, PEOPLE.c.id == user_id, token=token, expires=expires)


def delete_all(db: Connection, *, user_id: int) -> None:
    """End the account's links."""
    db.execute(delete(LINKS).where(LINKS.c.usuario_id == user_id))


def get_owner(db: Connection, token: str, *, for_update: bool = False) -> Account | None:
    """Whose link this is, while it holds and the account is enabled; with ``for_update`` both rows are locked.

    Replacing a password deletes its links: while a locked link is there, the password is the one that was read.
    """
    query = (
        select(*PEOPLE.c)
        .join_from(PEOPLE, LINKS, LINKS.c.usuario_id == PEOPLE.c.id)
        .where(LINKS.c.resumen == _digest(token), LINKS.c.vence > func.now(), PEOPLE.c.deshabilitado.is_(None))
    )
    row = db.execute(query.with_for_update(of=(PEOPLE, LINKS)) if for_update else query).mappings().one_or_none()
    return None if row is None else account_of(row)


def _add(db: Connection, whose: ColumnElement[bool], *, token: str, expires: datetime) -> int | None:
    """FOR KEY SHARE waits for a concurrent erasure; the account is then not found."""
    owner = (
        select(PEOPLE.c.id, literal(_digest(token)), literal(expires))
        .where(whose, PEOPLE.c.deshabilitado.is_(None))
        .with_for_update(read=True, key_share=True)
    )
    added: int | None = db.scalar(
        insert(LINKS).from_select(["usuario_id", "resumen", "vence"], owner).returning(LINKS.c.usuario_id)
    )
    return added


def _digest(token: str) -> bytes:
    """Enough to recognise a link by, nothing to follow it with."""
    return hashlib.sha256(token.encode()).digest()
