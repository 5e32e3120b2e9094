"""Who answers here, and how it is."""

from __future__ import annotations

from fastapi import APIRouter, Response, status

from maverik_backend import __version__
from maverik_backend.schemas.health import (
    DisponibilidadResponse,
    SaludDetalladaResponse,
    SaludResponse,
    ServicioResponse,
    VidaResponse,
)
from maverik_backend.web.dependencies import App, MaySeeDetails
from maverik_backend.web.middleware.security_headers import DOCS_PATH
from maverik_backend.web.openapi import operation_id

router = APIRouter(tags=["servicio"], generate_unique_id_function=operation_id)


# What watches over the service often asks with HEAD; the document shows GET alone, as HEAD is the same without a body.
@router.head("/", include_in_schema=False)
@router.get("/", summary="Quién contesta acá", description="El nombre y la versión del servicio.")
def get_root(app: App) -> ServicioResponse:
    return ServicioResponse(docs=DOCS_PATH if app.settings.app.serves_api_docs else None)


@router.head("/health", include_in_schema=False)
@router.get(
    "/health",
    summary="Cómo está el servicio y todo lo que necesita",
    description=(
        "El estado del conjunto y, para quienes lo operan, el de cada dependencia. Contesta 503 sólo cuando "
        "no hay base de datos."
    ),
    responses={
        status.HTTP_503_SERVICE_UNAVAILABLE: {
            "model": SaludDetalladaResponse | SaludResponse,
            "description": "No puede atender",
        }
    },
)
def get_health(app: App, may_see_details: MaySeeDetails, response: Response) -> SaludDetalladaResponse | SaludResponse:
    report = app.health.report()
    if report.status == "unhealthy":
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    if not may_see_details:
        return SaludResponse(status=report.status)
    return SaludDetalladaResponse.model_validate(
        {
            "status": report.status,
            "version": __version__,
            "uptime_s": report.uptime_s,
            "dependencies": report.dependencies,
        },
        from_attributes=True,
    )


@router.head("/health/live", include_in_schema=False)
@router.get(
    "/health/live",
    summary="Si el proceso contesta; si no, hay que reiniciarlo",
    description="No consulta nada más: si no contesta, el proceso no funciona.",
)
def get_liveness() -> VidaResponse:
    return VidaResponse()


@router.head("/health/ready", include_in_schema=False)
@router.get(
    "/health/ready",
    summary="Si conviene mandarle pedidos; si no, hay que esperar",
    description="Contesta 503 antes de que la base esté migrada y desde que el proceso empieza a terminar.",
    responses={
        status.HTTP_503_SERVICE_UNAVAILABLE: {
            "model": DisponibilidadResponse,
            "description": "Todavía no está migrada la base, o el proceso está terminando",
        }
    },
)
def get_readiness(app: App, response: Response) -> DisponibilidadResponse:
    if app.health.is_ready():
        return DisponibilidadResponse(status="ready")
    response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return DisponibilidadResponse(status="not ready")
