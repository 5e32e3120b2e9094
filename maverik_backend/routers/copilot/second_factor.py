"""The person's own second factor."""

from __future__ import annotations

from fastapi import APIRouter, status

from maverik_backend import errors
from maverik_backend.routers import responses
from maverik_backend.schemas.second_factor import (
    CodigosRecuperacionResponse,
    SegundoFactorAutorizarRequest,
    SegundoFactorConfirmarRequest,
    SegundoFactorIniciadoResponse,
    SegundoFactorResponse,
)
from maverik_backend.schemas.user import ClaveConfirmarRequest
from maverik_backend.services import accounts
from maverik_backend.web.dependencies import App, CurrentClientInfo, CurrentUser, DbTransaction, DetachedLogin
from maverik_backend.web.openapi import operation_id

router = APIRouter(prefix="/user/second-factor", tags=["acceso"], generate_unique_id_function=operation_id)

_INACTIVE = responses.of(errors.SecondFactorInactive)


@router.get(
    "",
    summary="Si mi cuenta tiene segundo factor",
    description="Si está activo, desde cuándo y cuántos códigos de recuperación quedan.",
)
def get_second_factor(user: CurrentUser, db: DbTransaction) -> SegundoFactorResponse:
    factor = accounts.get_second_factor(db, user_id=user.id)
    return SegundoFactorResponse(
        activo=factor.activated is not None,
        activado=factor.activated,
        codigos_restantes=factor.recovery_codes_left,
    )


@router.post(
    "",
    summary="Empezar a activar un segundo factor",
    description="Da un secreto para la aplicación. Nada cambia hasta que se confirma, dentro de la hora.",
    responses=responses.of(errors.SecondFactorActive, *responses.HASHING),
)
def start_second_factor(
    body: ClaveConfirmarRequest, signed_in: DetachedLogin, app: App, client_info: CurrentClientInfo
) -> SegundoFactorIniciadoResponse:
    started = app.enrolments.start(signed_in=signed_in, password=body.clave, client_info=client_info)
    return SegundoFactorIniciadoResponse(secreto=started.secret, uri=started.uri)


@router.post(
    "/confirm",
    summary="Activarlo con el primer código",
    description=(
        "Desde entonces entrar pide un código. Muestra los códigos de recuperación por única vez y cierra "
        "las demás sesiones."
    ),
    responses=_INACTIVE,
)
def confirm_second_factor(
    body: SegundoFactorConfirmarRequest, signed_in: DetachedLogin, app: App, client_info: CurrentClientInfo
) -> CodigosRecuperacionResponse:
    codes = app.enrolments.confirm(signed_in=signed_in, code=body.codigo, client_info=client_info)
    return CodigosRecuperacionResponse(codigos=codes)


@router.post(
    "/recovery-codes",
    summary="Pedir otros códigos de recuperación",
    description="Los muestra por única vez; los anteriores dejan de servir.",
    responses=_INACTIVE | responses.of(*responses.HASHING),
)
def renew_recovery_codes(
    body: SegundoFactorAutorizarRequest, signed_in: DetachedLogin, app: App, client_info: CurrentClientInfo
) -> CodigosRecuperacionResponse:
    codes = app.enrolments.renew_recovery_codes(
        signed_in=signed_in, password=body.clave, code=body.codigo, client_info=client_info
    )
    return CodigosRecuperacionResponse(codigos=codes)


@router.delete(
    "",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Quitar el segundo factor",
    description="Pide la clave y un código, de la aplicación o de recuperación. Cierra las demás sesiones.",
    responses=_INACTIVE | responses.of(*responses.HASHING),
)
def remove_second_factor(
    body: SegundoFactorAutorizarRequest, signed_in: DetachedLogin, app: App, client_info: CurrentClientInfo
) -> None:
    app.enrolments.remove(signed_in=signed_in, password=body.clave, code=body.codigo, client_info=client_info)
