"""Signing up, the investor profile, and what is held about a person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, status

from maverik_backend import errors
from maverik_backend.routers import responses
from maverik_backend.routers.copilot import shapes
from maverik_backend.schemas.base import MAX_BIGINT, SHORT_NUMBER
from maverik_backend.schemas.user import (
    ClaveConfirmarRequest,
    EventoResponse,
    RegistroResponse,
    UsuarioActualizarRequest,
    UsuarioCrearRequest,
    UsuarioResponse,
)
from maverik_backend.services import accounts
from maverik_backend.services.accounts import InvestorProfile
from maverik_backend.texts import messages
from maverik_backend.web.dependencies import (
    App,
    CurrentCatalogs,
    CurrentClaims,
    CurrentClientInfo,
    CurrentUser,
    DbTransaction,
    DetachedLogin,
    WritingUser,
)
from maverik_backend.web.openapi import operation_id
from maverik_backend.web.streaming import JsonStream

router = APIRouter(prefix="/user", tags=["usuario"], generate_unique_id_function=operation_id)

Limit = Annotated[int, Query(ge=1, le=100, description="Cuántos, como máximo."), SHORT_NUMBER]
Before = Annotated[
    int | None, Query(ge=1, le=MAX_BIGINT, description="El `id` más bajo de la página anterior."), SHORT_NUMBER
]


@router.post(
    "/signup",
    status_code=status.HTTP_201_CREATED,
    summary="Crear una cuenta; la clave temporal llega por correo",
    description="Contesta lo mismo cuando el correo ya tiene una cuenta: entonces el correo que llega lo dice.",
    responses=responses.of(*responses.HASHING),
)
def sign_up(
    body: UsuarioCrearRequest, app: App, catalogs: CurrentCatalogs, client_info: CurrentClientInfo
) -> RegistroResponse:
    taken = accounts.sign_up(
        app.database.transaction,
        email=body.email,
        profile=InvestorProfile(**body.model_dump(exclude={"email"})),
        catalogs=catalogs,
        passwords=app.passwords,
        throttle=app.throttle,
        client_info=client_info,
    )
    return RegistroResponse(
        **body.model_dump(),
        id=taken.user_id,
        fecha_creacion=taken.created,
        fecha_actualizacion=taken.created,
        mensaje=messages.SIGNED_UP,
    )


@router.get(
    "/me",
    summary="Ver el perfil propio",
    description="Lo que la persona contó de sí misma.",
)
def get_me(user: CurrentUser) -> UsuarioResponse:
    return shapes.account_response(user)


@router.patch(
    "/me",
    summary="Cambiar el perfil propio",
    description="Cambia los datos que se mandan y deja los demás como están.",
)
def update_me(
    body: UsuarioActualizarRequest, user: WritingUser, db: DbTransaction, catalogs: CurrentCatalogs
) -> UsuarioResponse:
    changes = body.model_dump(include=body.model_fields_set)
    return shapes.account_response(accounts.update_profile(db, account=user, changes=changes, catalogs=catalogs))


@router.delete(
    "/me",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Borrar la cuenta con todo lo dicho en ella",
    description="Pide la clave otra vez, porque no se puede deshacer.",
    responses=responses.of(*responses.HASHING),
)
def delete_me(body: ClaveConfirmarRequest, signed_in: DetachedLogin, app: App, client_info: CurrentClientInfo) -> None:
    accounts.delete_account(
        app.database.transaction,
        signed_in=signed_in,
        password=body.clave,
        passwords=app.passwords,
        keyring=app.keyring,
        client_info=client_info,
    )


@router.get(
    "/me/export",
    summary="Todo lo que se guarda sobre mí",
    description=(
        "Cada tabla con los datos de la persona, tal como están guardados. Nunca incluye claves. Lo que "
        "había al empezar, a medida que se lee; si algo falla en el camino, la respuesta se corta. De a una "
        "por vez y cinco por hora."
    ),
    response_model=dict[str, list[dict[str, Any]]],
    responses=responses.of(errors.Overloaded, errors.TooManyAtOnce),
)
def export_me(claims: CurrentClaims, app: App, client_info: CurrentClientInfo) -> JsonStream:
    return JsonStream(app.exports.stream(claims=claims, client_info=client_info))


@router.get(
    "/me/events",
    summary="Qué pasó con mi cuenta, de lo más nuevo a lo más viejo",
    description="Entradas, cambios de clave y otros hechos de seguridad de la cuenta.",
)
def get_my_events(
    user: CurrentUser, db: DbTransaction, limit: Limit = 50, before: Before = None
) -> list[EventoResponse]:
    events = accounts.get_events(db, user_id=user.id, limit=limit, before=before)
    return [shapes.event_response(event) for event in events]
