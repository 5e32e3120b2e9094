"""The turns of a session."""

from __future__ import annotations

from fastapi import APIRouter

from maverik_backend.routers import responses
from maverik_backend.schemas.base import Id
from maverik_backend.schemas.session import TurnoCrearRequest, TurnoResponse
from maverik_backend.web.dependencies import App, CurrentUser, DbSession, DetachedLogin

router = APIRouter(
    prefix="/copilot/sessions", tags=["conversación"], responses={**responses.SIGNED_IN, **responses.NOT_FOUND}
)


@router.post("/{session_id}", summary="Decir algo y recibir la respuesta", responses=responses.INVALID)
def create_turn(session_id: Id, body: TurnoCrearRequest, signed_in: DetachedLogin, app: App) -> TurnoResponse:
    return app.chat.answer(user_id=signed_in.user.id, session_id=session_id, text=body.input)


@router.get("/{session_id}", summary="Todo lo dicho, de lo más viejo a lo más nuevo")
def get_history(session_id: Id, user: CurrentUser, session: DbSession, app: App) -> list[TurnoResponse]:
    return app.chat.get_history(session, user_id=user.id, session_id=session_id)
