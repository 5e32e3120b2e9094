"""SQL of turns: putting them on record with a lease, reading them, writing how they ended.

========================  =============================================================================================
Step                      Round trips. ``BEGIN`` travels with the first statement, ``COMMIT`` mostly with the last one
========================  =============================================================================================
With a key, before        see that the principal may act; look the key up; commit: 3
Transaction one           [with a key: keep the principal;] lock the conversation with what an answer depends on; [look
                          the key up;] add the turn unless another one is under way, and read what was said; [note the
                          key; commit]: 2, with a key 6
Transaction two           [note the conversation's first answer; commit;] write the answer: 1, on first answers 3
========================  =============================================================================================

A turn's own time goes into these, so each statement is built once, over tables rather than entities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Connection,
    Interval,
    Select,
    Table,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    literal_column,
    select,
    true,
    type_coerce,
    update,
)

from maverik_backend.core import markdown, plain_text
from maverik_backend.errors import NotFound, NothingToRetry, TurnInProgress
from maverik_backend.models import Proceso, SesionAsesoriaDetalle, TurnState
from maverik_backend.services.turns.records import PORTFOLIO, Attempt, History, Outcome, Source, Turn

# A mapped class says only that it has some table.
TURNS, PROCESSES = (cast("Table", model.__table__) for model in (SesionAsesoriaDetalle, Proceso))
_SOURCE_FIELDS = tuple(field.name for field in fields(Source))
RETRYABLE = frozenset({TurnState.FALLBACK, TurnState.INTERRUPTED})
MAX_PAGE_BYTES = 2 * 1024 * 1024
"""The texts of a page of turns in UTF-8, up to the turn that reaches it: 100 pages at once are some 200 MB of texts."""
IS_ALIVE = """(CASE
    WHEN sesion_asesoria_detalle.vence >= sesion_asesoria_detalle.fecha_intento THEN
        sesion_asesoria_detalle.vence > now() OR EXISTS (
            SELECT FROM proceso WHERE proceso.id = sesion_asesoria_detalle.proceso_id AND proceso.vence > now()
        )
    ELSE sesion_asesoria_detalle.fecha_intento > now() - interval '315 seconds'
END)"""
"""SQL: whether a pending turn still runs, by the database's clock, which all processes share.

An attempt of a release without leases has none, or that of an earlier attempt: it counts as running for the longest
that such a release may be configured for, and 15 s to finish.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """How long a turn that is accepted now counts as running before a heartbeat, and of which process."""

    process_id: UUID
    duration: timedelta


