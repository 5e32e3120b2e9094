"""``usuario``: accounts and their profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from maverik_backend.models import Usuario
from maverik_backend.services.accounts.records import Account, InvestorProfile

PEOPLE = cast("Table", Usuario.__table__)

_PROFILE = tuple(field.name for field in fields(InvestorProfile))
_NEXT_ID = select(func.nextval(func.pg_get_serial_sequence(PEOPLE.name, "id")), func.now())


def account_of(row: RowMapping) -> Account:
    """The account in a row that has every column of ``usuario``."""
    return Account(
        id=row["id"],
        email=row["email"],
        password_hash=row["clave_hash"],
        must_change_password=row["debe_cambiar_clave"],
        password_expires=row["clave_vence"],
        email_verified=row["email_verificado"],
        disabled=row["deshabilitado"],
        operator=row["operador"],
        profile=InvestorProfile(**{name: row[name] for name in _PROFILE}),
        created=row["fecha_creacion"],
        updated=row["fecha_actualizacion"],
    )


def has_email(email: str) -> ColumnElement[bool]:
    """That an account has this address, however its letters were written."""
    return func.lower(PEOPLE.c.email) == email


def get_all(db: Connection) -> Sequence[Account]:
    """Every account, oldest first."""
    return [account_of(row) for row in db.execute(select(PEOPLE).order_by(PEOPLE.c.id)).mappings()]


def get_by_email(db: Connection, email: str, *, for_update: bool = False) -> Account | None:
    """The account with this address; with ``for_update`` its row is locked."""
    query = select(PEOPLE).where(has_email(email))
    row = db.execute(query.with_for_update() if for_update else query).mappings().one_or_none()
    return None if row is None else account_of(row)


def find_addressee(db: Connection, email: str) -> tuple[str, bool] | None:
    """The address as the account has it, and whether the account is disabled."""
    row = db.execute(select(PEOPLE.c.email, PEOPLE.c.deshabilitado.is_not(None)).where(has_email(email))).one_or_none()
    return None if row is None else (row[0], row[1])


def next_id(db: Connection) -> tuple[int, datetime]:
    """An id that no account has, and the transaction's time."""
    row = db.execute(_NEXT_ID).one()
    return row[0], row[1]


def add_unless_taken(
    db: Connection,
    *,
    user_id: int,
    email: str,
    password_hash: str,
    password_expires: datetime,
    profile: Mapping[str, Any],
) -> int | None:
    """Add an account with a temporary password; ``None`` when the address has one already."""
    added: int | None = db.scalar(
        upsert(PEOPLE)
        .values(
            id=user_id,
            email=email,
            clave_hash=password_hash,
            debe_cambiar_clave=True,
            clave_vence=password_expires,
            **profile,
        )
        .on_conflict_do_nothing(index_elements=[text("lower(email::text)")])
        .returning(PEOPLE.c.id)
    )
    return added


def add(db: Connection, *, email: str, password_hash: str, password_expires: datetime) -> int:
    """Add an account with a temporary password and the first answer of every question."""
    values = {
        "email": email,
        "clave_hash": password_hash,
        "debe_cambiar_clave": True,
        "clave_vence": password_expires,
    }
    return int(db.execute(insert(PEOPLE).values(values).returning(PEOPLE.c.id)).scalar_one())


def update_profile(db: Connection, *, user_id: int, values: Mapping[str, Any]) -> Account:
    """Write some fields of the profile."""
    statement = update(PEOPLE).where(PEOPLE.c.id == user_id).values(**values).returning(*PEOPLE.c)
    return account_of(db.execute(statement).mappings().one())


def confirm_password(db: Connection, *, account: Account, new_hash: str) -> bool:
    """Lock the account and store ``new_hash`` of the password that was verified; the address counts as verified.

    ``False`` when the password was changed since, its hash renewed by another login, or the account disabled or
    deleted.
    """
    confirmed = db.scalar(
        update(PEOPLE)
        .where(
            PEOPLE.c.id == account.id,
            PEOPLE.c.clave_hash == account.password_hash,
            PEOPLE.c.deshabilitado.is_(None),
        )
        .values(
            clave_hash=new_hash,
            # A mailed password expires only while it is unused: frontends may have no page to set another.
            clave_vence=None,
            # The password was mailed: its holder reads this mailbox.
            email_verificado=func.coalesce(PEOPLE.c.email_verificado, func.now()),
            fecha_actualizacion=PEOPLE.c.fecha_actualizacion,
        )
        .returning(PEOPLE.c.id)
    )
    return confirmed is not None


def set_password(db: Connection, *, user_id: int, password_hash: str, verifies_email: bool) -> None:
    """Store a password that the person chose; ``verifies_email`` when it was set with a mailed link."""
    values: dict[str, Any] = {"clave_hash": password_hash, "debe_cambiar_clave": False, "clave_vence": None}
    if verifies_email:
        values["email_verificado"] = func.coalesce(PEOPLE.c.email_verificado, func.now())
    db.execute(update(PEOPLE).where(PEOPLE.c.id == user_id).values(**values))


def set_temporary_password(db: Connection, *, user_id: int, password_hash: str, expires: datetime) -> None:
    """Store a password that is mailed."""
    values = {"clave_hash": password_hash, "debe_cambiar_clave": True, "clave_vence": expires}
    db.execute(update(PEOPLE).where(PEOPLE.c.id == user_id).values(**values))


def replace_unused_password(db: Connection, *, email: str, password_hash: str, expires: datetime) -> int | None:
    """Replace a temporary password that was never used; the id of the account, ``None`` when there is none such."""
    replaced: int | None = db.scalar(
        update(PEOPLE)
        .where(
            has_email(email),
            PEOPLE.c.email_verificado.is_(None),
            PEOPLE.c.debe_cambiar_clave,
            PEOPLE.c.clave_vence.is_not(None),
            PEOPLE.c.deshabilitado.is_(None),
        )
        .values(clave_hash=password_hash, clave_vence=expires)
        .returning(PEOPLE.c.id)
    )
    return replaced


def set_disabled(db: Connection, *, user_id: int, is_disabled: bool) -> None:
    db.execute(update(PEOPLE).where(PEOPLE.c.id == user_id).values(deshabilitado=func.now() if is_disabled else None))


def set_operator(db: Connection, *, user_id: int, is_operator: bool) -> None:
    db.execute(update(PEOPLE).where(PEOPLE.c.id == user_id).values(operador=func.now() if is_operator else None))
