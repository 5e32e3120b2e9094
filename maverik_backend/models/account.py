"""What surrounds an account: its logins, the links it was mailed, what happened to it, and how often it is tried."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from maverik_backend.models.base import Base, BigIdMixin


class InicioSesion(BigIdMixin, Base):
    """One login: a family of refresh tokens and the access tokens made from them.

    ``rotacion`` counts the refresh tokens that were handed out: only the latest is good, an older one means that
    somebody has a copy. ``cerrado`` ends the whole family at once. ``direccion`` is truncated, ``agente`` cut.
    """

    __tablename__ = "inicio_sesion"
    __table_args__ = (Index(None, "usuario_id", "id"),)

    usuario_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("usuario.id"))
    rotacion: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    ultimo_uso: Mapped[datetime] = mapped_column(server_default=func.now())
    vence: Mapped[datetime]
    cerrado: Mapped[datetime | None]
    direccion: Mapped[str | None] = mapped_column(Text)
    agente: Mapped[str | None] = mapped_column(Text)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())


class EnlaceClave(BigIdMixin, Base):
    """A link that lets its holder set a key, once. ``resumen`` is the SHA-256 of the token in the link."""

    __tablename__ = "enlace_clave"
    __table_args__ = (Index(None, "usuario_id"), Index("uq_enlace_clave_resumen", "resumen", unique=True))

    usuario_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("usuario.id"))
    resumen: Mapped[bytes] = mapped_column(LargeBinary)
    vence: Mapped[datetime]
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())


class EventoSeguridad(BigIdMixin, Base):
    """Something that happened to an account. Without ``usuario_id``: to nobody we know, or to somebody who left."""

    __tablename__ = "evento_seguridad"
    __table_args__ = (Index(None, "usuario_id", "id"),)

    usuario_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("usuario.id"))
    tipo: Mapped[str] = mapped_column(Text)
    direccion: Mapped[str | None] = mapped_column(Text)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())


class LimiteUso(Base):
    """A counter of the rate limits that several processes share; ``clave`` never holds an address in clear."""

    __tablename__ = "limite_uso"
    __table_args__ = (Index(None, "vence"),)

    clave: Mapped[str] = mapped_column(Text, primary_key=True)
    cuenta: Mapped[int] = mapped_column(Integer)
    vence: Mapped[datetime]
