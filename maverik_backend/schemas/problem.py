"""What an error looks like (RFC 9457)."""

from __future__ import annotations

from pydantic import Field

from maverik_backend.schemas.base import Response


class CampoInvalido(Response):
    """One field that cannot be accepted."""

    campo: str
    mensaje: str
    permitidos: list[int] | None = None


class Problema(Response):
    """An error: ``detail`` is for people, ``error`` for programs."""

    type: str
    title: str
    status: int
    detail: str
    error: str = Field(description="Nombre estable del error, en inglés.")
    errores: list[CampoInvalido] | None = None