_is_alive = literal_column(IS_ALIVE, Boolean)
_STATE = case(
    (
        TURNS.c.estado != TurnState.PENDING.value,
        case((TURNS.c.detenida, TurnState.STOPPED.value), else_=TURNS.c.estado),
    ),
    (func.coalesce(_is_alive, false()), TurnState.PENDING.value),
    else_=TurnState.INTERRUPTED.value,
)
_TURN_COLUMNS = (
    TURNS.c.id,
    TURNS.c.sesion_asesoria_id,
    TURNS.c.intento,
    TURNS.c.texto_usuario,
    TURNS.c.texto_sistema,
    case((TURNS.c.intento_plano == TURNS.c.intento, TURNS.c.texto_plano)).label("texto_plano"),
    _STATE.label("state"),
    TURNS.c.origen,
    TURNS.c.portafolio,
    TURNS.c.fuentes,
    TURNS.c.citas,
    TURNS.c.fecha_creacion,
)
_HAS_PENDING = exists().where(
    TURNS.c.sesion_asesoria_id == bindparam("conversation_id"),
    TURNS.c.estado == TurnState.PENDING.value,
    _is_alive,
)
_HISTORY = (
    select(TURNS.c.id, TURNS.c.texto_usuario, TURNS.c.texto_sistema)
    .where(
        TURNS.c.sesion_asesoria_id == bindparam("conversation_id"),
        TURNS.c.estado == TurnState.COMPLETED.value,
        TURNS.c.texto_sistema != "",  # stopped before the first piece, or empty answers of older releases
    )
    .order_by(TURNS.c.id.desc())
    .limit(bindparam("max_turns"))
)
_HISTORY_BEFORE = _HISTORY.where(TURNS.c.id < bindparam("before"))
_added = (
    insert(TURNS)
    .from_select(
        ["sesion_asesoria_id", "texto_usuario", "proceso_id", "vence"],
        select(
            bindparam("conversation_id", type_=TURNS.c.sesion_asesoria_id.type),
            bindparam("message", type_=TURNS.c.texto_usuario.type),
            bindparam("process_id", type_=Uuid()),
            func.now() + bindparam("lease", type_=Interval()),
        ).where(~_HAS_PENDING),
    )
    .returning(TURNS.c.id)
    .cte("added")
)
_history = _HISTORY.subquery("history")
# One row for each turn before, and one even when there was none.
_ADD = (
    select(_added.c.id, _history.c.texto_usuario, _history.c.texto_sistema)
    .select_from(_added.outerjoin(_history, true()))
    .order_by(_history.c.id)
)
_RETRY = (
    update(TURNS)
    .where(TURNS.c.id == bindparam("turn_id"))
    .values(
        intento=TURNS.c.intento + 1,
        estado=TurnState.PENDING.value,
        texto_sistema=None,
        error=None,
        origen=None,
        fuentes=None,
        citas=None,
        fecha_intento=func.now(),
        proceso_id=bindparam("process_id", type_=Uuid()),
        vence=func.now() + bindparam("lease", type_=Interval()),
        detener=None,
        detenida=False,
    )
    .returning(TURNS.c.intento, TURNS.c.texto_usuario)
)
_ANSWER = (
    update(TURNS)
    .where(TURNS.c.id == bindparam("turn_id"), TURNS.c.intento == bindparam("number"))
    .values(
        texto_sistema=bindparam("text"),
        texto_plano=bindparam("plain_text"),
        intento_plano=TURNS.c.intento,
        estado=bindparam("state"),
        detenida=bindparam("is_stopped"),
        origen=bindparam("origin"),
        error=bindparam("failure"),
        fuentes=bindparam("sources"),
        citas=bindparam("citations"),
        asistente=bindparam("assistant"),
        asistente_version=bindparam("assistant_version"),
        # An attempt that brings none keeps that of the one before.
        portafolio=func.coalesce(bindparam("portfolio", type_=TURNS.c.portafolio.type), TURNS.c.portafolio),
        fecha_respuesta=func.now(),
    )
    .returning(TURNS.c.portafolio, TURNS.c.fecha_creacion)
)


def add(
    db: Connection, *, conversation_id: int, message: str, lease: Lease, max_turns: int
) -> tuple[int, History] | None:
    """Put ``message`` on record as pending, in a conversation that is locked.

    Returns the turn's id, and the last ``max_turns`` answered turns before it; ``None``, and nothing is on record, when
    another turn of the conversation is being answered.
    """
    parameters = {"conversation_id": conversation_id, "message": message, "max_turns": max_turns, **_lease(lease)}
    rows = db.execute(_ADD, parameters).all()
    if not rows:
        return None
    return rows[0].id, [(message, answer) for _, message, answer in rows if answer is not None]


def retry(db: Connection, *, conversation_id: int, turn_id: int, lease: Lease) -> Turn:
    """Make a turn of a locked conversation pending once more, from now.

    Raises:
        NotFound: when the conversation has no such turn.
        TurnInProgress: when it, or another one, is being answered.
        NothingToRetry: when it has its answer.
    """
    turn = get_or_raise(db, conversation_id=conversation_id, turn_id=turn_id)
    require_idle(db, conversation_id=conversation_id)
    if turn.state not in RETRYABLE:
        raise NothingToRetry
    row = db.execute(_RETRY, {"turn_id": turn_id, **_lease(lease)}).one()
    return replace(turn, attempt=row.intento, state=TurnState.PENDING, markdown=None, plain_text=None)


