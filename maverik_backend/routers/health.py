"""Who answers here, and how it is."""

from __future__ import annotations

from fastapi import APIRouter, Response, status

from maverik_backend import __version__
from maverik_backend.schemas.health import DependenciaResponse, InicioResponse, SaludResponse, Status
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
    found = health.check_database(app.database.transaction)
    dependencies = {
        "database": DependenciaResponse(status=_status(found.latency_ms is not None), latency_ms=found.latency_ms),
        "migrations": DependenciaResponse(status=_status(found.is_migrated), latency_ms=None),
    }
    if not found.is_migrated:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return SaludResponse(status=_status(found.is_migrated), version=__version__, dependencies=dependencies)


def _status(is_fine: bool) -> Status:  # noqa: FBT001 - a conversion
    return "healthy" if is_fine else "unhealthy"
