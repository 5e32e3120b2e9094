"""The turns of a session."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status

from maverik_backend import errors
from maverik_backend.routers import responses
from maverik_backend.schemas.base import MAX_BIGINT, SHORT_NUMBER, Id
from maverik_backend.schemas.session import TurnoCrearRequest, TurnoResponse
from maverik_backend.services.turns.idempotency import MAX_KEY_CHARS
from maverik_backend.web.dependencies import (
    App,
    CurrentClaims,
    CurrentClientInfo,
    CurrentUser,
    DbSession,
    HistoryReader,
)
from maverik_backend.web.links import link_to
from maverik_backend.web.openapi import headers_of

router = APIRouter(prefix="/copilot/sessions", tags=["conversación"])

MAX_PAGE = 200
# Frontends in production send no ``limit`` and show what they get as the whole conversation.
DEFAULT_PAGE = 500
_WHEN_TOO_MANY_ARE_UNDER_WAY = (errors.Overloaded, errors.TooManyAtOnce, errors.AddressBusy)

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=MAX_KEY_CHARS,
        pattern=r"^[\x21-\x7e]+$",
        description="Una clave propia del pedido: repetirlo con la misma devuelve la misma respuesta durante 24 horas.",
    ),
]
Limit = Annotated[
    int | None,
    Query(ge=1, le=MAX_PAGE, description=f"Cuántos, como máximo; sin `limit`, los últimos {DEFAULT_PAGE}."),
    SHORT_NUMBER,
]
Before = Annotated[
    int | None, Query(ge=1, le=MAX_BIGINT, description="El `id` más viejo de la página anterior."), SHORT_NUMBER
]


@router.post(
    "/{session_id}",
    summary="Decir algo y recibir la respuesta",
    responses={
        status.HTTP_200_OK: {"headers": headers_of("Idempotency-Replayed")},
        **responses.of(errors.TurnInProgress, errors.IdempotencyKeyReused, *_WHEN_TOO_MANY_ARE_UNDER_WAY),
    },
)
def create_turn(
    session_id: Id,
    body: TurnoCrearRequest,
    claims: CurrentClaims,
    client_info: CurrentClientInfo,
    app: App,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> TurnoResponse:
    answered = app.chat.answer(
        claims=claims, client_info=client_info, session_id=session_id, text=body.input, idempotency_key=idempotency_key
    )
    if answered.is_replay:
        response.headers["Idempotency-Replayed"] = "true"
    return answered.turn


@router.get(
    "/{session_id}",
    summary="Lo dicho, de lo más viejo a lo más nuevo",
    responses={status.HTTP_200_OK: {"headers": headers_of("Link")}},
)
def get_history(
    session_id: Id,
    user: HistoryReader,
    session: DbSession,
    app: App,
    response: Response,
    limit: Limit = None,
    before: Before = None,
) -> list[TurnoResponse]:
    page, has_older = app.chat.get_history(
        session, user_id=user.id, session_id=session_id, limit=limit or DEFAULT_PAGE, before=before
    )
    if has_older:
        response.headers["Link"] = link_to("prev", limit=limit, before=page[0].id)
    return page


@router.get("/{session_id}/turns/{turn_id}", summary="Un mensaje con su respuesta")
def get_turn(session_id: Id, turn_id: Id, user: CurrentUser, session: DbSession, app: App) -> TurnoResponse:
    return app.chat.get_turn(session, user_id=user.id, session_id=session_id, turn_id=turn_id)


@router.post(
    "/{session_id}/turns/{turn_id}/retry",
    summary="Pedir otra vez la respuesta que quedó sin terminar o fue de respaldo",
    responses=responses.of(errors.TurnInProgress, errors.NothingToRetry, *_WHEN_TOO_MANY_ARE_UNDER_WAY),
)
def retry_turn(
    session_id: Id, turn_id: Id, claims: CurrentClaims, client_info: CurrentClientInfo, app: App
) -> TurnoResponse:
    return app.chat.retry(claims=claims, client_info=client_info, session_id=session_id, turn_id=turn_id)
