"""The SQL of operations: clean-up of expired rows, and what the health report reads.

==========================  ==========================================================================================
What                        Kept
==========================  ==========================================================================================
Counters of rate limits     until their window has passed
Links to set a password     until they expire
Unconfirmed second factors  for an hour
Idempotency keys            24 hours
Events of running turns     until the turn ends; of a process that died, an hour
Reservations of limits      until they expire; the ledger itself is kept
Leases of processes         a day after they ran out
Closed or expired logins    30 days more, for people to look back at
Jobs that ended             30 days; what is done or discarded without its content
Security events             2 years
... without ``usuario_id``  30 days: tries with unknown addresses, and what is left of people who were erased
==========================  ==========================================================================================

Principals and conversations need no clean-up: a trigger deletes each with its ``usuario`` or ``sesion_asesoria``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, text, update
from sqlalchemy.sql.dml import ReturningDelete

from maverik_backend.models import (
    EnlaceClave,
    EventoSeguridad,
    FragmentoTurno,
    InicioSesion,
    LimiteUso,
    PedidoIdempotente,
    Proceso,
    ReservaConsumo,
    SecurityEvent,
    SegundoFactor,
    Usuario,
)
from maverik_backend.services import jobs
from maverik_backend.services.accounts import ENROLMENT_TTL

KEEP_IDEMPOTENCY_KEYS = timedelta(hours=24)
KEEP_TURN_EVENTS = timedelta(hours=1)
KEEP_LEASES = timedelta(days=1)
KEEP_LOGINS = timedelta(days=30)
KEEP_JOBS = timedelta(days=30)
KEEP_EVENTS = timedelta(days=730)
KEEP_EVENTS_WITHOUT_USER = timedelta(days=30)
PASSWORDS_PER_STATEMENT = 1_000


def clean_up(db: Connection) -> int:
    """Delete what the table above does not keep; returns how many rows went."""
    deleted = sum(len(db.execute(statement).all()) for statement in _statements())
    return deleted + jobs.delete_ended(db, keep=KEEP_JOBS)


def keep_used_passwords(db: Connection) -> int:
    """Clear ``clave_vence`` of mailed passwords that were used; how many, at most :data:`PASSWORDS_PER_STATEMENT`.

    A login clears it itself (services/accounts), but not in a process of an earlier release that still runs.
    """
    people = db.scalars(
        select(Usuario.id)
        .where(_has_used_password())
        .order_by(Usuario.id)
        .limit(PASSWORDS_PER_STATEMENT)
        .with_for_update(of=Usuario, skip_locked=True)
    ).all()
    # Checked again once the rows are locked: a new password may have been mailed since the first statement.
    kept = db.execute(
        update(Usuario)
        .where(Usuario.id.in_(people), _has_used_password())
        .values(clave_vence=None, fecha_actualizacion=Usuario.fecha_actualizacion)
        .returning(Usuario.id)
        .execution_options(synchronize_session=False)
    )
    return len(kept.all())


def _has_used_password() -> ColumnElement[bool]:
    """Whether a login came after the password was mailed.

    A merge brings the logins of the other account, which tell nothing about this one's password.
    """
    telling = (SecurityEvent.LOGGED_IN, SecurityEvent.PASSWORD_RESENT, SecurityEvent.MERGED)
    latest = (
        select(EventoSeguridad.tipo)
        .where(EventoSeguridad.usuario_id == Usuario.id, EventoSeguridad.tipo.in_([event.value for event in telling]))
        .order_by(EventoSeguridad.id.desc())
        .limit(1)
        .correlate(Usuario)
        .scalar_subquery()
    )
    return and_(Usuario.clave_vence.is_not(None), latest == SecurityEvent.LOGGED_IN.value)


def _statements() -> tuple[ReturningDelete[Any], ...]:
    now = func.now()
    closed = or_(InicioSesion.cerrado < now - KEEP_LOGINS, InicioSesion.vence < now - KEEP_LOGINS)
    happened = EventoSeguridad.fecha_creacion
    # The event of an erasure is the proof that it was done, and is kept as long as the others.
    has_no_user = and_(EventoSeguridad.usuario_id.is_(None), EventoSeguridad.tipo != SecurityEvent.DELETED.value)
    return (
        delete(LimiteUso).where(LimiteUso.vence < now).returning(LimiteUso.clave),
        delete(EnlaceClave).where(EnlaceClave.vence < now).returning(EnlaceClave.id),
        delete(SegundoFactor)
        .where(SegundoFactor.activado.is_(None), SegundoFactor.fecha_creacion < now - ENROLMENT_TTL)
        .returning(SegundoFactor.id),
        delete(PedidoIdempotente)
        .where(PedidoIdempotente.fecha_creacion < now - KEEP_IDEMPOTENCY_KEYS)
        .returning(PedidoIdempotente.turno_id),
        delete(FragmentoTurno)
        .where(FragmentoTurno.fecha_creacion < now - KEEP_TURN_EVENTS)
        .returning(FragmentoTurno.turno_id),
        delete(ReservaConsumo).where(ReservaConsumo.vence < now).returning(ReservaConsumo.id),
        delete(Proceso).where(Proceso.vence < now - KEEP_LEASES).returning(Proceso.id),
        delete(InicioSesion).where(closed).returning(InicioSesion.id),
        delete(EventoSeguridad)
        .where(or_(happened < now - KEEP_EVENTS, and_(has_no_user, happened < now - KEEP_EVENTS_WITHOUT_USER)))
        .returning(EventoSeguridad.id),
    )


def get_revision(db: Connection) -> str | None:
    """The Alembic revision that the tables are at."""
    revision: str | None = db.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def ping(db: Connection) -> None:
    """One round trip to the database."""
    db.execute(text("SELECT 1"))
