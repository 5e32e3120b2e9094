"""Mails on their way out."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, SmallInteger, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from maverik_backend.models.base import Base, BigIdMixin


class MailState(StrEnum):
    """Whether a mail still has to leave."""

    PENDING = "pendiente"
    SENT = "enviado"
    FAILED = "fallido"


class CorreoSaliente(BigIdMixin, Base):
    """One mail, written in the transaction of the business fact that it announces.

    ``carga`` is the whole mail sealed with ``SECRET_KEY`` (it may hold a key in clear) and is erased once the mail
    has left or was given up. ``proximo_intento`` is when it may next be tried; while a worker has it, that is the end
    of the worker's lease. ``ultimo_error`` is the kind of the last failure and a few words or numbers of ours about
    it, never what a server said; *defect* is a fault in our code.
    """

    __tablename__ = "correo_saliente"
    __table_args__ = (
        Index(None, "proximo_intento", postgresql_where=text("estado = 'pendiente'")),
        CheckConstraint("estado IN ('pendiente', 'enviado', 'fallido')", name="estado"),
        CheckConstraint("(estado = 'pendiente') = (carga IS NOT NULL)", name="carga"),
    )

    asunto: Mapped[str] = mapped_column(Text)
    carga: Mapped[str | None] = mapped_column(Text)
    estado: Mapped[str] = mapped_column(Text, server_default=MailState.PENDING.value)
    intentos: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    proximo_intento: Mapped[datetime] = mapped_column(server_default=func.now())
    ultimo_error: Mapped[str | None] = mapped_column(Text)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())
    fecha_envio: Mapped[datetime | None]
