"""Definitions of assistants that have answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from maverik_backend.models.base import Base


class AsistenteVersion(Base):
    """One version of an assistant's definition, with its instructions; ``version`` is a digest of ``contenido``."""

    __tablename__ = "asistente_version"

    asistente: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[str] = mapped_column(Text, primary_key=True)
    contenido: Mapped[dict[str, Any]] = mapped_column(JSONB)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())
