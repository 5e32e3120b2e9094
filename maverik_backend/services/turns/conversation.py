"""What every turn reads and writes, in the fewest statements.

========================  =============================================================================================
Step                      Round trips (``BEGIN`` travels with the first statement)
========================  =============================================================================================
With a key, before        see that the login is open; look the key up; commit: 3
Transaction one           [with a key: keep the person;] lock the session, with profile and login; [look the key
                          up;] add the turn unless another one is under way, and read what was said; [note the
                          key;] commit: 3, with a key 6
Transaction two           write the answer; [note the session's first answer;] commit: 2, on first answers 3
========================  =============================================================================================

A turn's own time goes into these, so each statement is built once, over tables rather than entities.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import ColumnElement, Interval, Table, bindparam, exists, func, insert, select, true, update
from sqlalchemy.orm import Session

from maverik_backend.core.tokens import AccessClaims
from maverik_backend.errors import NotFound
from maverik_backend.models import InicioSesion, SesionAsesoria, SesionAsesoriaDetalle, TurnState, Usuario
from maverik_backend.services.accounts import auth

# A mapped class says only that it has some table.
SESSIONS, PEOPLE, TURNS, LOGINS = (
    cast("Table", model.__table__) for model in (SesionAsesoria, Usuario, SesionAsesoriaDetalle, InicioSesion)
)


Said = list[tuple[str, str]]
"""Pairs of what the person said and what was answered, oldest first."""


@dataclass(slots=True, kw_only=True)
class Conversation:
    """A session and its person's profile, as far as an answer depends on them."""

    session_id: int
    proposito_sesion_id: int
    objetivo_id: int | None
    capital_inicial: Decimal | None
    horizonte_temporal: int | None
    tolerancia_al_riesgo_id: int | None
    is_answered: bool
    has_portfolio: bool
    fecha_nacimiento: date | None
    nivel_educativo_id: int | None
    conocimiento_alt_inversion_id: int
    experiencia_invirtiendo_id: int
    porcentaje_ahorro_mensual_id: int
    porcentaje_ahorro_invertir_id: int
    tiempo_mantener_inversion_id: int
    busca_invertir_en_id: int
    proporcion_inversion_mantener_id: int


def _columns() -> list[ColumnElement[Any]]:
    made: dict[str, ColumnElement[Any]] = {
        "session_id": SESSIONS.c.id.label("session_id"),
        "is_answered": SESSIONS.c.respondida.is_not(None).label("is_answered"),
        "has_portfolio": SESSIONS.c.portafolio_entregado.is_not(None).label("has_portfolio"),
    }
    known = {**PEOPLE.c, **SESSIONS.c, **made}
    return [known[field.name] for field in fields(Conversation)]


_LOCK = (
    select(*_columns())
    .join_from(SESSIONS, PEOPLE, PEOPLE.c.id == SESSIONS.c.usuario_id)
    .join(LOGINS, LOGINS.c.usuario_id == PEOPLE.c.id)
    .where(
        SESSIONS.c.id == bindparam("session_id"),
        SESSIONS.c.usuario_id == bindparam("user_id"),
        LOGINS.c.id == bindparam("login_id"),
        *auth.is_open(),
    )
    .with_for_update(of=SESSIONS, key_share=True)
)
_IS_UNDER_WAY = exists().where(
    TURNS.c.sesion_asesoria_id == bindparam("session_id"),
    TURNS.c.estado == TurnState.PENDING.value,
    TURNS.c.fecha_intento > func.now() - bindparam("longest_try", type_=Interval()),
)
_SAID = (
    select(TURNS.c.id, TURNS.c.texto_usuario, TURNS.c.texto_sistema)
    .where(
        TURNS.c.sesion_asesoria_id == bindparam("session_id"),
        TURNS.c.estado == TurnState.COMPLETED.value,
        TURNS.c.texto_sistema != "",  # older releases kept empty answers: nothing was said in them
    )
    .order_by(TURNS.c.id.desc())
    .limit(bindparam("most"))
)
_SAID_BEFORE = _SAID.where(TURNS.c.id < bindparam("before"))
_added = (
    insert(TURNS)
    .from_select(
        ["sesion_asesoria_id", "texto_usuario"],
        select(
            bindparam("session_id", type_=TURNS.c.sesion_asesoria_id.type),
            bindparam("said", type_=TURNS.c.texto_usuario.type),
        ).where(~_IS_UNDER_WAY),
    )
    .returning(TURNS.c.id)
    .cte("added")
)
_said = _SAID.subquery("said")
# One row for each turn before, and one even when there was none.
_ADD = (
    select(_added.c.id, _said.c.texto_usuario, _said.c.texto_sistema)
    .select_from(_added.outerjoin(_said, true()))
    .order_by(_said.c.id)
)
_ANSWER = (
    update(TURNS)
    .where(TURNS.c.id == bindparam("turn_id"), TURNS.c.intento == bindparam("number"))
    .values(
        texto_sistema=bindparam("text"),
        texto_plano=bindparam("plain_text"),
        intento_plano=TURNS.c.intento,
        estado=bindparam("state"),
        origen=bindparam("origin"),
        error=bindparam("failure"),
        fuentes=bindparam("sources"),
        # A try that brings none keeps that of the one before.
        portafolio=func.coalesce(bindparam("portfolio", type_=TURNS.c.portafolio.type), TURNS.c.portafolio),
        fecha_respuesta=func.now(),
    )
    .returning(TURNS.c.portafolio, TURNS.c.fecha_creacion)
)


