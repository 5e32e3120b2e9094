"""What surrounds an account: its logins, the links it was mailed, what happened to it, and how often it is tried."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, Text, false, func, text
from sqlalchemy.orm import Mapped, mapped_column

from maverik_backend.models.base import Base, BigIdMixin


class InicioSesion(BigIdMixin, Base):
    """One login: a family of refresh tokens and the access tokens made from them.

    ``rotacion`` counts the refresh tokens that were handed out: only the latest is good, an older one means that
    it was copied. ``cerrado`` ends the whole family at once. ``direccion`` is truncated, ``agente`` cut.
    ``con_segundo_factor`` is set when a second factor was shown in it, ``renueva_tokens`` when its client asked for
    access tokens that hold briefly. ``rotacion_repetida`` numbers the latest refresh token that was used twice.
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
    con_segundo_factor: Mapped[bool] = mapped_column(server_default=false())
    renueva_tokens: Mapped[bool] = mapped_column(server_default=false())
    rotacion_repetida: Mapped[int | None] = mapped_column(Integer)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())


class EnlaceClave(BigIdMixin, Base):
    """A link that lets its holder set a key, once. ``resumen`` is the SHA-256 of the token in the link."""

    __tablename__ = "enlace_clave"
    __table_args__ = (Index(None, "usuario_id"), Index("uq_enlace_clave_resumen", "resumen", unique=True))

    usuario_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("usuario.id"))
    resumen: Mapped[bytes] = mapped_column(LargeBinary)
    vence: Mapped[datetime]
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())


class SegundoFactor(BigIdMixin, Base):
    """The TOTP secret of an account (RFC 6238), sealed with ``SECRET_KEY``.

    ``activado`` is ``NULL`` until a first code confirmed it. ``ultimo_paso`` is the time step (of 30 s since 1970) of
    the last code that was used: only codes of later steps are taken.
    """

    __tablename__ = "segundo_factor"
    __table_args__ = (Index("uq_segundo_factor_usuario_id", "usuario_id", unique=True),)

    usuario_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("usuario.id", ondelete="CASCADE"))
    secreto: Mapped[str] = mapped_column(Text)
    activado: Mapped[datetime | None]
    ultimo_paso: Mapped[int | None] = mapped_column(BigInteger)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())


class CodigoRecuperacion(BigIdMixin, Base):
    """A recovery code that has not been used yet. ``resumen`` is its SHA-256: the code has 120 random bits."""

    __tablename__ = "codigo_recuperacion"
    __table_args__ = (Index("uq_codigo_recuperacion_usuario_id_resumen", "usuario_id", "resumen", unique=True),)

    usuario_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("usuario.id", ondelete="CASCADE"))
    resumen: Mapped[bytes] = mapped_column(LargeBinary)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())


class EventoSeguridad(BigIdMixin, Base):
    """Something that happened to an account. ``usuario_id`` is NULL when there was no account, or it was erased."""

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
