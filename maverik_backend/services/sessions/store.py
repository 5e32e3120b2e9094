"""All SQL of advisory sessions. A session's turns are in ``services/turns/store.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any, cast

from sqlalchemy import Connection, Row, Select, Table, bindparam, delete, func, insert, select, update

from maverik_backend.core.tokens import AccessClaims
from maverik_backend.errors import NotFound
from maverik_backend.models import Conversacion, InicioSesion, SesionAsesoria, SesionAsesoriaDetalle, Usuario
from maverik_backend.services import accounts
from maverik_backend.services.accounts import InvestorProfile
from maverik_backend.services.sessions.records import AdvisorySession, SessionContext, SessionFacts

# A mapped class says only that it has some table.
SESSIONS, PEOPLE, LOGINS, TURNS, CONVERSATIONS = (
    cast("Table", model.__table__)
    for model in (SesionAsesoria, Usuario, InicioSesion, SesionAsesoriaDetalle, Conversacion)
)
_STORED = [SESSIONS.c[field.name] for field in fields(AdvisorySession)]
_FACTS = [SESSIONS.c[field.name] for field in fields(SessionFacts)]
_PROFILE = [PEOPLE.c[field.name] for field in fields(InvestorProfile)]

# A turn's own time goes into this: built once, over tables rather than entities, one round trip.
_LOCK = (
    select(*_FACTS, *_PROFILE, SESSIONS.c.respondida, SESSIONS.c.portafolio_hechos, CONVERSATIONS.c.cuidado)
    .join_from(SESSIONS, PEOPLE, PEOPLE.c.id == SESSIONS.c.usuario_id)
    .join(CONVERSATIONS, CONVERSATIONS.c.id == SESSIONS.c.id)
    .join(LOGINS, LOGINS.c.usuario_id == PEOPLE.c.id)
    .where(
        SESSIONS.c.id == bindparam("session_id"),
        SESSIONS.c.usuario_id == bindparam("user_id"),
        LOGINS.c.id == bindparam("login_id"),
        accounts.is_open_login(),
    )
    .with_for_update(of=SESSIONS, key_share=True)
)


def lock(db: Connection, *, claims: AccessClaims, session_id: int) -> SessionContext:
    """The person's session and profile; another turn of the session waits for this transaction.

    Raises:
        NotAuthenticated: when the login behind the token is closed.
        NotFound: when there is no such session, or it is another person's.
    """
    parameters = {"session_id": session_id, "user_id": claims.user_id, "login_id": claims.login_id}
    row = db.execute(_LOCK, parameters).one_or_none()
    if row is None:
        accounts.authenticate(db, claims)
        raise NotFound("session")
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return SessionContext(
        session_id=session_id,
        is_answered=values["respondida"] is not None,
        portfolio_facts=values["portafolio_hechos"],
        care=values["cuidado"],
        profile=InvestorProfile(**{column.name: values[column.name] for column in _PROFILE}),
        **{column.name: values[column.name] for column in _FACTS},
    )


def mark_first_answer(
    db: Connection, context: SessionContext, *, is_answered: bool, portfolio_facts: str | None
) -> bool:
    """Note on the session when it got its first real answer, and the facts behind the portfolio of this one, if any.

    Returns whether anything was written: of most turns nothing is.
    """
    changes: dict[str, object] = {}
    if is_answered and not context.is_answered:
        changes["respondida"] = func.now()
    if portfolio_facts is not None and portfolio_facts != context.portfolio_facts:
        changes |= {"portafolio_entregado": func.now(), "portafolio_hechos": portfolio_facts}
    if changes:
        db.execute(update(SESSIONS).where(SESSIONS.c.id == context.session_id).values(**changes))
    return bool(changes)


def remember_care(db: Connection, context: SessionContext, care: str | None) -> bool:
    """Note on the conversation what the person told of; whether that changed, and was written."""
    if care == context.care:
        return False
    changed = update(CONVERSATIONS).where(CONVERSATIONS.c.id == context.session_id)
    db.execute(changed.values(cuidado=care))
    return True


def count_owned(db: Connection, *, user_id: int, at_most: int) -> int:
    """How many sessions the person owns, counted up to ``at_most``.

    The person's row is locked, so of two requests at once the second one counts what the first one added.
    """
    db.execute(select(PEOPLE.c.id).where(PEOPLE.c.id == user_id).with_for_update(key_share=True))
    owned = select(SESSIONS.c.id).where(SESSIONS.c.usuario_id == user_id).limit(at_most).subquery()
    return db.scalar(select(func.count()).select_from(owned)) or 0


def add(db: Connection, *, user_id: int, facts: SessionFacts) -> AdvisorySession:
    """Store a new session."""
    added = insert(SESSIONS).values(usuario_id=user_id, **asdict(facts)).returning(*_STORED)
    return _session(db.execute(added).one())


def get_page(db: Connection, *, user_id: int, limit: int, before: int | None) -> Sequence[AdvisorySession]:
    """The person's sessions below the id ``before``, newest first, at most ``limit``."""
    query = select(*_STORED).where(SESSIONS.c.usuario_id == user_id)
    if before is not None:
        query = query.where(SESSIONS.c.id < before)
    return [_session(row) for row in db.execute(query.order_by(SESSIONS.c.id.desc()).limit(limit))]


def get_or_raise(db: Connection, *, user_id: int, session_id: int) -> AdvisorySession:
    """The person's session.

    Raises:
        NotFound: when there is none with this id, or it is another person's.
    """
    row = db.execute(_owned(user_id=user_id, session_id=session_id)).one_or_none()
    if row is None:
        raise NotFound("session")
    return _session(row)


def rename(db: Connection, *, user_id: int, session_id: int, title: str) -> AdvisorySession:
    """Store a name that its owner gave to a session.

    Raises:
        NotFound: as :func:`get_or_raise`.
    """
    renamed = update(SESSIONS).where(SESSIONS.c.id == session_id, SESSIONS.c.usuario_id == user_id)
    row = db.execute(renamed.values(titulo=title).returning(*_STORED)).one_or_none()
    if row is None:
        raise NotFound("session")
    return _session(row)


def remove(db: Connection, *, user_id: int, session_id: int) -> None:
    """Delete a session with its turns. A turn that is accepted meanwhile waits for this, and then finds no session.

    Raises:
        NotFound: as :func:`get_or_raise`.
    """
    row = db.execute(_owned(user_id=user_id, session_id=session_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("session")
    db.execute(delete(TURNS).where(TURNS.c.sesion_asesoria_id == session_id))
    db.execute(delete(SESSIONS).where(SESSIONS.c.id == session_id))


def _owned(*, user_id: int, session_id: int) -> Select[Any]:
    return select(*_STORED).where(SESSIONS.c.id == session_id, SESSIONS.c.usuario_id == user_id)


def _session(row: Row[Any]) -> AdvisorySession:
    return AdvisorySession(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
