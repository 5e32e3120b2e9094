"""What principals used of language models, and what their running turns have reserved of their limits."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, ForeignKey, Index, Integer, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from maverik_backend.models.base import Base, BigIdMixin


class Consumo(BigIdMixin, Base):
    """What one principal used of one model by one assistant on one day of the clocks of Argentina.

    ``tokens_reutilizados`` (cached) are part of ``tokens_entrada``, ``tokens_razonamiento`` of ``tokens_salida``.
    ``pedidos`` counts requests to the model, ``costo_microusd`` is in millionths of a US dollar.
    """

    __tablename__ = "consumo"
    __table_args__ = (
        UniqueConstraint("principal_id", "dia", "asistente", "modelo"),
        Index(None, "dia"),
    )

    principal_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("principal.id", ondelete="CASCADE"))
    dia: Mapped[date] = mapped_column(Date)
    asistente: Mapped[str] = mapped_column(Text)
    modelo: Mapped[str] = mapped_column(Text)
    pedidos: Mapped[int] = mapped_column(Integer)
    tokens_entrada: Mapped[int] = mapped_column(BigInteger)
    tokens_reutilizados: Mapped[int] = mapped_column(BigInteger)
    tokens_salida: Mapped[int] = mapped_column(BigInteger)
    tokens_razonamiento: Mapped[int] = mapped_column(BigInteger)
    costo_microusd: Mapped[int] = mapped_column(BigInteger)
    fecha_actualizacion: Mapped[datetime] = mapped_column(server_default=func.now())


class ReservaConsumo(BigIdMixin, Base):
    """What a running turn may still use, until it has ended or ``vence`` has passed."""

    __tablename__ = "reserva_consumo"
    __table_args__ = (Index(None, "principal_id", "vence"),)

    principal_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("principal.id", ondelete="CASCADE"))
    tokens: Mapped[int] = mapped_column(BigInteger)
    costo_microusd: Mapped[int] = mapped_column(BigInteger)
    vence: Mapped[datetime]
