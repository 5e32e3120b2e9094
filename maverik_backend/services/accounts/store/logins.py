"""``inicio_sesion``: signed-in devices. Everything locks the account's row before the login's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, exists, func, insert, select, update

from maverik_backend.models import InicioSesion
from maverik_backend.services.accounts.records import Account, LoginRecord, SignedIn
from maverik_backend.services.accounts.store.people import PEOPLE, account_of, has_email

LOGINS = cast("Table", InicioSesion.__table__)


def is_open() -> ColumnElement[bool]:
    """That a login and its account, both joined, may be used."""
    return and_(LOGINS.c.cerrado.is_(None), LOGINS.c.vence > func.now(), PEOPLE.c.deshabilitado.is_(None))


_OPEN = (
    select(*PEOPLE.c, LOGINS.c.con_segundo_factor)
    .join_from(PEOPLE, LOGINS, LOGINS.c.usuario_id == PEOPLE.c.id)
    .where(is_open())
)
_COLUMNS = {
    "id": LOGINS.c.id,
    "rotation": LOGINS.c.rotacion,
    "repeated_rotation": LOGINS.c.rotacion_repetida,
    "refreshes_tokens": LOGINS.c.renueva_tokens,
    "created": LOGINS.c.fecha_creacion,
    "last_used": LOGINS.c.ultimo_uso,
    "expires": LOGINS.c.vence,
    "network": LOGINS.c.direccion,
    "agent": LOGINS.c.agente,
}


def _login_columns() -> list[ColumnElement[Any]]:
    return [column.label(f"login_{name}") for name, column in _COLUMNS.items()]


def _login_of(row: RowMapping) -> LoginRecord:
    return LoginRecord(**{name: row[f"login_{name}"] for name in _COLUMNS})


def find_signed_in(db: Connection, *, user_id: int, login_id: int, for_key_share: bool = False) -> SignedIn | None:
    """The account of an open login; with ``for_key_share`` it is not deleted before the transaction ends."""
    query = _OPEN.where(LOGINS.c.id == login_id, PEOPLE.c.id == user_id)
    if for_key_share:
        query = query.with_for_update(of=PEOPLE, read=True, key_share=True)
    row = db.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return SignedIn(account=account_of(row), login_id=login_id, has_second_factor=row["con_segundo_factor"])


def lock_account(db: Connection, *, user_id: int, login_id: int) -> Account | None:
    """The account of an open login, both rows locked."""
    query = _OPEN.where(LOGINS.c.id == login_id, PEOPLE.c.id == user_id).with_for_update(of=(PEOPLE, LOGINS))
    row = db.execute(query).mappings().one_or_none()
    return None if row is None else account_of(row)


def lock_login(db: Connection, *, login_id: int, recent: timedelta) -> tuple[LoginRecord, Account, bool] | None:
    """An open login and its account, locked, and whether it was used within ``recent``, by the database's clock."""
    was_recent = (func.now() - LOGINS.c.ultimo_uso <= recent).label("was_recent")
    rows = db.execute(
        select(*PEOPLE.c, *_login_columns(), was_recent)
        .join_from(PEOPLE, LOGINS, LOGINS.c.usuario_id == PEOPLE.c.id)
        .where(LOGINS.c.id == login_id, is_open())
        .with_for_update(of=(PEOPLE, LOGINS), key_share=True)
    )
    found = rows.mappings().one_or_none()
    return None if found is None else (_login_of(found), account_of(found), found["was_recent"])


def get_open(db: Connection, *, user_id: int, limit: int, before: int | None) -> Sequence[LoginRecord]:
    """The account's open logins, newest first: at most ``limit``, below the id ``before``."""
    query = select(*_login_columns()).where(
        LOGINS.c.usuario_id == user_id, LOGINS.c.cerrado.is_(None), LOGINS.c.vence > func.now()
    )
    if before is not None:
        query = query.where(LOGINS.c.id < before)
    return [_login_of(row) for row in db.execute(query.order_by(LOGINS.c.id.desc()).limit(limit)).mappings()]


def is_known_network(db: Connection, *, email: str, network: str, remembered: int) -> bool:
    """Whether one of the account's ``remembered`` latest logins was opened in ``network``; one statement, always."""
    latest = (
        select(LOGINS.c.direccion)
        .join_from(LOGINS, PEOPLE, PEOPLE.c.id == LOGINS.c.usuario_id)
        .where(has_email(email))
        .order_by(LOGINS.c.id.desc())
        .limit(remembered)
        .subquery()
    )
    return bool(db.scalar(select(exists().where(latest.c.direccion == network))))


def add(
    db: Connection,
    *,
    user_id: int,
    expires: datetime,
    network: str | None,
    agent: str | None,
    has_second_factor: bool,
    refreshes_tokens: bool,
) -> LoginRecord:
    """Open a login of an account whose row is locked."""
    values = {
        "usuario_id": user_id,
        "vence": expires,
        "direccion": network,
        "agente": agent,
        "rotacion": 0,
        "con_segundo_factor": has_second_factor,
        "renueva_tokens": refreshes_tokens,
    }
    return _login_of(db.execute(insert(LOGINS).values(values).returning(*_login_columns())).mappings().one())


def rotate(db: Connection, *, login_id: int, expires: datetime) -> LoginRecord:
    """Count one refresh more of a locked login."""
    return _login_of(
        db.execute(
            update(LOGINS)
            .where(LOGINS.c.id == login_id)
            .values(rotacion=LOGINS.c.rotacion + 1, ultimo_uso=func.now(), vence=expires)
            .returning(*_login_columns())
        )
        .mappings()
        .one()
    )


def mark_repeated(db: Connection, *, login_id: int, rotation: int) -> None:
    """Record that the refresh token of this number was used twice."""
    db.execute(update(LOGINS).where(LOGINS.c.id == login_id).values(rotacion_repetida=rotation))


def close(db: Connection, *, login_id: int, user_id: int) -> bool:
    """Close one login of the account; whether it was open."""
    return _close(db, LOGINS.c.id == login_id, LOGINS.c.usuario_id == user_id)


def close_all(db: Connection, *, user_id: int, but: int | None = None) -> None:
    """Close every login of the account, ``but`` one."""
    _close(db, LOGINS.c.usuario_id == user_id, LOGINS.c.id != (but or 0))


def set_second_factor(db: Connection, *, login_id: int, has_second_factor: bool) -> None:
    db.execute(update(LOGINS).where(LOGINS.c.id == login_id).values(con_segundo_factor=has_second_factor))


def _close(db: Connection, *which: ColumnElement[bool]) -> bool:
    """Close the open logins among ``which``; whether there was any."""
    closed = db.execute(
        update(LOGINS).where(LOGINS.c.cerrado.is_(None), *which).values(cerrado=func.now()).returning(LOGINS.c.id)
    )
    return bool(closed.all())
