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

from sqlalchemy import and_, delete, func, or_
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
)
from maverik_backend.services.enrolment import ENROLMENT_TTL

KEEP_IDEMPOTENCY_KEYS = timedelta(hours=24)
KEEP_LOGINS = timedelta(days=30)
KEEP_MAILS = timedelta(days=30)
KEEP_EVENTS = timedelta(days=730)
KEEP_NOBODYS_EVENTS = timedelta(days=30)


def clean_up(session: Session) -> int:
    """Delete what the table above does not keep; returns how many rows went."""
    return sum(len(session.execute(statement).all()) for statement in _statements())


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
