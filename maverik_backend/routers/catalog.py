"""The questionnaire's catalogues."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response, status

from maverik_backend.schemas.catalog import CatalogosResponse
from maverik_backend.web.dependencies import CurrentCatalogs
from maverik_backend.web.openapi import headers_of, operation_id

router = APIRouter(tags=["catálogos"], generate_unique_id_function=operation_id)

MAX_ETAGS_CHARS = 1_024  # a cache keeps a few versions


@router.get(
    "/catalogs",
    summary="Todas las opciones del cuestionario",
    description="Acepta `If-None-Match`: mientras nada cambió, contesta 304 sin cuerpo.",
    response_model=CatalogosResponse,
    responses={
        status.HTTP_200_OK: {"headers": headers_of("ETag")},
        status.HTTP_304_NOT_MODIFIED: {"description": "Sin cambios", "headers": headers_of("ETag")},
    },
)
def get_catalogs(
    catalogs: CurrentCatalogs,
    response: Response,
    if_none_match: Annotated[str | None, Header(max_length=MAX_ETAGS_CHARS)] = None,
) -> Any:  # noqa: ANN401 - the answer or its absence
    headers = {"ETag": f'"{catalogs.etag}"', "Cache-Control": "public, max-age=300"}
    if _matches(if_none_match, headers["ETag"]):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    response.headers.update(headers)
    return {
        name: [{"id": option_id, "desc": text} for option_id, text in options.items()]
        for name, options in catalogs.options.items()
    }


def _matches(if_none_match: str | None, etag: str) -> bool:
    """Weak comparison of ``If-None-Match`` (RFC 9110, section 13.1.2)."""
    given = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in given or given == ["*"]
