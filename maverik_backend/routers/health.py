"""Who answers here, and how it is."""

from __future__ import annotations

from fastapi import APIRouter, Response, status

from maverik_backend import __version__
from maverik_backend.schemas.health import DependenciaResponse, InicioResponse, SaludResponse
from maverik_backend.services import health
from maverik_backend.web.dependencies import App

router = APIRouter(tags=["servicio"])


@router.get("/", summary="Quién contesta acá")
def get_root() -> InicioResponse:
    return InicioResponse(version=__version__)


@router.get(
    "/health",
    summary="Cómo está el servicio",
    responses={status.HTTP_503_SERVICE_UNAVAILABLE: {"model": SaludResponse, "description": "No puede atender"}},
)
def get_health(app: App, response: Response) -> SaludResponse:
    latency_ms = health.database_latency_ms(app.database.transaction)
    state = DependenciaResponse(status="unhealthy" if latency_ms is None else "healthy", latency_ms=latency_ms)
    if latency_ms is None:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return SaludResponse(status=state.status, version=__version__, dependencies={"database": state})