def require_idle(db: Connection, *, conversation_id: int) -> None:
    """Demand that none of the conversation's turns is being answered: one at a time.

    Raises:
        TurnInProgress: telling when the lease of the one under way runs out unless it is renewed.
    """
    process_ends = select(PROCESSES.c.vence).where(PROCESSES.c.id == TURNS.c.proceso_id).scalar_subquery()
    ends = func.greatest(TURNS.c.vence, process_ends, TURNS.c.fecha_intento)
    remaining = type_coerce(func.max(ends) - func.now(), Interval)
    pending = and_(TURNS.c.sesion_asesoria_id == conversation_id, TURNS.c.estado == TurnState.PENDING.value)
    row = db.execute(select(remaining.label("left")).where(pending, _is_alive)).one()
    if row.left is not None:
        raise TurnInProgress(retry_after_s=max(1, math.ceil(row.left.total_seconds())))


def get_or_raise(db: Connection, *, conversation_id: int, turn_id: int) -> Turn:
    """A turn of a conversation that is known to be the principal's.

    Raises:
        NotFound: when there is none with this id in the conversation.
    """
    query = _turns_of(conversation_id).where(TURNS.c.id == turn_id)
    row = db.execute(query).one_or_none()
    if row is None:
        raise NotFound("turn")
    return _turn(row)


def get_many(db: Connection, turn_ids: Sequence[int]) -> dict[int, Turn]:
    """Those of the turns that are there, by id."""
    if not turn_ids:
        return {}
    rows = db.execute(select(*_TURN_COLUMNS).where(TURNS.c.id.in_(turn_ids)))
    return {row.id: _turn(row) for row in rows}


