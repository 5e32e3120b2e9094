"""Signing up, signing in, the investor profile."""

from __future__ import annotations

from fastapi import APIRouter, status

from maverik_backend.models import Usuario
from maverik_backend.routers import responses
from maverik_backend.schemas.user import (
    LoginResponse,
    MensajeResponse,
    UsuarioActualizarRequest,
    UsuarioCrearRequest,
    UsuarioLogin,
    UsuarioResponse,
)
from maverik_backend.services import auth
from maverik_backend.services import user as users
from maverik_backend.texts import messages
from maverik_backend.web.dependencies import App, CurrentCatalogs, CurrentUser, DbSession

router = APIRouter(prefix="/user", tags=["usuario"], responses=responses.UNAVAILABLE)


@router.post(
    "/signup",
    status_code=status.HTTP_201_CREATED,
    summary="Crear una cuenta; la clave temporal llega por correo",
    responses=responses.INVALID,
)
def sign_up(body: UsuarioCrearRequest, app: App, session: DbSession, catalogs: CurrentCatalogs) -> MensajeResponse:
    users.sign_up(
        session,
        data=body,
        catalogs=catalogs,
        hasher=app.hasher,
        keyring=app.keyring,
        frontend_url=app.settings.frontend.main_url,
    )
    return MensajeResponse(mensaje=messages.SIGNED_UP)


@router.post(
    "/login", summary="Obtener un token de acceso", responses={**responses.WRONG_CREDENTIALS, **responses.INVALID}
)
def log_in(body: UsuarioLogin, app: App) -> LoginResponse:
    login = auth.log_in(
        app.database.transaction, email=body.email, password=body.clave, hasher=app.hasher, tokens=app.tokens
    )
    return LoginResponse(
        access_token=login.access_token.token,
        expires_in=login.access_token.expires_in_s,
        user_name=login.user_name,
    )


@router.get("/me", summary="Ver el perfil propio", responses=responses.SIGNED_IN, response_model=UsuarioResponse)
def get_me(user: CurrentUser) -> Usuario:
    return user


@router.patch(
    "/me",
    summary="Cambiar el perfil propio",
    responses={**responses.SIGNED_IN, **responses.INVALID},
    response_model=UsuarioResponse,
)
def update_me(
    body: UsuarioActualizarRequest, user: CurrentUser, session: DbSession, catalogs: CurrentCatalogs
) -> Usuario:
    return users.update(session, user=user, changes=body, catalogs=catalogs)