def lock(session: Session, *, claims: AccessClaims, session_id: int) -> Conversation:
    """The person's session and profile; whoever else starts a turn in the session waits for this transaction.

    Raises:
        NotAuthenticated: when the login behind the token is closed.
        NotFound: when the session is not there, or somebody else's.
    """
    parameters = {"session_id": session_id, "user_id": claims.user_id, "login_id": claims.login_id}
    row = session.execute(_LOCK, parameters).one_or_none()
    if row is None:
        auth.authenticate(session, claims)
        raise NotFound("session")
    return Conversation(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def add_turn(
    session: Session, *, session_id: int, said: str, longest_try: timedelta, most: int
) -> tuple[int, Said] | None:
    """Put what the person said on record as pending; its id and what was said before, as :func:`get_said` tells it.

    ``None`` while another turn is under way. Only behind :func:`lock`: then whatever another transaction added before
    is seen here.
    """
    parameters = {"session_id": session_id, "said": said, "longest_try": longest_try, "most": most}
    rows = session.execute(_ADD, parameters).all()
    if not rows:
        return None
    return rows[0].id, [(said, answered) for _, said, answered in rows if answered is not None]


def get_said(session: Session, *, session_id: int, before: int, most: int) -> Said:
    """What both sides said in the last answered turns below the id ``before``, at most so many, oldest first.

    Fallbacks and unanswered turns are left out: nobody really said them.
    """
    newest_first = session.execute(_SAID_BEFORE, {"session_id": session_id, "before": before, "most": most}).all()
    return [(said, answered) for _, said, answered in reversed(newest_first)]


def note_firsts(session: Session, facts: Conversation, *, is_answered: bool, has_portfolio: bool) -> None:
    """Note on the session its first real answer and its first portfolio; later turns write nothing here."""
    firsts: dict[str, object] = {}
    if is_answered and not facts.is_answered:
        firsts["respondida"] = func.now()
    if has_portfolio and not facts.has_portfolio:
        firsts["portafolio_entregado"] = func.now()
    if firsts:
        session.execute(update(SESSIONS).where(SESSIONS.c.id == facts.session_id).values(**firsts))


def write_answer(session: Session, *, turn_id: int, number: int, **values: Any) -> tuple[Any, datetime | None] | None:  # noqa: ANN401
    """Write down how try ``number`` of a turn ended: ``text, plain_text, state, origin, failure, sources, portfolio``.

    Returns the turn's portfolio, whichever try brought it, and when it was created; ``None`` when the turn is gone or
    a later try has begun.
    """
    row = session.execute(_ANSWER, {"turn_id": turn_id, "number": number, **values}).one_or_none()
    return None if row is None else (row.portafolio, row.fecha_creacion)
