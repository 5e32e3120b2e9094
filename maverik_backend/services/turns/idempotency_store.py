"""Repeating a request without repeating what it does (the ``Idempotency-Key`` header, IETF httpapi draft).

A key belongs to a principal and to one request. It is written in the transaction that puts the turn on record, so the
two exist together or not at all; the turn itself holds the stored answer. Keys are kept for 24 hours
(services/operations/store.py).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from maverik_backend.errors import IdempotencyKeyReused
from maverik_backend.models import PedidoIdempotente

MAX_KEY_CHARS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """A key and the request that it came with. ``key`` is ``None`` where the request had none: then nothing repeats."""

    principal_id: int
    key: str | None = field(repr=False)
    digest: bytes

    @classmethod
    def of(cls, *, principal_id: int, key: str | None, conversation_id: int, text: str | None) -> RequestKey:
        request = json.dumps([conversation_id, text], ensure_ascii=False)
        return cls(principal_id=principal_id, key=key, digest=hashlib.sha256(request.encode()).digest())


def find_turn_id(db: Connection, request: RequestKey) -> int | None:
    """The turn that this request made when it came before, ``None`` when it is new.

    Raises:
        IdempotencyKeyReused: when the key came with another request.
    """
    if request.key is None:
        return None
    stored = select(PedidoIdempotente.resumen, PedidoIdempotente.turno_id).where(
        PedidoIdempotente.usuario_id == request.principal_id, PedidoIdempotente.clave == request.key
    )
    known = db.execute(stored).one_or_none()
    if known is None:
        return None
    if known.resumen != request.digest:
        raise IdempotencyKeyReused
    turn_id: int = known.turno_id
    return turn_id


def remember(db: Connection, request: RequestKey, *, turn_id: int) -> None:
    """Note that ``request`` made the turn.

    Raises:
        IdempotencyKeyReused: when the same key came concurrently for another conversation.
    """
    if request.key is None:
        return
    noted = db.scalar(
        insert(PedidoIdempotente)
        .values(usuario_id=request.principal_id, clave=request.key, resumen=request.digest, turno_id=turn_id)
        .on_conflict_do_nothing(index_elements=["usuario_id", "clave"])
        .returning(PedidoIdempotente.turno_id)
    )
    if noted is None:
        raise IdempotencyKeyReused
