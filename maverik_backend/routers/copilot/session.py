"""Advisory sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, status

from maverik_backend import errors
from maverik_backend.routers import responses
from maverik_backend.routers.copilot import shapes
from maverik_backend.schemas.base import MAX_BIGINT, SHORT_NUMBER, Id
from maverik_backend.schemas.session import SesionCrearRequest, SesionesResponse, SesionRenombrarRequest, SesionResponse
from maverik_backend.services import sessions
from maverik_backend.services.sessions import SessionFacts
from maverik_backend.web.dependencies import (
    App,
    CurrentCatalogs,
    CurrentUser,
    DbTransaction,
    WritingUser,
    count_opened_session,
)
from maverik_backend.web.openapi import operation_id

router = APIRouter(prefix="/copilot/sessions", tags=["sesiones"], generate_unique_id_function=operation_id)

MAX_PAGE = 100

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Cuántas sesiones, como máximo."), SHORT_NUMBER]
Before = Annotated[
    int | None, Query(ge=1, le=MAX_BIGINT, description="El `siguiente` de la página anterior."), SHORT_NUMBER
]


# 200 and not 201: it is what the frontends in production have always been answered.
@router.post(
    "",
    summary="Abrir una sesión de asesoría",
    description=(
        "El propósito 2 exige un objetivo; los demás datos se pueden dejar en null. Hay un máximo de "
        "sesiones por persona y de sesiones nuevas por hora."
    ),
    dependencies=[Depends(count_opened_session)],
    responses=responses.of(errors.TooManySessions),
)
def create_session(
    body: SesionCrearRequest, user: WritingUser, db: DbTransaction, catalogs: CurrentCatalogs, app: App
) -> SesionResponse:
    max_sessions = app.settings.advice.max_sessions_per_person
    facts = SessionFacts(**body.model_dump())
    opened = sessions.create(db, user_id=user.id, facts=facts, catalogs=catalogs, max_sessions=max_sessions)
    return shapes.session_response(opened, catalogs)


@router.get(
    "",
    summary="Mis sesiones, de la más nueva a la más vieja",
    description="De a páginas: el `siguiente` de una es el `before` de la que sigue.",
)
def get_sessions(
    user: CurrentUser, db: DbTransaction, catalogs: CurrentCatalogs, limit: Limit = 20, before: Before = None
) -> SesionesResponse:
    page, next_before = sessions.get_page(db, user_id=user.id, limit=limit, before=before)
    described = [shapes.session_response(session, catalogs) for session in page]
    return SesionesResponse(sesiones=described, siguiente=next_before)


@router.get(
    "/{session_id}/info",
    summary="Los datos de una sesión",
    description="Los datos con los que se abrió y el nombre que tiene ahora.",
)
def get_session_info(session_id: Id, user: CurrentUser, db: DbTransaction, catalogs: CurrentCatalogs) -> SesionResponse:
    return shapes.session_response(sessions.get_or_raise(db, user_id=user.id, session_id=session_id), catalogs)


@router.patch(
    "/{session_id}", summary="Cambiar el nombre", description="Sin caracteres de control ni otros que no se ven."
)
def rename_session(
    session_id: Id, body: SesionRenombrarRequest, user: WritingUser, db: DbTransaction, catalogs: CurrentCatalogs
) -> SesionResponse:
    renamed = sessions.rename(db, user_id=user.id, session_id=session_id, title=body.titulo_chat)
    return shapes.session_response(renamed, catalogs)


@router.delete(
    "/{session_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Borrar una sesión con todo lo dicho en ella",
    description="No se puede deshacer.",
)
def delete_session(session_id: Id, user: WritingUser, db: DbTransaction) -> None:
    sessions.remove(db, user_id=user.id, session_id=session_id)
