"""Advisory sessions: opening, naming, listing and deleting them, always as their owner."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from maverik_backend.core.text import without_bidi_controls
from maverik_backend.errors import FieldError, InvalidInput, NotFound, TooManySessions
from maverik_backend.models import SesionAsesoria, SesionAsesoriaDetalle, Usuario
from maverik_backend.schemas.session import SesionCrearRequest, SesionResponse
from maverik_backend.services.catalogs import Catalogs
from maverik_backend.services.sessions import prompt
from maverik_backend.texts import advice as texts
from maverik_backend.texts import format as fmt
from maverik_backend.texts import validation


def create(
    session: Session, *, user_id: int, data: SesionCrearRequest, catalogs: Catalogs, max_sessions: int
) -> SesionAsesoria:
    """Open a session.

    Raises:
        InvalidInput: when an id is not in its catalogue, or the purpose needs a goal and there is none.
        TooManySessions: when the person owns ``max_sessions`` already.
    """
    values = data.model_dump()
    catalogs.check({field: value for field, value in values.items() if field.endswith("_id")})
    if data.proposito_sesion_id == prompt.PURPOSE_GOAL and data.objetivo_id is None:
        raise InvalidInput([FieldError("objetivo_id", validation.GOAL_REQUIRED, tuple(catalogs.options["objetivo"]))])
    _require_room(session, user_id=user_id, max_sessions=max_sessions)
    row = SesionAsesoria(usuario_id=user_id, **values)
    session.add(row)
    session.flush()
    return row


def _require_room(session: Session, *, user_id: int, max_sessions: int) -> None:
    """Demand that the person may own one session more.

    The person's row is locked, so of two requests at once the second one counts what the first one added.
    """
    session.execute(select(Usuario.id).where(Usuario.id == user_id).with_for_update(key_share=True))
    owned = select(SesionAsesoria.id).where(SesionAsesoria.usuario_id == user_id).limit(max_sessions).subquery()
    if (session.scalar(select(func.count()).select_from(owned)) or 0) >= max_sessions:
        raise TooManySessions


def get_page(
    session: Session, *, user_id: int, limit: int, before: int | None
) -> tuple[Sequence[SesionAsesoria], int | None]:
    """The person's sessions, newest first, and the ``before`` of the next page (``None``: this is the last).

    ``before`` is the id that the page starts below.
    """
    query = select(SesionAsesoria).where(SesionAsesoria.usuario_id == user_id)
    if before is not None:
        query = query.where(SesionAsesoria.id < before)
    rows = session.scalars(query.order_by(SesionAsesoria.id.desc()).limit(limit + 1)).all()
    page = rows[:limit]
    return page, page[-1].id if len(rows) > limit else None


def get_or_raise(session: Session, *, user_id: int, session_id: int, lock: bool = False) -> SesionAsesoria:
    """The person's session; with ``lock``, nobody else touches it until the transaction ends.

    Raises:
        NotFound: when there is none with this id, or it is somebody else's.
    """
    query = select(SesionAsesoria).where(SesionAsesoria.id == session_id, SesionAsesoria.usuario_id == user_id)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound("session")
    return row


def rename(session: Session, *, user_id: int, session_id: int, title: str) -> SesionAsesoria:
    """Give the session a name of its own.

    Raises:
        NotFound: as :func:`get_or_raise`.
    """
    row = get_or_raise(session, user_id=user_id, session_id=session_id)
    row.titulo = title
    return row


def delete(session: Session, *, user_id: int, session_id: int) -> None:
    """Delete the session with everything said in it.

    Raises:
        NotFound: as :func:`get_or_raise`.
    """
    # A turn that starts meanwhile waits for this, and then finds nothing.
    row = get_or_raise(session, user_id=user_id, session_id=session_id, lock=True)
    session.execute(sql_delete(SesionAsesoriaDetalle).where(SesionAsesoriaDetalle.sesion_asesoria_id == row.id))
    session.delete(row)


def describe(row: SesionAsesoria, catalogs: Catalogs) -> SesionResponse:
    """The session with its name and its first text."""
    return SesionResponse(
        id=row.id,
        usuario_id=row.usuario_id,
        titulo_chat=without_bidi_controls(row.titulo) if row.titulo else _made_title(row, catalogs),
        primer_input=prompt.first_input(row, catalogs),
        proposito_sesion_id=row.proposito_sesion_id,
        objetivo_id=row.objetivo_id,
        capital_inicial=row.capital_inicial,
        horizonte_temporal=row.horizonte_temporal,
        tolerancia_al_riesgo_id=row.tolerancia_al_riesgo_id,
        fecha_creacion=row.fecha_creacion,
    )


def _made_title(row: SesionAsesoria, catalogs: Catalogs) -> str:
    """What names a session without a name of its own: never that of another session, since frontends group by it.

    What differs comes first, as a narrow list cuts titles off at the end.
    """
    return texts.SESSION_TITLE.format(
        when=fmt.local_minute(row.fecha_creacion), number=row.id, topic=prompt.topic_of(row, catalogs)
    )
