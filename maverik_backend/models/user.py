"""People and their investor profiles."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    String,
    Text,
    false,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from maverik_backend.models.base import Base
from maverik_backend.models.types import Day, showable_day, showable_moment


def _answer(catalog: str) -> Mapped[int]:
    """A required answer of the questionnaire."""
    return mapped_column(SmallInteger, ForeignKey(f"{catalog}.id"), server_default=text("1"))


class Usuario(Base):
    """A person who can sign in. ``clave_hash`` is an Argon2id PHC string; the key itself is nowhere.

    ``debe_cambiar_clave`` marks a password that others may have seen (it was mailed, or kept in clear by an older
    release); ``clave_vence`` is when a mailed key that was never used stops working: the first login clears it.
    ``email_verificado`` is when the address was first shown to be the person's, ``deshabilitado`` when an operator
    closed the account, ``operador`` when it was given the rights of an operator.
    """

    __tablename__ = "usuario"
    __table_args__ = (
        Index("uq_usuario_email", text("lower(email::text)"), unique=True),
        CheckConstraint(showable_day("fecha_nacimiento"), name="fecha_nacimiento"),
        CheckConstraint(showable_moment("fecha_creacion"), name="fecha_creacion"),
        CheckConstraint(showable_moment("fecha_actualizacion"), name="fecha_actualizacion"),
    )

    # The row of the same id in ``principal`` is inserted after this one, by a trigger.
    id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("principal.id", deferrable=True, initially="DEFERRED"), Identity(), primary_key=True
    )
    email: Mapped[str] = mapped_column(String(500))
    clave_hash: Mapped[str] = mapped_column(Text)
    debe_cambiar_clave: Mapped[bool] = mapped_column(server_default=false())
    clave_vence: Mapped[datetime | None]
    email_verificado: Mapped[datetime | None]
    deshabilitado: Mapped[datetime | None]
    operador: Mapped[datetime | None]
    fecha_nacimiento: Mapped[date | None] = mapped_column(Day)
    nivel_educativo_id: Mapped[int | None] = mapped_column(SmallInteger, ForeignKey("nivel_educativo.id"))
    conocimiento_alt_inversion_id: Mapped[int] = _answer("conocimiento_alt_inversion")
    experiencia_invirtiendo_id: Mapped[int] = _answer("experiencia_invirtiendo")
    porcentaje_ahorro_mensual_id: Mapped[int] = _answer("porcentaje_ahorro_mensual")
    porcentaje_ahorro_invertir_id: Mapped[int] = _answer("porcentaje_ahorro_invertir")
    tiempo_mantener_inversion_id: Mapped[int] = _answer("tiempo_mantener_inversion")
    busca_invertir_en_id: Mapped[int] = _answer("busca_invertir_en")
    proporcion_inversion_mantener_id: Mapped[int] = _answer("proporcion_inversion_mantener")
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())
    fecha_actualizacion: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
