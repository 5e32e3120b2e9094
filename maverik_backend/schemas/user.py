"""People: signing up, signing in, the investor profile."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, WithJsonSchema
from pydantic_core import PydanticCustomError

from maverik_backend.core import one_time_codes, passwords
from maverik_backend.core.addresses import Unmailable, accepted, canonical
from maverik_backend.core.ages import age_on
from maverik_backend.core.security_events import SecurityEvent
from maverik_backend.core.tokens import MAX_TOKEN_CHARS
from maverik_backend.schemas.base import AtMost, CutTo, Request, Response, Text, Whole
from maverik_backend.texts import validation as texts

MIN_AGE = 18
MAX_AGE = 120
MAX_EMAIL_CHARS = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
MAX_STORED_EMAIL_CHARS = 500  # that was the only limit before this repository
MAX_LINK_TOKEN_CHARS = 200
MAX_DATE_CHARS = len("2000-12-31")


def _no_date() -> PydanticCustomError:
    return PydanticCustomError("date_parsing", texts.MESSAGES["date_parsing"])


def _written_date(value: object) -> object:
    """Pydantic alone also takes seconds since 1970 and date-times, which are days only in some time zone."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return value
    raise _no_date()


def _adult(born: date) -> date:
    age = age_on(born, datetime.now(UTC).date())
    if 0 <= age < MIN_AGE:
        raise PydanticCustomError("age", texts.TOO_YOUNG.format(min=MIN_AGE))
    if not MIN_AGE <= age <= MAX_AGE:
        raise PydanticCustomError("age", texts.AGE.format(min=MIN_AGE, max=MAX_AGE))
    return born


def _bare_address(address: str) -> str:
    """Pydantic's own ``EmailStr`` also takes ``Ana <ana@example.com>``, and names that mail software decodes."""
    try:
        return accepted(address)
    except Unmailable:
        raise PydanticCustomError("email", texts.EMAIL) from None


Email = Annotated[
    str,
    Text(max_chars=MAX_EMAIL_CHARS),
    AfterValidator(_bare_address),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": MAX_EMAIL_CHARS}),
]
"""An address in its one spelling: two spellings of one mailbox are one person."""

BirthDate = Annotated[
    date, BeforeValidator(_written_date), BeforeValidator(AtMost(MAX_DATE_CHARS, _no_date)), AfterValidator(_adult)
]
CatalogId = Annotated[Whole, Field(description="Id de una opción de `GET /catalogs`.")]


class UsuarioCrearRequest(Request):
    """The sign-up form: an address and the answers of the questionnaire."""

    email: Email
    fecha_nacimiento: BirthDate | None = None
    nivel_educativo_id: CatalogId | None = None
    conocimiento_alt_inversion_id: CatalogId
    experiencia_invirtiendo_id: CatalogId
    porcentaje_ahorro_mensual_id: CatalogId
    porcentaje_ahorro_invertir_id: CatalogId
    tiempo_mantener_inversion_id: CatalogId
    busca_invertir_en_id: CatalogId
    proporcion_inversion_mantener_id: CatalogId


class UsuarioActualizarRequest(Request):
    """Changes to the profile; what is absent stays as it is. Only the first two may be emptied with null."""

    fecha_nacimiento: BirthDate | None = None
    nivel_educativo_id: CatalogId | None = None
    # Not nullable, and no default that a client could send: what is absent is not in ``model_fields_set``.
    conocimiento_alt_inversion_id: CatalogId = Field(default_factory=int)
    experiencia_invirtiendo_id: CatalogId = Field(default_factory=int)
    porcentaje_ahorro_mensual_id: CatalogId = Field(default_factory=int)
    porcentaje_ahorro_invertir_id: CatalogId = Field(default_factory=int)
    tiempo_mantener_inversion_id: CatalogId = Field(default_factory=int)
    busca_invertir_en_id: CatalogId = Field(default_factory=int)
    proporcion_inversion_mantener_id: CatalogId = Field(default_factory=int)


Codigo = Annotated[str, Text(max_chars=one_time_codes.MAX_TYPED_CHARS), AfterValidator(one_time_codes.normalise)]
"""A code of a second factor as people type it, with blanks or hyphens: whatever it is, it is right or wrong."""

OptionalCodigo = Annotated[Codigo | None, AfterValidator(lambda code: code or None)]
"""The same where there need be none: an empty one is none."""

RenuevaTokens = Annotated[
    StrictBool,
    Field(description="El cliente renueva sus tokens con `POST /user/token/refresh`: el de acceso dura 15 minutos."),
]


Clave = Annotated[str, Text(max_chars=passwords.MAX_CODE_POINTS)]
"""A key that is compared with the stored one: whatever it is, it is right or wrong."""


def _key_length() -> PydanticCustomError:
    message = texts.KEY_LENGTH.format(min=passwords.MIN_CHARS, max=passwords.MAX_CHARS)
    return PydanticCustomError("key_length", message)


def _acceptable_length(password: str) -> str:
    normalised = passwords.normalise(password)
    if len(password) < passwords.MIN_CHARS or not passwords.MIN_CHARS <= len(normalised) <= passwords.MAX_CHARS:
        raise _key_length()
    return normalised


