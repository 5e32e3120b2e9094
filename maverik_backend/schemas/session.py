"""Advisory sessions and their turns."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from maverik_backend.schemas.base import (
    MAX_TEXT_CHARS,
    SHORT_NUMBER,
    AtMost,
    Id,
    Request,
    Response,
    Text,
    Whole,
    not_boolean,
)
from maverik_backend.texts import validation as texts

MAX_HORIZON_MONTHS = 600
MAX_TITLE_CHARS = 200
MAX_READ_TITLE_CHARS = 2 * MAX_TITLE_CHARS  # with the blanks around it
MAX_AMOUNT_DIGITS = 15  # those that a JSON number keeps exactly (IEEE 754 binary64)
MAX_AMOUNT = 9_999_999_999_999.99
MAX_AMOUNT_CHARS = 19  # sixteen digits (it may begin with a zero), the point, two decimals

# Unicode's controls, invisible characters (those that reorder text among them) and line ends.
_NOT_IN_A_TITLE = {"Cc", "Cf", "Zl", "Zp"}
_ZERO_WIDTH_JOINER = "\u200d"  # invisible too, but it makes one emoji of several


def _plain_amount(value: object) -> object:
    """Text only as a program writes a number: to a person "12.000" is twelve thousand."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number or (isinstance(value, str) and re.fullmatch(r"[0-9]{1,16}(\.[0-9]{1,2})?", value)):
        return value
    raise PydanticCustomError("amount", texts.AMOUNT)


Capital = Annotated[
    Decimal,
    BeforeValidator(_plain_amount),
    BeforeValidator(AtMost(MAX_AMOUNT_CHARS)),
    Field(ge=0, max_digits=MAX_AMOUNT_DIGITS, decimal_places=2, allow_inf_nan=False),
    AfterValidator(abs),  # none is below zero by now: this is for -0.0
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": MAX_AMOUNT, "description": texts.AMOUNT}),
]
"""An amount in the currency that the person thinks in, with at most two decimals."""

# The bounds come before the validator: behind it, Pydantic's JSON Schema calls them "ge" and "le", which mean nothing.
Horizon = Annotated[int, Field(ge=1, le=MAX_HORIZON_MONTHS), BeforeValidator(not_boolean), SHORT_NUMBER]
"""In months."""

# Frontends read a JSON number, as they send one.
JsonNumber = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


# Hangul fillers and the empty Braille pattern: letters and a symbol to Unicode, with nothing to see.
_FILLERS = "\u115f\u1160\u3164\uffa0\u2800"


def displayable(value: str) -> str:
    """``value``, unless it shows nothing or holds what a title does not."""
    if any(unicodedata.category(character) in _NOT_IN_A_TITLE for character in value.replace(_ZERO_WIDTH_JOINER, "")):
        raise PydanticCustomError("notdisplayable", texts.DEFAULT)
    if not any(map(_is_visible, value)):
        raise PydanticCustomError("blank", texts.BLANK)
    return value


def _is_visible(character: str) -> bool:
    """Whether it shows something alone: no separator, mark, format character (Unicode's categories) or filler."""
    return unicodedata.category(character)[0] not in "ZMC" and character not in _FILLERS


class SesionCrearRequest(Request):
    """What the session is about; for purpose 2 also the goal and its numbers. The horizon is in months."""

    proposito_sesion_id: Whole
    objetivo_id: Whole | None = None
    capital_inicial: Capital | None = None
    horizonte_temporal: Horizon | None = None
    tolerancia_al_riesgo_id: Whole | None = None


class SesionRenombrarRequest(Request):
    """A new name for the session."""

    titulo_chat: Annotated[
        str,
        Text(max_chars=MAX_READ_TITLE_CHARS, allows_blank=False),
        AfterValidator(str.strip),
        AfterValidator(AtMost(MAX_TITLE_CHARS)),
        AfterValidator(displayable),
    ]


class SesionResponse(Response):
    """A session as stored, with its name and the text that a first turn without input would send."""

    id: int
    usuario_id: int
    titulo_chat: str
    primer_input: str
    proposito_sesion_id: int
    objetivo_id: int | None = Field(description="Para qué se ahorra; id de `GET /catalogs`, null si no tiene objetivo.")
    capital_inicial: JsonNumber | None
    horizonte_temporal: int | None
    tolerancia_al_riesgo_id: int | None
    fecha_creacion: datetime = Field(description="Cuándo se abrió.")


class SesionesResponse(Response):
    """A page of sessions, newest first."""

    sesiones: list[SesionResponse]
    siguiente: Annotated[int | None, Field(description="Valor de `before` para la página siguiente; null si no hay.")]


class TurnoCrearRequest(Request):
    """What the person says; null on the first turn means that the stored profile says it."""

    input: Annotated[str, Text(max_chars=MAX_TEXT_CHARS, allows_blank=False)] | None = Field(
        default=None, description="Lo que dice la persona; null mientras no hubo respuesta: entonces habla su perfil."
    )


# Both are texts with a list, not types of their own: another release may have written what this one does not know.
TurnOrigin = Annotated[str, Field(json_schema_extra={"enum": ["rag", "integrado", "modelo", "datos", "respaldo"]})]
PortfolioOrigin = Annotated[str, Field(json_schema_extra={"enum": ["optimizador", "integrado"]})]


class Activo(Response):
    """One asset of a portfolio; ``peso`` in percent."""

    activo: str
    peso: float


class Portafolio(Response):
    """A checked portfolio: weights in percent that add up to 100; return and volatility in percent a year."""

    perfil_riesgo: Literal["conservative", "moderate", "bold"]
    activos: list[Activo]
    origen: PortfolioOrigin = Field(
        description="Quién lo armó: el optimizador (`optimizador`) o el propio servicio (`integrado`)."
    )
    retorno_esperado: float | None
    volatilidad: float | None
    motivos: list[str] = Field(default=[], description="Por qué es adecuado para la persona, en frases.")
    advertencias: list[str] = Field(default=[], description="Qué conviene saber o hacer antes, en frases.")
    perdida_posible: float | None = Field(
        default=None,
        description="Cuánto podría perder en un año malo, en porcentaje; null si no se calculó.",
    )


class Cita(Response):
    """A source with a place to look it up: a passage of a document, or an address."""

    titulo: str
    url: str | None
    documento_id: int | None
    pagina: int | None
    pasaje_id: int | None


class TurnoResponse(Response):
    """One turn. ``output`` is plain text, ``output_markdown`` the same as Markdown without HTML or images."""

    id: Id
    sesion_asesoria_id: int
    input: str = Field(description="Lo que dijo la persona, o su perfil por ella.")
    output: str
    output_markdown: str
    estado: Literal["pendiente", "completada", "respaldo", "detenida", "interrumpida"]
    origen: TurnOrigin | None = Field(
        description=(
            "Quién contestó: el servicio de asesoramiento (`rag`), el propio servicio (`integrado`), un modelo de "
            "lenguaje (`modelo`), una base de datos (`datos`) o nadie, y es un texto de respaldo (`respaldo`); null si "
            "todavía no hay respuesta, o si es de antes de que se guardara."
        )
    )
    portafolio: Portafolio | None
    fuentes: list[str]
    citas: list[Cita]
    fecha_creacion: datetime | None = Field(description="Cuándo se dijo; null en mensajes de antes de que se guardara.")
