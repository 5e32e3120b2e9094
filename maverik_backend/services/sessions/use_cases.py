"""Opening, naming, listing and deleting advisory sessions, always as their owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection

from maverik_backend.core.text import without_bidi_controls
from maverik_backend.errors import FieldError, InvalidInput, TooManySessions
from maverik_backend.services.catalogs import Catalogs
from maverik_backend.services.sessions import prompt, store
from maverik_backend.services.sessions.records import AdvisorySession, SessionFacts
from maverik_backend.texts import advice as texts
from maverik_backend.texts import format as fmt
from maverik_backend.texts import validation


def create(
    db: Connection, *, user_id: int, facts: SessionFacts, catalogs: Catalogs, max_sessions: int
) -> AdvisorySession:
    """Open a session.

    Raises:
        InvalidInput: when an id is not in its catalogue, or the purpose needs a goal and there is none.
        TooManySessions: when the person owns ``max_sessions`` already.
    """
    catalogs.check({field: value for field, value in asdict(facts).items() if field.endswith("_id")})
    if facts.proposito_sesion_id == prompt.PURPOSE_GOAL and facts.objetivo_id is None:
        raise InvalidInput([FieldError("objetivo_id", validation.GOAL_REQUIRED, tuple(catalogs.options["objetivo"]))])
    if store.count_owned(db, user_id=user_id, at_most=max_sessions) >= max_sessions:
        raise TooManySessions
    return store.add(db, user_id=user_id, facts=facts)


def get_page(
    db: Connection, *, user_id: int, limit: int, before: int | None
) -> tuple[Sequence[AdvisorySession], int | None]:
    """The person's sessions, newest first, and the ``before`` of the next page (``None``: this is the last).

    ``before`` is the id that the page starts below.
    """
    rows = store.get_page(db, user_id=user_id, limit=limit + 1, before=before)
    page = rows[:limit]
    return page, page[-1].id if len(rows) > limit else None


def title_of(session: AdvisorySession, catalogs: Catalogs) -> str:
    """The session's name; without one of its own, one that no other session has, since frontends group by it.

    What differs comes first, as a narrow list cuts titles off at the end.
    """
    if session.titulo:
        return without_bidi_controls(session.titulo)
    return texts.SESSION_TITLE.format(
        when=fmt.local_minute(session.fecha_creacion), number=session.id, topic=prompt.topic_of(session, catalogs)
    )
