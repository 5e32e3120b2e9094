"""The turns of an advisory session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response, status

from maverik_backend import errors
from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.tokens import AccessClaims
from maverik_backend.routers import responses
from maverik_backend.routers.copilot import shapes
from maverik_backend.routers.copilot.direct import KeyText, direct_route
from maverik_backend.schemas.base import MAX_BIGINT, SHORT_NUMBER, Id
from maverik_backend.schemas.session import TurnoCrearRequest, TurnoResponse
from maverik_backend.services import sessions, turns
from maverik_backend.services.sessions import AdvisorySessions
from maverik_backend.services.turns import Streamed, TurnRequest
from maverik_backend.web.client_info import client_info_of
from maverik_backend.web.dependencies import (
    App,
    CurrentClaims,
    CurrentClientInfo,
    CurrentUser,
    DbTransaction,
    HistoryReader,
    WritingUser,
)
from maverik_backend.web.event_streams import (
    EventStreamResponse,
    WantsEvents,
    describe_stream,
    ui_message_stream,
    wants_events,
)
from maverik_backend.web.links import link_to
from maverik_backend.web.openapi import headers_of, operation_id
from maverik_backend.web.resources import Resources

router = APIRouter(prefix="/copilot/sessions", tags=["conversación"], generate_unique_id_function=operation_id)

MAX_PAGE = 200
# Frontends in production send no ``limit`` and show what they get as the whole conversation.
DEFAULT_PAGE = 500
_REPLAYED = "Idempotency-Replayed"
_WHEN_TOO_MANY_RUN = (errors.Overloaded, errors.TooManyAtOnce, errors.AddressBusy, errors.QuotaUsedUp)

IdempotencyKey = Annotated[
    KeyText | None,
    Header(
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


def _request_of(
    claims: AccessClaims,
    client_info: ClientInfo,
    app: Resources,
    **what: Any,  # noqa: ANN401 - fields of the result
) -> TurnRequest:
    """What the turn engine is asked, by the person who sends this request."""
    return TurnRequest(
        adapter=AdvisorySessions(app.advice, claims),
        principal=claims.principal,
        network=client_info.limit_address,
        **what,
    )


async def _author(claims: CurrentClaims, client_info: CurrentClientInfo, app: App) -> Callable[..., TurnRequest]:
    return partial(_request_of, claims, client_info, app)


Author = Annotated[Callable[..., TurnRequest], Depends(_author)]


def create_turn(
    session_id: Id,
    body: TurnoCrearRequest,
    author: Author,
    wants_events: WantsEvents,
    app: App,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    request = author(conversation_id=session_id, text=body.input, idempotency_key=idempotency_key)
    return _answered(request, app, wants_events=wants_events)


def _answer_directly(
    request: Request, app: Resources, claims: AccessClaims, session_id: int, text: str | None, key: str | None
) -> Response:
    client_info = client_info_of(request, trusted_proxy_count=app.settings.security.trusted_proxy_count)
    turn = _request_of(claims, client_info, app, conversation_id=session_id, text=text, idempotency_key=key)
    return _answered(turn, app, wants_events=wants_events(request))


router.add_api_route(
    "/{session_id}",
    create_turn,
    methods=["POST"],
    route_class_override=direct_route(_answer_directly),
    summary="Decir algo y recibir la respuesta",
    description=(
        "Contesta cuando la respuesta está, a más tardar en un minuto. Si el servicio de asesoramiento no "
        "contestó, `estado` es `respaldo`. Con `Idempotency-Key` se puede repetir sin que se diga dos veces."
    ),
    response_model=TurnoResponse,
    responses={
        status.HTTP_200_OK: {"headers": headers_of(_REPLAYED), "content": describe_stream()},
        **responses.of(errors.TurnInProgress, errors.IdempotencyKeyReused, *_WHEN_TOO_MANY_RUN),
    },
)


@router.get(
    "/{session_id}",
    summary="Lo dicho, de lo más viejo a lo más nuevo",
    description=(
        "Sin `limit`, los últimos 500 mensajes. Una página trae menos cuando sus textos pasan de 2 MiB. Si "
        "hay mensajes más viejos, `Link` lleva a la página anterior."
    ),
    responses={status.HTTP_200_OK: {"headers": headers_of("Link")}},
)
def get_history(
    session_id: Id,
    user: HistoryReader,
    db: DbTransaction,
    response: Response,
    limit: Limit = None,
    before: Before = None,
) -> list[TurnoResponse]:
    sessions.get_or_raise(db, user_id=user.id, session_id=session_id)
    page, has_older = turns.get_page(db, conversation_id=session_id, limit=limit or DEFAULT_PAGE, before=before)
    if has_older:
        response.headers["Link"] = link_to("prev", limit=limit, before=page[0].id)
    return [shapes.turn_response(turn) for turn in page]


@router.get(
    "/{session_id}/stream",
    summary="Seguir la respuesta que se está preparando, desde su comienzo",
    description=(
        "Para retomar después de un corte, en cualquier réplica: llega todo desde el comienzo, y después lo "
        "que falta. No hace falta para que la respuesta se termine y quede guardada."
    ),
    response_class=Response,
    responses={
        status.HTTP_200_OK: {"content": describe_stream()},
        status.HTTP_204_NO_CONTENT: {"description": "No se está preparando ninguna."},
    },
)
def follow_turn(session_id: Id, user: CurrentUser, db: DbTransaction, app: App) -> Response:
    sessions.get_or_raise(db, user_id=user.id, session_id=session_id)
    streamed = app.turns.follow(db, conversation_id=session_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT) if streamed is None else _events(streamed)


@router.get(
    "/{session_id}/turns/{turn_id}",
    summary="Un mensaje con su respuesta",
    description="Sirve para buscar una respuesta que no llegó.",
)
def get_turn(session_id: Id, turn_id: Id, user: CurrentUser, db: DbTransaction, app: App) -> TurnoResponse:
    sessions.get_or_raise(db, user_id=user.id, session_id=session_id)
    return shapes.turn_response(app.turns.get(db, conversation_id=session_id, turn_id=turn_id))


@router.post(
    "/{session_id}/turns/{turn_id}/stop",
    summary="Detener la respuesta que se está preparando",
    description=(
        "Lo que ya se generó queda como respuesta, con estado `detenida`. Puede tardar un instante: "
        "mientras, el estado sigue `pendiente`. Un mensaje que ya tiene su respuesta vuelve como está."
    ),
)
def stop_turn(session_id: Id, turn_id: Id, user: WritingUser, db: DbTransaction, app: App) -> TurnoResponse:
    sessions.get_or_raise(db, user_id=user.id, session_id=session_id)
    return shapes.turn_response(app.turns.stop(db, conversation_id=session_id, turn_id=turn_id))


@router.post(
    "/{session_id}/turns/{turn_id}/retry",
    summary="Pedir otra vez la respuesta que quedó sin terminar o fue de respaldo",
    description="La respuesta nueva queda en el lugar de la anterior.",
    response_model=TurnoResponse,
    responses={
        status.HTTP_200_OK: {"content": describe_stream()},
        **responses.of(errors.TurnInProgress, errors.NothingToRetry, *_WHEN_TOO_MANY_RUN),
    },
)
def retry_turn(session_id: Id, turn_id: Id, author: Author, wants_events: WantsEvents, app: App) -> Response:
    request = author(conversation_id=session_id, retried_turn_id=turn_id)
    return _answered(request, app, wants_events=wants_events)


def _answered(request: TurnRequest, app: App, *, wants_events: bool) -> Response:
    """The turn once it has its answer, or its events as they come.

    Serialised here, in the thread that waited: FastAPI would change threads again for it.
    """
    if wants_events:
        return _events(app.turns.stream(request))
    answered = app.turns.answer(request)
    body = shapes.turn_response(answered.turn).model_dump_json()
    headers = {_REPLAYED: "true"} if answered.is_replay else {}
    return Response(body, headers=headers, media_type="application/json")


def _events(streamed: Streamed) -> EventStreamResponse:
    return ui_message_stream.respond(
        streamed.log,
        message_id=str(streamed.turn_id),
        describe=lambda finished: shapes.turn_response(finished.turn).model_dump(mode="json"),
        headers={_REPLAYED: "true"} if streamed.is_replay else {},
    )
