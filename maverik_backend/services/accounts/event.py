"""What happened to an account: written beside the fact itself, shown to the person, never holding a secret."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from maverik_backend.models import EventoSeguridad, SecurityEvent, Usuario

MAX_AGENT_CHARS = 200
NOBODY = 0  # ids start at 1
# How much of an address is kept: enough to recognise a place, not a person (ASVS 5.0, 14.2).
_KEPT_BITS = {4: 24, 6: 48}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, as far as the network tells: the address in full for limits, and the program's name."""

    address: str
    agent: str | None = None

    @property
    def truncated_address(self) -> str | None:
        """The network the address is in: /24 of IPv4, /48 of IPv6."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return None
        return str(ipaddress.ip_network((address, _KEPT_BITS[address.version]), strict=False))

    @property
    def place(self) -> str:
        """What limits count by: the address, or of IPv6 the /64, of which every household has 2^64 addresses."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        return str(address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False))  # noqa: PLR2004

    @property
    def network(self) -> str:
        """The network the address is in, or the address where it is none of IPv4 or IPv6."""
        return self.truncated_address or self.address

    @property
    def short_agent(self) -> str | None:
        return self.agent[:MAX_AGENT_CHARS] if self.agent else None


def record(session: Session, event: SecurityEvent, *, user_id: int | None, caller: Caller | None = None) -> None:
    """Note ``event``; without a caller it was an operator."""
    address = caller.truncated_address if caller else None
    session.add(EventoSeguridad(usuario_id=user_id, tipo=event.value, direccion=address))


def record_afterwards(session: Session, event: SecurityEvent, *, user_id: int, caller: Caller) -> None:
    """Note ``event`` of somebody who was seen in an earlier transaction; :data:`NOBODY` costs the same statements.

    Whoever was erased meanwhile is nobody by now, instead of a reference to nothing.
    """
    still_there = select(Usuario.id).where(Usuario.id == user_id).with_for_update(read=True, key_share=True)
    record(session, event, user_id=session.scalar(still_there), caller=caller)


def get_page(session: Session, *, user_id: int, limit: int, before: int | None) -> Sequence[EventoSeguridad]:
    """What happened to the person's account, newest first."""
    query = select(EventoSeguridad).where(EventoSeguridad.usuario_id == user_id)
    if before is not None:
        query = query.where(EventoSeguridad.id < before)
    return session.scalars(query.order_by(EventoSeguridad.id.desc()).limit(limit)).all()
