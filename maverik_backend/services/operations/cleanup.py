"""Removing what nobody needs any more, so that tables do not grow with time alone.

==========================  ==========================================================================================
What                        Kept
==========================  ==========================================================================================
Counters of rate limits     until their window has passed
Links to set a key          until they expire
Unconfirmed second factors  for an hour
Idempotency keys            24 hours
Closed or expired logins    30 days more, for people to look back at
Mails that left or failed   30 days, without their content
Security events             2 years
... of nobody's account     30 days: tries with unknown addresses, and what is left of people who were erased
==========================  ==========================================================================================
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningDelete

from maverik_backend.models import (
    CorreoSaliente,
    EnlaceClave,
    EventoSeguridad,
    InicioSesion,
    LimiteUso,
    MailState,
    PedidoIdempotente,
    SecurityEvent,
    SegundoFactor,
    Usuario,
)
from maverik_backend.services.accounts.enrolment import ENROLMENT_TTL

KEEP_IDEMPOTENCY_KEYS = timedelta(hours=24)
KEEP_LOGINS = timedelta(days=30)
KEEP_MAILS = timedelta(days=30)
KEEP_EVENTS = timedelta(days=730)
KEEP_NOBODYS_EVENTS = timedelta(days=30)
KEYS_AT_ONCE = 1_000


def clean_up(session: Session) -> int:
    """Delete what the table above does not keep; returns how many rows went."""
    return sum(len(session.execute(statement).all()) for statement in _statements())


def keep_used_keys(session: Session) -> int:
    """Take the end off mailed keys that signed somebody in; how many it was, at most :data:`KEYS_AT_ONCE`.

    A login does that itself (services/accounts/auth.py), but not in a process of an earlier release that still runs.
    """
    people = session.scalars(
        select(Usuario.id)
        .where(_has_used_key())
        .order_by(Usuario.id)
        .limit(KEYS_AT_ONCE)
        .with_for_update(of=Usuario, skip_locked=True)
    ).all()
    # Asked again once the people are locked: a new key may have been mailed to some of them since the first question.
    kept = session.execute(
        update(Usuario)
        .where(Usuario.id.in_(people), _has_used_key())
        .values(clave_vence=None, fecha_actualizacion=Usuario.fecha_actualizacion)
        .returning(Usuario.id)
        .execution_options(synchronize_session=False)
    )
    return len(kept.all())


def _has_used_key() -> ColumnElement[bool]:
    """Whether a login came after the key was mailed. A merge brings the other account's logins, which tell nothing."""
    telling = (SecurityEvent.LOGGED_IN, SecurityEvent.KEY_RESENT, SecurityEvent.MERGED)
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
    # That somebody was erased is what shows that it was done, and stays as long as the rest.
    is_nobodys = and_(EventoSeguridad.usuario_id.is_(None), EventoSeguridad.tipo != SecurityEvent.DELETED.value)
    left = CorreoSaliente.estado != MailState.PENDING
    return (
        delete(LimiteUso).where(LimiteUso.vence < now).returning(LimiteUso.clave),
        delete(EnlaceClave).where(EnlaceClave.vence < now).returning(EnlaceClave.id),
        delete(SegundoFactor)
        .where(SegundoFactor.activado.is_(None), SegundoFactor.fecha_creacion < now - ENROLMENT_TTL)
        .returning(SegundoFactor.id),
        delete(PedidoIdempotente)
        .where(PedidoIdempotente.fecha_creacion < now - KEEP_IDEMPOTENCY_KEYS)
        .returning(PedidoIdempotente.turno_id),
        delete(InicioSesion).where(closed).returning(InicioSesion.id),
        delete(CorreoSaliente)
        .where(left, CorreoSaliente.fecha_creacion < now - KEEP_MAILS)
        .returning(CorreoSaliente.id),
        delete(EventoSeguridad)
        .where(or_(happened < now - KEEP_EVENTS, and_(is_nobodys, happened < now - KEEP_NOBODYS_EVENTS)))
        .returning(EventoSeguridad.id),
    )
