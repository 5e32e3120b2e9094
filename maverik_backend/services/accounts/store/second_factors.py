"""``segundo_factor`` and ``codigo_recuperacion``: sealed secrets, and recovery codes by their digest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from maverik_backend.models import CodigoRecuperacion, SegundoFactor
from maverik_backend.services.accounts.records import SecondFactor

FACTORS = cast("Table", SegundoFactor.__table__)
CODES = cast("Table", CodigoRecuperacion.__table__)


def get_active(db: Connection, *, user_id: int) -> SecondFactor | None:
    """The account's second factor, once it is confirmed."""
    return _one(db, FACTORS.c.usuario_id == user_id, FACTORS.c.activado.is_not(None))


def get_waiting(db: Connection, *, user_id: int, ttl: timedelta) -> SecondFactor | None:
    """The account's secret that may still be confirmed: not older than ``ttl``."""
    is_fresh = FACTORS.c.fecha_creacion > func.now() - ttl
    return _one(db, FACTORS.c.usuario_id == user_id, FACTORS.c.activado.is_(None), is_fresh)


def get_batch(db: Connection, *, after: int, limit: int) -> Sequence[SecondFactor]:
    """Secrets of all accounts by id, beginning after one."""
    query = select(FACTORS).where(FACTORS.c.id > after).order_by(FACTORS.c.id).limit(limit)
    return [_factor_of(row) for row in db.execute(query)]


def put_waiting(db: Connection, *, user_id: int, sealed_secret: str) -> bool:
    """Store a secret until it is confirmed, in place of one that waits; ``False`` when there is an active one."""
    stored = upsert(FACTORS).values(usuario_id=user_id, secreto=sealed_secret)
    stored = stored.on_conflict_do_update(
        index_elements=[FACTORS.c.usuario_id],
        set_={"secreto": sealed_secret, "fecha_creacion": func.now()},
        where=FACTORS.c.activado.is_(None),
    )
    return db.scalar(stored.returning(FACTORS.c.id)) is not None


def activate(db: Connection, *, factor_id: int, step: int) -> None:
    """Confirm a waiting secret with the code of time step ``step``."""
    db.execute(update(FACTORS).where(FACTORS.c.id == factor_id).values(activado=func.now(), ultimo_paso=step))


def advance(db: Connection, *, factor_id: int, step: int) -> bool:
    """Compare and set: whether ``step`` is later than that of every code used before."""
    is_later = or_(FACTORS.c.ultimo_paso.is_(None), FACTORS.c.ultimo_paso < step)
    return _change(db, FACTORS.c.id == factor_id, is_later, ultimo_paso=step)


def replace_secret(db: Connection, *, factor: SecondFactor, sealed_secret: str) -> bool:
    """Store the same secret sealed anew, unless it was replaced or removed meanwhile."""
    is_same = FACTORS.c.secreto == factor.sealed_secret
    return _change(db, FACTORS.c.id == factor.id, is_same, secreto=sealed_secret)


def remove(db: Connection, *, user_id: int) -> bool:
    """Delete the second factor with its recovery codes; whether there was an active one."""
    delete_codes(db, user_id=user_id)
    removed = db.scalars(delete(FACTORS).where(FACTORS.c.usuario_id == user_id).returning(FACTORS.c.activado))
    return any(removed.all())


def count_codes(db: Connection, *, user_id: int) -> int:
    """How many recovery codes the account has left."""
    return db.scalar(select(func.count()).select_from(CODES).where(CODES.c.usuario_id == user_id)) or 0


def delete_codes(db: Connection, *, user_id: int) -> None:
    db.execute(delete(CODES).where(CODES.c.usuario_id == user_id))


def add_codes(db: Connection, *, user_id: int, digests: Sequence[bytes]) -> None:
    db.execute(insert(CODES), [{"usuario_id": user_id, "resumen": digest} for digest in digests])


def spend_code(db: Connection, *, user_id: int, digest: bytes) -> bool:
    """Delete a recovery code; whether it was there, which it is once."""
    spent = db.execute(
        delete(CODES).where(CODES.c.usuario_id == user_id, CODES.c.resumen == digest).returning(CODES.c.id)
    )
    return bool(spent.all())


def _one(db: Connection, *which: ColumnElement[bool]) -> SecondFactor | None:
    row = db.execute(select(FACTORS).where(*which)).one_or_none()
    return None if row is None else _factor_of(row)


def _factor_of(row: Row[Any]) -> SecondFactor:
    return SecondFactor(id=row.id, user_id=row.usuario_id, sealed_secret=row.secreto, activated=row.activado)


def _change(db: Connection, *which: ColumnElement[bool], **values: object) -> bool:
    changed = db.execute(update(FACTORS).where(*which).values(**values).returning(FACTORS.c.id))
    return bool(changed.all())
