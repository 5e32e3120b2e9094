"""How the service is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from maverik_backend.schemas.base import Response

Status = Literal["healthy", "unhealthy"]


class InicioResponse(Response):
    """Who answers here."""

    service: Literal["maverik_backend"] = "maverik_backend"
    version: str
    docs: str = "/docs"


class DependenciaResponse(Response):
    """One thing that the service depends on."""

    status: Status
    latency_ms: float | None = Field(
        description="Milisegundos que tardó en contestar; null si no contestó o no se mide."
    )


class SaludResponse(Response):
    """The service and what it depends on."""

    status: Status
    version: str
    dependencies: dict[str, DependenciaResponse]
