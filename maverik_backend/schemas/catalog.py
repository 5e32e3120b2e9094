"""The questionnaire's catalogues."""

from __future__ import annotations

from pydantic import Field

from maverik_backend.schemas.base import Response


class OpcionResponse(Response):
    """One possible answer."""

    id: int
    desc: str


class CatalogosResponse(Response):
    """Every catalogue, each in order of id."""

    nivel_educativo: list[OpcionResponse]
    conocimiento_alt_inversion: list[OpcionResponse]
    experiencia_invirtiendo: list[OpcionResponse]
    porcentaje_ahorro_mensual: list[OpcionResponse]
    porcentaje_ahorro_invertir: list[OpcionResponse]
    tiempo_mantener_inversion: list[OpcionResponse]
    busca_invertir_en: list[OpcionResponse]
    proporcion_inversion_mantener: list[OpcionResponse]
    tolerancia_al_riesgo: list[OpcionResponse]
    objetivo: list[OpcionResponse]
    proposito_sesion: list[OpcionResponse] = Field(description="El propósito 2 exige un objetivo.")
