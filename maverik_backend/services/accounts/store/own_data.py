"""What a principal owns, found through foreign keys: what an export reads and an erasure deletes.

A table belongs to a principal when a column of it refers to ``principal`` or ``usuario``, or to a table that does. So a
new table is exported and erased without being named here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, Connection, Row, Table, delete, func, select, update

from maverik_backend.models import (
    Base,
    Conversacion,
    EventoSeguridad,
    FragmentoTurno,
    Principal,
    SesionAsesoria,
    Usuario,
)

# Secrets, and what is meaningless to a person: everything else is exported.
NOT_EXPORTED = {
    "usuario": {"clave_hash"},
    "inicio_sesion": {"rotacion", "rotacion_repetida"},
    "enlace_clave": {"resumen"},
    "pedido_idempotente": {"resumen"},
    "segundo_factor": {"secreto", "ultimo_paso"},
    "codigo_recuperacion": {"resumen"},
    "trabajo": {"carga", "vence", "proceso"},
    "sesion_asesoria_detalle": {"texto_plano", "intento_plano"},  # made of ``texto_sistema``
    "documento": {"resumen"},
    "documento_archivo": {"contenido"},  # there until its passages are
    "documento_pasaje": {"indice"},  # made of ``texto``, as the next
    "pasaje_vector": {"valores"},
}
_OWNERS = (Principal.__tablename__, Usuario.__tablename__)  # both have the principal's id
# Written many times a second, so without a foreign key: events of running turns, whose texts are in the turns' rows.
_WITHOUT_FOREIGN_KEY = {FragmentoTurno.__tablename__: ("turno_id", "sesion_asesoria_detalle")}
# What is kept without its owner: that something happened.
_EVENTS = cast("Table", EventoSeguridad.__table__)
# Locked before their turns, by everything.
_LOCKED_FIRST = tuple(cast("Table", model.__table__) for model in (SesionAsesoria, Conversacion))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """How a table's rows belong to a principal: ``column`` is its id, or that of an owned row of ``parent``."""

    table: Table
    column: Column[Any]
    parent: Ownership | None

    def whose(self, principal_id: int) -> ColumnElement[bool]:
        """That a row is the principal's."""
        if self.parent is None:
            return self.column == principal_id
        owned = self.parent.table
        return self.column.in_(select(owned.c.id).where(self.parent.whose(principal_id)))


def _ownerships() -> dict[str, Ownership]:
    """Every owned table by name, parents before what refers to them."""
    found: dict[str, Ownership] = {}
    for table in Base.metadata.sorted_tables:
        if ownership := _by_foreign_key(table, found):
            found[table.name] = ownership
    for name, (column, parent) in _WITHOUT_FOREIGN_KEY.items():
        table = Base.metadata.tables[name]
        found[name] = Ownership(table=table, column=table.c[column], parent=found[parent])
    return found


def _by_foreign_key(table: Table, found: dict[str, Ownership]) -> Ownership | None:
    if table.name in _OWNERS:
        return Ownership(table=table, column=table.c.id, parent=None)
    columns = {key.column.table.name: key.parent for key in table.foreign_keys}
    for owner in _OWNERS:
        if owner in columns:
            return Ownership(table=table, column=columns[owner], parent=None)
    for name, parent in found.items():
        if name in columns:
            return Ownership(table=table, column=columns[name], parent=parent)
    return None


OWNED = _ownerships()
EXPORTED = {name: ownership for name, ownership in OWNED.items() if name not in _WITHOUT_FOREIGN_KEY}


def erase(db: Connection, *, user_id: int) -> None:
    """Delete a person, whose row is locked, and every row that is theirs; security events stay, without owner."""
    for table in _LOCKED_FIRST:
        db.execute(select(table.c.id).where(OWNED[table.name].whose(user_id)).with_for_update())
    db.execute(update(_EVENTS).where(_EVENTS.c.usuario_id == user_id).values(usuario_id=None, direccion=None))
    for ownership in reversed(OWNED.values()):
        db.execute(delete(ownership.table).where(ownership.whose(user_id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows of one table that are read along one index: those that are ``whose``, up to the id ``last``."""

    table: Table
    whose: ColumnElement[bool]
    last: int

    def read(self, db: Connection, *, after: int, limit: int) -> Sequence[Row[Any]]:
        """The next rows, by id."""
        hidden = NOT_EXPORTED.get(self.table.name, set())
        row_id = self.table.c.id
        query = (
            select(*(column for column in self.table.c if column.name not in hidden))
            .where(self.whose, row_id > after, row_id <= self.last)
            .order_by(row_id)
            .limit(limit)
        )
        return db.execute(query).all()


def get_parts(db: Connection, *, principal_id: int) -> dict[str, list[Part]]:
    """What belongs to the principal now, by the names of the tables."""
    return {name: _parts(db, EXPORTED[name], principal_id=principal_id) for name in sorted(EXPORTED)}


def _parts(db: Connection, ownership: Ownership, *, principal_id: int) -> list[Part]:
    """One part, or one for each parent row: turns are read along the index (conversation, id)."""
    table, column, whose = ownership.table, ownership.column, ownership.whose(principal_id)
    if ownership.parent is None:
        last = db.scalar(select(func.max(table.c.id)).where(whose))
        return [] if last is None else [Part(table=table, whose=whose, last=last)]
    newest = select(column, func.max(table.c.id)).where(whose).group_by(column).order_by(column)
    return [Part(table=table, whose=column == parent_id, last=last) for parent_id, last in db.execute(newest)]