ClaveNueva = Annotated[
    str,
    Text(max_chars=passwords.MAX_CODE_POINTS),
    AfterValidator(_acceptable_length),
    BeforeValidator(AtMost(passwords.MAX_CODE_POINTS, _key_length)),
    Field(json_schema_extra={"minLength": passwords.MIN_CHARS}),
]
"""A password that a person chooses (core/passwords.py)."""


def _encodable(value: object) -> object:
    """Halves of surrogate pairs, which JSON can spell, as question marks."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


RefreshToken = Annotated[str, BeforeValidator(_encodable), BeforeValidator(CutTo(MAX_TOKEN_CHARS + 1))]
"""Whatever text it is, it is ours or not."""


KnownEmail = Annotated[str, Text(max_chars=MAX_STORED_EMAIL_CHARS), AfterValidator(canonical)]
"""An address that is compared as it is: a malformed one is just an unknown one."""


class UsuarioLogin(Request):
    """An address and its key."""

    email: KnownEmail
    clave: Clave
    codigo: OptionalCodigo = Field(
        default=None, description="De la aplicación o de recuperación; null, vacío o ausente sin segundo factor."
    )
    renueva_tokens: RenuevaTokens = False


class CorreoRequest(Request):
    """An address to mail something to."""

    email: Email


class ClaveRestablecerRequest(Request):
    """A new key, with the token of a mailed link, and what a login takes besides."""

    token: Annotated[str, Text(max_chars=MAX_LINK_TOKEN_CHARS)]
    clave_nueva: ClaveNueva
    codigo: OptionalCodigo = Field(
        default=None, description="De la aplicación o de recuperación; null, vacío o ausente sin segundo factor."
    )
    renueva_tokens: RenuevaTokens = False


class ClaveCambiarRequest(Request):
    """A new key, with the current one."""

    clave_actual: Clave
    clave_nueva: ClaveNueva


class ClaveConfirmarRequest(Request):
    """The key once more, before something that cannot be undone."""

    clave: Clave


class TokenRenovarRequest(Request):
    """A refresh token, which is used up."""

    refresh_token: RefreshToken


class InicioSesionResponse(Response):
    """An open login. The address is truncated; ``actual`` marks the one this request was sent with."""

    id: int
    fecha_creacion: datetime = Field(description="Cuándo se entró.")
    ultimo_uso: datetime
    vence: datetime
    direccion: str | None
    agente: str | None
    actual: bool


class EventoResponse(Response):
    """Something that happened to the account."""

    id: int
    # Not the type itself: another release may have written one that this one does not know.
    tipo: Annotated[str, Field(json_schema_extra={"enum": [event.value for event in SecurityEvent]})]
    direccion: str | None
    fecha_creacion: datetime = Field(description="Cuándo pasó.")


class MensajeResponse(Response):
    """Something to tell the person."""

    mensaje: str


class LoginResponse(Response):
    """Tokens: one for the ``Authorization: Bearer`` header (``expires_in`` seconds), one to get the next two."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of the scheme
    expires_in: int
    refresh_token: str
    debe_cambiar_clave: Annotated[bool, Field(description="La clave es temporal o la conoce alguien más.")]
    user_name: Annotated[str, Field(description="La parte del correo anterior a la arroba.")]


class ClaveRestablecidaResponse(Response):
    """That the key is set, and the tokens of a login; they are null where a code of the second factor is missing."""

    mensaje: str
    segundo_factor_requerido: bool
    access_token: str | None = Field(
        default=None, description="Para los pedidos; null si falta el segundo factor, como los que siguen."
    )
    token_type: str | None = Field(default=None, description="Siempre `Bearer`; null sin sesión.")
    expires_in: int | None = Field(default=None, description="Segundos que dura el token de acceso; null sin sesión.")
    refresh_token: str | None = Field(default=None, description="Para `POST /user/token/refresh`; null sin sesión.")
    debe_cambiar_clave: bool | None = Field(default=None, description="Siempre `false`; null sin sesión.")
    user_name: str | None = Field(
        default=None, description="La parte del correo anterior a la arroba; null sin sesión."
    )


class _PerfilResponse(Response):
    """The investor profile."""

    id: int
    email: str
    fecha_nacimiento: date | None
    nivel_educativo_id: int | None
    conocimiento_alt_inversion_id: int
    experiencia_invirtiendo_id: int
    porcentaje_ahorro_mensual_id: int
    porcentaje_ahorro_invertir_id: int
    tiempo_mantener_inversion_id: int
    busca_invertir_en_id: int
    proporcion_inversion_mantener_id: int
    fecha_creacion: datetime
    fecha_actualizacion: datetime


class RegistroResponse(_PerfilResponse):
    """The sign-up form as it was taken; the same for an address that has an account, whose profile it is not."""

    id: int = Field(description="El de la cuenta; de ninguna cuenta si el correo ya tenía una.")
    fecha_creacion: datetime = Field(description="Cuándo se la pidió.")
    fecha_actualizacion: datetime = Field(description="Cuándo se la pidió.")
    mensaje: str


class UsuarioResponse(_PerfilResponse):
    """The investor profile as the person gave it."""

    fecha_creacion: datetime = Field(description="Cuándo se creó la cuenta.")
    debe_cambiar_clave: bool
    email_verificado: datetime | None
