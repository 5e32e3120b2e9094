"""The second factor: adding, confirming and removing it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from maverik_backend.schemas.base import Request, Response
from maverik_backend.schemas.user import Clave, Codigo


class SegundoFactorConfirmarRequest(Request):
    """The first code of the app that got the secret."""

    codigo: Codigo


class SegundoFactorAutorizarRequest(Request):
    """The key and a code, before what only both together allow."""

    clave: Clave
    codigo: Codigo


class SegundoFactorResponse(Response):
    """Whether the account asks for a second factor."""

    activo: bool = Field(description="Si entrar pide un código.")
    activado: datetime | None = Field(description="Desde cuándo; null si no está activo.")
    codigos_restantes: int


class SegundoFactorIniciadoResponse(Response):
    """A secret for an authenticator app, shown once; ``uri`` is what a QR code of it holds."""

    secreto: str
    uri: str


class CodigosRecuperacionResponse(Response):
    """Recovery codes, shown once."""

    codigos: list[str]