def get_running(db: Connection, *, conversation_id: int) -> Turn | None:
    """The turn of a conversation that is being answered now, in whichever process."""
    query = _turns_of(conversation_id).where(TURNS.c.estado == TurnState.PENDING.value, _is_alive)
    row = db.execute(query.order_by(TURNS.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _turn(row)


def get_page(db: Connection, *, conversation_id: int, limit: int, before: int | None) -> tuple[list[Turn], bool]:
    """The last ``limit`` turns below the id ``before``, oldest first, and whether there are older ones.

    A page is shorter once its texts have :data:`MAX_PAGE_BYTES`, but it holds at least one turn. The database adds the
    lengths up, which it knows without reading the texts, so that no more of them than the page is ever in memory.
    """
    texts_of_turn = (TURNS.c.texto_usuario, TURNS.c.texto_sistema, TURNS.c.texto_plano)
    length = sum((func.coalesce(func.octet_length(column), 0) for column in texts_of_turn), literal(0))
    newer_bytes = func.sum(length).over(order_by=TURNS.c.id.desc(), rows=(None, -1))
    latest = select(TURNS.c.id, newer_bytes.label("newer_bytes")).where(TURNS.c.sesion_asesoria_id == conversation_id)
    if before is not None:
        latest = latest.where(TURNS.c.id < before)
    candidates = latest.order_by(TURNS.c.id.desc()).limit(limit).subquery()
    first_id = select(func.min(TURNS.c.id)).where(TURNS.c.sesion_asesoria_id == conversation_id).scalar_subquery()
    rows = db.execute(
        select(*_TURN_COLUMNS, first_id.label("first_id"))
        .join(candidates, candidates.c.id == TURNS.c.id)
        .where(func.coalesce(candidates.c.newer_bytes, 0) < MAX_PAGE_BYTES)
        .order_by(TURNS.c.id)
    ).all()
    return [_turn(row) for row in rows], bool(rows) and rows[0].id > rows[0].first_id


def get_history(db: Connection, *, conversation_id: int, before: int, max_turns: int) -> History:
    """Messages and answers of the last answered turns below the id ``before``, at most so many, oldest first.

    Fallbacks and unanswered turns are left out.
    """
    parameters = {"conversation_id": conversation_id, "before": before, "max_turns": max_turns}
    newest_first = db.execute(_HISTORY_BEFORE, parameters).all()
    return [(message, answer) for _, message, answer in reversed(newest_first)]


def request_stop(db: Connection, *, turn_id: int) -> None:
    """Ask the process that runs a pending turn to stop it; its next heartbeat reads this."""
    db.execute(
        update(TURNS).where(TURNS.c.id == turn_id, TURNS.c.estado == TurnState.PENDING.value).values(detener=func.now())
    )


def interrupt(db: Connection, turn_ids: Sequence[int], *, process_id: UUID) -> None:
    """Let those of the turns that are still pending in this process read as interrupted from now on."""
    db.execute(
        update(TURNS)
        .where(
            TURNS.c.id.in_(turn_ids),
            TURNS.c.proceso_id == process_id,
            TURNS.c.estado == TurnState.PENDING.value,
        )
        # Releases without leases look at the time of the attempt.
        .values(proceso_id=None, vence=func.now(), fecha_intento=func.now() - timedelta(hours=1))
    )


def write_answer(db: Connection, attempt: Attempt, outcome: Outcome, *, plain_text: str) -> Turn | None:
    """Write down how ``attempt`` ended; ``None`` when the turn is gone or a later attempt has begun."""
    parameters = {
        "turn_id": attempt.turn_id,
        "number": attempt.number,
        "text": outcome.text,
        "plain_text": plain_text,
        "state": outcome.state.value,
        "is_stopped": outcome.is_stopped,
        "origin": outcome.origin,
        "failure": outcome.failure,
        "assistant": outcome.answered_by.slug if outcome.answered_by else None,
        "assistant_version": outcome.answered_by.version if outcome.answered_by else None,
        "sources": [source.title for source in outcome.sources],
        "citations": _citations(outcome.sources),
        "portfolio": outcome.data.get(PORTFOLIO),
    }
    row = db.execute(_ANSWER, parameters).one_or_none()
    if row is None:
        return None
    return Turn(
        id=attempt.turn_id,
        conversation_id=attempt.conversation_id,
        attempt=attempt.number,
        message=attempt.message,
        markdown=outcome.text,
        plain_text=plain_text,
        state=TurnState.STOPPED if outcome.is_stopped else outcome.state,
        origin=outcome.origin,
        portfolio=row.portafolio,
        sources=outcome.sources,
        created_at=row.fecha_creacion,
    )


def _citations(sources: Sequence[Source]) -> list[dict[str, Any]] | None:
    """What ``citas`` holds: as many objects as there are sources, or NULL when titles say everything."""
    return [asdict(source) for source in sources] if any(source.is_citation for source in sources) else None


def _sources(titles: Sequence[str], citations: Sequence[Mapping[str, Any]]) -> tuple[Source, ...]:
    """The sources as they were emitted; by their titles alone where a process of an older release wrote those."""
    if [citation.get("title") for citation in citations] != list(titles):
        return tuple(Source(title=title) for title in titles)
    return tuple(_source(citation) for citation in citations)


def _source(stored: Mapping[str, Any]) -> Source:
    known: dict[str, Any] = {name: stored.get(name) for name in _SOURCE_FIELDS}
    return Source(**known)


def _lease(lease: Lease) -> dict[str, Any]:
    return {"process_id": lease.process_id, "lease": lease.duration}


def _turns_of(conversation_id: int) -> Select[Any]:
    return select(*_TURN_COLUMNS).where(TURNS.c.sesion_asesoria_id == conversation_id)


def _turn(row: Any) -> Turn:  # noqa: ANN401 - a row of _TURN_COLUMNS, perhaps with others behind
    answer, plain = row.texto_sistema, row.texto_plano
    if answer is not None and plain is None:  # an older release wrote it
        answer = markdown.clean(answer, max_chars=len(answer))
        plain = plain_text.of(answer)
    return Turn(
        id=row.id,
        conversation_id=row.sesion_asesoria_id,
        attempt=row.intento,
        message=row.texto_usuario,
        markdown=answer,
        plain_text=plain,
        state=TurnState(row.state),
        origin=row.origen,
        portfolio=row.portafolio,
        sources=_sources(row.fuentes or (), row.citas or ()),
        created_at=row.fecha_creacion,
    )
