"""What happened to an account: written beside the fact itself, shown to the person, never holding a secret."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.models import EventoSeguridad, SecurityEvent, Usuario

NOBODY = 0  # ids start at 1


def record(
    session: Session, event: SecurityEvent, *, user_id: int | None, client_info: ClientInfo | None = None
) -> None:
    """Note ``event``; without ``client_info`` it was an operator on the command line."""
    address = client_info.truncated_address if client_info else None
    session.add(EventoSeguridad(usuario_id=user_id, tipo=event.value, direccion=address))


def record_afterwards(session: Session, event: SecurityEvent, *, user_id: int, client_info: ClientInfo) -> None:
    """Note ``event`` of somebody who was seen in an earlier transaction; :data:`NOBODY` costs the same statements.

    Whoever was erased meanwhile is nobody by now, instead of a reference to nothing.
    """
    still_there = select(Usuario.id).where(Usuario.id == user_id).with_for_update(read=True, key_share=True)
    record(session, event, user_id=session.scalar(still_there), client_info=client_info)


def get_page(session: Session, *, user_id: int, limit: int, before: int | None) -> Sequence[EventoSeguridad]:
    """What happened to the person's account, newest first."""
    query = select(EventoSeguridad).where(EventoSeguridad.usuario_id == user_id)
    if before is not None:
        query = query.where(EventoSeguridad.id < before)
    return session.scalars(query.order_by(EventoSeguridad.id.desc()).limit(limit)).all()
