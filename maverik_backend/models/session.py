"""Advisory sessions and their turns."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from maverik_backend.models.base import Base, BigIdMixin
from maverik_backend.models.types import Amount, showable_amount, showable_moment


class TurnState(StrEnum):
    """How far a turn has come. *interrumpida* is never stored: a pending turn past its deadline is read as that."""

    PENDING = "pendiente"
    COMPLETED = "completada"
    FALLBACK = "respaldo"
    INTERRUPTED = "interrumpida"


class SesionAsesoria(BigIdMixin, Base):
    """A conversation with a purpose; for purpose 2 (a personal goal) also the goal and its numbers.

    ``horizonte_temporal`` is in months. ``capital_inicial`` has no currency: it is whatever the person thinks in.
    ``titulo`` is the name that the person gave; without one the goal or purpose names the session. ``respondida`` is
    when it got its first real answer, ``portafolio_entregado`` when one carried a portfolio.
    """

    __tablename__ = "sesion_asesoria"
    __table_args__ = (
        Index(None, "usuario_id", "id"),
        CheckConstraint(showable_amount("capital_inicial"), name="capital_inicial"),
        CheckConstraint(showable_moment("fecha_creacion"), name="fecha_creacion"),
    )

    proposito_sesion_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("proposito_sesion.id"), server_default=text("1")
    )
    objetivo_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("objetivo.id"))
    usuario_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("usuario.id"))
    capital_inicial: Mapped[Decimal | None] = mapped_column(Amount)
    horizonte_temporal: Mapped[int | None] = mapped_column(SmallInteger)
    tolerancia_al_riesgo_id: Mapped[int | None] = mapped_column(SmallInteger, ForeignKey("tolerancia_al_riesgo.id"))
    titulo: Mapped[str | None] = mapped_column(Text)
    respondida: Mapped[datetime | None]
    portafolio_entregado: Mapped[datetime | None]
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())


class SesionAsesoriaDetalle(BigIdMixin, Base):
    """One turn: what the person wrote and what was answered.

    ``intento`` counts how often an answer was tried; ``fecha_intento`` is when the latest try began. A try writes its
    answer down only while it is the latest one. ``texto_sistema`` is Markdown, null while the turn is pending;
    ``texto_plano`` is the same without Markdown, as try ``intento_plano`` made it: a process of an older release
    answers without it, and then it belongs to no answer. ``origen`` names who answered, ``error`` the kind of failure
    behind a fallback. Turns from before these columns existed count as completed, at an unknown time.
    """

    __tablename__ = "sesion_asesoria_detalle"
    __table_args__ = (
        Index(None, "sesion_asesoria_id", "id"),
        Index(
            "ix_sesion_asesoria_detalle_pendiente", "sesion_asesoria_id", postgresql_where=text("estado = 'pendiente'")
        ),
        CheckConstraint("estado IN ('pendiente', 'completada', 'respaldo')", name="estado"),
        CheckConstraint("estado = 'pendiente' OR texto_sistema IS NOT NULL", name="respondida"),
    )

    sesion_asesoria_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sesion_asesoria.id"))
    texto_usuario: Mapped[str] = mapped_column(Text)
    texto_sistema: Mapped[str | None] = mapped_column(Text)
    texto_plano: Mapped[str | None] = mapped_column(Text)
    intento_plano: Mapped[int | None] = mapped_column(Integer)
    estado: Mapped[str] = mapped_column(Text, server_default=TurnState.PENDING.value)
    origen: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    portafolio: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    fuentes: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    intento: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    fecha_intento: Mapped[datetime | None] = mapped_column(server_default=func.now())
    fecha_creacion: Mapped[datetime | None] = mapped_column(server_default=func.now())
    fecha_respuesta: Mapped[datetime | None]


class PedidoIdempotente(BigIdMixin, Base):
    """An ``Idempotency-Key`` that a person sent, what it was sent with, and the turn that it made.

    ``resumen`` is a digest of the request: the same key with another request is a mistake of the caller's.
    """

    __tablename__ = "pedido_idempotente"
    __table_args__ = (
        Index("uq_pedido_idempotente_usuario_id_clave", "usuario_id", "clave", unique=True),
        Index(None, "turno_id"),
        Index(None, "fecha_creacion"),
    )

    usuario_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("usuario.id"))
    clave: Mapped[str] = mapped_column(Text)
    resumen: Mapped[bytes] = mapped_column(LargeBinary)
    turno_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sesion_asesoria_detalle.id", ondelete="CASCADE"))
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())
