"""Who talks, where, and which process is answering: the parents of everything that owns or holds turns.

``principal`` and ``conversacion`` are parents in a class-table inheritance: a person (``usuario``) and an advisory
session (``sesion_asesoria``) share the id of their parent row, which a trigger inserts and deletes with them. So
processes of releases without these tables go on working beside newer ones (docs/decisions/0001-one-turn-engine.md).
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from maverik_backend.models.base import Base


class ConversationKind(StrEnum):
    """What a conversation is part of. Surfaces that come later add theirs."""

    ADVISORY_SESSION = "asesoria"


class Principal(Base):
    """The owner of conversations: a person, a partner's user, a channel's contact.

    ``emisor`` and ``sujeto`` identify principals whose accounts are kept elsewhere: the issuer of their token and its
    subject. Both are null for persons, whose account is the ``usuario`` of the same id.
    """

    __tablename__ = "principal"
    __table_args__ = (
        Index("uq_principal_emisor_sujeto", "emisor", "sujeto", unique=True),
        CheckConstraint("(emisor IS NULL) = (sujeto IS NULL)", name="sujeto"),
    )

    # Numbered by the sequence of usuario.id, so that no two principals ever share an id.
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    tipo: Mapped[str] = mapped_column(Text)
    emisor: Mapped[str | None] = mapped_column(Text)
    sujeto: Mapped[str | None] = mapped_column(Text)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())


class Conversacion(Base):
    """Something that holds turns, of one principal. Turns refer to it by ``sesion_asesoria_id``, an older name.

    ``cuidado`` is the most urgent kind of danger or trouble that was told in it (``services/safety``), null for most.
    """

    __tablename__ = "conversacion"
    __table_args__ = (Index(None, "principal_id", "id"),)

    # Numbered by the sequence of sesion_asesoria.id.
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    tipo: Mapped[str] = mapped_column(Text)
    principal_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("principal.id"))
    cuidado: Mapped[str | None] = mapped_column(Text)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())


class Proceso(Base):
    """A server process that runs turns; while ``vence`` lies ahead, those that it has accepted count as running."""

    __tablename__ = "proceso"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    vence: Mapped[datetime]


class FragmentoTurno(Base):
    """Events of a running turn, for processes that follow it: the first one has number ``numero``.

    Unlogged: lost when PostgreSQL crashes. The turn is not, and its text is complete in its own row at the end.
    """

    __tablename__ = "turno_fragmento"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    turno_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    intento: Mapped[int] = mapped_column(Integer, primary_key=True)
    numero: Mapped[int] = mapped_column(Integer, primary_key=True)
    eventos: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())
