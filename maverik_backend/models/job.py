"""Slow work that is done outside of requests: the table of jobs, and the table of mails that came before it."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, SmallInteger, Text, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from maverik_backend.models.base import Base, BigIdMixin


class JobState(StrEnum):
    """Whether a job still has to be done. A running job is a pending one whose lease has not run out."""

    PENDING = "pendiente"
    DONE = "hecho"
    DEAD = "fallido"
    DISCARDED = "descartado"


class Trabajo(BigIdMixin, Base):
    """One job, written in the transaction of the business fact that it follows from.

    ``carga`` is what to do, as JSON; sealed with ``SECRET_KEY`` where the kind says so. It is NULL once the job is done
    or discarded. Jobs of one ``sujeto`` (an internal id such as ``conversacion:7``, never an address) run one after the
    other in the order of their ids. ``vence`` and ``proceso`` are the lease of the process that runs the job now.
    ``error`` is the kind of the last failure and a few words or numbers of ours about it, never what a server said.
    """

    __tablename__ = "trabajo"
    __table_args__ = (
        Index(None, "tipo", "proximo_intento", "id", postgresql_where=text("estado = 'pendiente'")),
        Index(None, "sujeto", "id", postgresql_where=text("estado = 'pendiente' AND sujeto IS NOT NULL")),
        Index("ix_trabajo_abierto", "tipo", postgresql_where=text("estado IN ('pendiente', 'fallido')")),
        Index(None, "principal_id", "id", postgresql_where=text("principal_id IS NOT NULL")),
        CheckConstraint("estado IN ('pendiente', 'hecho', 'fallido', 'descartado')", name="estado"),
        CheckConstraint("estado = 'fallido' OR (estado = 'pendiente') = (carga IS NOT NULL)", name="carga"),
        CheckConstraint("(vence IS NULL) = (proceso IS NULL)", name="vence"),
        CheckConstraint("(fecha_fin IS NULL) = (estado = 'pendiente')", name="fecha_fin"),
    )

    tipo: Mapped[str] = mapped_column(Text)
    sujeto: Mapped[str | None] = mapped_column(Text)
    principal_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("principal.id", ondelete="CASCADE"))
    descripcion: Mapped[str] = mapped_column(Text, server_default="")
    referencia: Mapped[str] = mapped_column(Text)
    carga: Mapped[str | None] = mapped_column(Text)
    estado: Mapped[str] = mapped_column(Text, server_default=JobState.PENDING.value)
    intentos: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    proximo_intento: Mapped[datetime] = mapped_column(server_default=func.now())
    vence: Mapped[datetime | None]
    proceso: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    error: Mapped[str | None] = mapped_column(Text)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())
    fecha_fin: Mapped[datetime | None]


class CorreoSaliente(BigIdMixin, Base):
    """Mails as releases without ``trabajo`` keep them: their processes may still run beside newer ones.

    Nothing here reads or writes it. A trigger makes a job of each row that such a process inserts (alembic/versions,
    f3a61c08e5b4); what stays are mails that one of them had under way when the table of jobs was made.
    """

    __tablename__ = "correo_saliente"
    __table_args__ = (
        Index(None, "proximo_intento", postgresql_where=text("estado = 'pendiente'")),
        CheckConstraint("estado IN ('pendiente', 'enviado', 'fallido')", name="estado"),
        CheckConstraint("(estado = 'pendiente') = (carga IS NOT NULL)", name="carga"),
    )

    asunto: Mapped[str] = mapped_column(Text)
    carga: Mapped[str | None] = mapped_column(Text)
    estado: Mapped[str] = mapped_column(Text, server_default="pendiente")
    intentos: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    proximo_intento: Mapped[datetime] = mapped_column(server_default=func.now())
    ultimo_error: Mapped[str | None] = mapped_column(Text)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())
    fecha_envio: Mapped[datetime | None]
