"""How the service is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from maverik_backend.schemas.base import Response

Status = Literal["healthy", "degraded", "unhealthy"]


class ServicioResponse(Response):
    """Who answers here."""

    service: Literal["maverik_backend"] = "maverik_backend"
    docs: str | None = Field(description="Dónde está la documentación; null donde está apagada.")


class VidaResponse(Response):
    """That the process answers at all."""

    status: Literal["alive"] = Field(default="alive", description="Siempre `alive`.")


class DisponibilidadResponse(Response):
    """Whether requests should be sent here."""

    status: Literal["ready", "not ready"] = Field(
        description="`ready` si conviene mandarle pedidos; si no, `not ready`."
    )


class DependenciaResponse(Response):
    """One thing that the service depends on."""

    status: Status = Field(description="Si funciona: `healthy`, `degraded` (a medias) o `unhealthy`.")
    latency_ms: float | None = Field(
        description="Milisegundos que tardó en contestar; null si no contestó o no se mide."
    )
    detail: str | None = Field(description="Qué pasa, con la palabra que usan los logs; null si no hay nada que decir.")
    backlog: int | None = Field(description="Cuántos correos esperan salir; null en lo que no es el correo.")


class SaludResponse(Response):
    """The service as a whole, which is all that clients without a right to details are told."""

    status: Status = Field(
        description="El conjunto: `healthy`, `degraded` (atiende, con algo menos) o `unhealthy` (no atiende)."
    )


class SaludDetalladaResponse(SaludResponse):
    """The service and what it depends on, for operators."""

    version: str
    uptime_s: float = Field(description="Segundos desde que arrancó el proceso.")
    dependencies: dict[str, DependenciaResponse]
