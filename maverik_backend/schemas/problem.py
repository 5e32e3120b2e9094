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
    """An error: ``detail`` is for people, ``type`` and ``error`` for programs."""

    type: str
    title: str
    status: int = Field(description="El código HTTP.")
    detail: str
    error: str
    errores: list[CampoInvalido] | None = None
