"""Advisory sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, status

from maverik_backend import errors
from maverik_backend.routers import responses
from maverik_backend.schemas.base import MAX_BIGINT, SHORT_NUMBER, Id
from maverik_backend.schemas.session import SesionCrearRequest, SesionesResponse, SesionRenombrarRequest, SesionResponse
from maverik_backend.services.sessions import session as sessions
from maverik_backend.web.dependencies import (
    App,
    CurrentCatalogs,
    CurrentUser,
    DbSession,
    WritingUser,
    count_opened_session,
)

router = APIRouter(prefix="/copilot/sessions", tags=["sesiones"])

MAX_PAGE = 100

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Cuántas sesiones, como máximo."), SHORT_NUMBER]
Before = Annotated[
    int | None, Query(ge=1, le=MAX_BIGINT, description="El `siguiente` de la página anterior."), SHORT_NUMBER
]


# 200 and not 201: it is what the frontends in production have always been answered.
@router.post(
    "",
    summary="Abrir una sesión de asesoría",
    dependencies=[Depends(count_opened_session)],
    responses=responses.of(errors.TooManySessions),
)
def create_session(
    body: SesionCrearRequest, user: WritingUser, session: DbSession, catalogs: CurrentCatalogs, app: App
) -> SesionResponse:
    max_sessions = app.settings.advice.max_sessions_per_person
    row = sessions.create(session, user_id=user.id, data=body, catalogs=catalogs, max_sessions=max_sessions)
    return sessions.describe(row, catalogs)


@router.get("", summary="Mis sesiones, de la más nueva a la más vieja")
def get_sessions(
    user: CurrentUser, session: DbSession, catalogs: CurrentCatalogs, limit: Limit = 20, before: Before = None
) -> SesionesResponse:
    page, next_before = sessions.get_page(session, user_id=user.id, limit=limit, before=before)
    return SesionesResponse(sesiones=[sessions.describe(row, catalogs) for row in page], siguiente=next_before)


@router.get("/{session_id}/info", summary="Los datos de una sesión")
def get_session_info(
    session_id: Id, user: CurrentUser, session: DbSession, catalogs: CurrentCatalogs
) -> SesionResponse:
    return sessions.describe(sessions.get_or_raise(session, user_id=user.id, session_id=session_id), catalogs)


@router.patch("/{session_id}", summary="Cambiar el nombre")
def rename_session(
    session_id: Id, body: SesionRenombrarRequest, user: WritingUser, session: DbSession, catalogs: CurrentCatalogs
) -> SesionResponse:
    row = sessions.rename(session, user_id=user.id, session_id=session_id, title=body.titulo_chat)
    return sessions.describe(row, catalogs)


@router.delete(
    "/{session_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Borrar una sesión con todo lo dicho en ella",
)
def delete_session(session_id: Id, user: WritingUser, session: DbSession) -> None:
    sessions.delete(session, user_id=user.id, session_id=session_id)
