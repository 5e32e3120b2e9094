"""Signing in and out, tokens, logins, passwords."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, status

from maverik_backend import errors
from maverik_backend.routers import responses
from maverik_backend.routers.copilot import shapes
from maverik_backend.schemas.base import MAX_BIGINT, SHORT_NUMBER, Id
from maverik_backend.schemas.user import (
    ClaveCambiarRequest,
    ClaveRestablecerRequest,
    ClaveRestablecidaResponse,
    CorreoRequest,
    InicioSesionResponse,
    LoginResponse,
    MensajeResponse,
    TokenRenovarRequest,
    UsuarioLogin,
)
from maverik_backend.services import accounts
from maverik_backend.services.accounts import Credentials, Reset
from maverik_backend.texts import messages
from maverik_backend.web.dependencies import (
    App,
    CurrentClientInfo,
    CurrentLogin,
    DbTransaction,
    DetachedLogin,
    WritingLogin,
    WritingUser,
)
from maverik_backend.web.openapi import operation_id

router = APIRouter(prefix="/user", tags=["acceso"], generate_unique_id_function=operation_id)

MAX_LOGINS = 100

Limit = Annotated[int, Query(ge=1, le=MAX_LOGINS, description="Cuántas, como máximo."), SHORT_NUMBER]
Before = Annotated[
    int | None, Query(ge=1, le=MAX_BIGINT, description="El `id` más bajo de la página anterior."), SHORT_NUMBER
]


@router.post(
    "/login",
    summary="Entrar con correo y clave",
    description=(
        "Un correo desconocido y una clave equivocada son el mismo error. Las cuentas con segundo factor "
        "piden además `codigo`: eso se dice sólo cuando la clave es la correcta."
    ),
    responses=responses.of(
        errors.WrongCredentials, errors.SecondFactorRequired, errors.WrongSecondFactor, *responses.HASHING
    ),
)
def log_in(body: UsuarioLogin, app: App, client_info: CurrentClientInfo) -> LoginResponse:
    credentials = Credentials(email=body.email, password=body.clave, code=body.codigo)
    with app.metrics.login():
        login = app.authenticator.log_in(credentials, client_info=client_info, renews_tokens=body.renueva_tokens)
    return shapes.tokens_response(login)


@router.post(
    "/token/refresh",
    summary="Cambiar un token de renovación por tokens nuevos",
    description=(
        "Cada token de renovación sirve una sola vez; usarlo de nuevo cierra la sesión. Si la respuesta se "
        "perdió, se puede repetir una vez dentro de los 10 segundos."
    ),
    responses=responses.of(errors.NotAuthenticated),
)
def refresh_token(body: TokenRenovarRequest, app: App, client_info: CurrentClientInfo) -> LoginResponse:
    return shapes.tokens_response(app.authenticator.refresh(refresh_token=body.refresh_token, client_info=client_info))


@router.post(
    "/logout",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Cerrar esta sesión",
    description="Deja sin efecto los tokens con los que se mandó este pedido.",
)
def log_out(signed_in: WritingLogin, db: DbTransaction, client_info: CurrentClientInfo) -> None:
    accounts.log_out(db, signed_in=signed_in, client_info=client_info)


@router.get(
    "/logins",
    summary="Dónde tengo sesiones abiertas",
    description="Las sesiones abiertas, de la más nueva a la más vieja, de a páginas.",
)
def get_logins(
    signed_in: CurrentLogin, db: DbTransaction, limit: Limit = MAX_LOGINS, before: Before = None
) -> list[InicioSesionResponse]:
    return [
        shapes.login_response(login, is_current=login.id == signed_in.login_id)
        for login in accounts.get_logins(db, user_id=signed_in.account.id, limit=limit, before=before)
    ]


@router.delete(
    "/logins/{login_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Cerrar una de mis sesiones",
    description="Deja sin efecto los tokens de esa sesión.",
)
def end_login(login_id: Id, user: WritingUser, db: DbTransaction, client_info: CurrentClientInfo) -> None:
    accounts.end_login(db, user_id=user.id, login_id=login_id, client_info=client_info)


@router.post(
    "/password/forgot",
    summary="Pedir un enlace para elegir otra clave",
    description="Contesta lo mismo tenga o no una cuenta ese correo.",
)
def forgot_password(body: CorreoRequest, app: App, client_info: CurrentClientInfo) -> MensajeResponse:
    app.passwords.request_reset(email=body.email, client_info=client_info)
    return MensajeResponse(mensaje=messages.MAIL_ON_ITS_WAY)


@router.post(
    "/password/reset",
    summary="Elegir otra clave con un enlace recibido por correo",
    description=(
        "El enlace sirve una sola vez. Cierra todas las sesiones abiertas y abre una nueva; si la cuenta "
        "tiene segundo factor, sólo con `codigo`: sin él la clave cambia igual y los tokens son null."
    ),
    responses=responses.of(*responses.HASHING),
)
def reset_password(
    body: ClaveRestablecerRequest, app: App, client_info: CurrentClientInfo
) -> ClaveRestablecidaResponse:
    reset = Reset(token=body.token, new_password=body.clave_nueva, code=body.codigo, renews_tokens=body.renueva_tokens)
    done = app.passwords.reset(reset, client_info=client_info)
    tokens = shapes.tokens_response(done.login).model_dump() if done.login else {}
    return ClaveRestablecidaResponse(
        mensaje=messages.KEY_CHANGED, segundo_factor_requerido=done.login is None and done.needs_code, **tokens
    )


@router.put(
    "/password",
    summary="Elegir otra clave sabiendo la actual",
    description="Cierra las demás sesiones abiertas; ésta sigue.",
    responses=responses.of(*responses.HASHING),
)
def change_password(
    body: ClaveCambiarRequest, signed_in: DetachedLogin, app: App, client_info: CurrentClientInfo
) -> MensajeResponse:
    app.passwords.change(
        signed_in=signed_in, current=body.clave_actual, new_password=body.clave_nueva, client_info=client_info
    )
    return MensajeResponse(mensaje=messages.KEY_CHANGED)


@router.post(
    "/email/resend",
    summary="Pedir otra vez la clave temporal",
    description="Contesta lo mismo tenga o no una cuenta ese correo.",
    responses=responses.of(*responses.HASHING),
)
def resend_key(body: CorreoRequest, app: App, client_info: CurrentClientInfo) -> MensajeResponse:
    app.passwords.resend(email=body.email, client_info=client_info)
    return MensajeResponse(mensaje=messages.MAIL_ON_ITS_WAY)
