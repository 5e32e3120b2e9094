"""Turns as they are kept: finding them, what state they are in, and how the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from pydantic import ValidationError
from sqlalchemy import Interval, func, literal, select, type_coerce, update
from sqlalchemy.orm import Session

from maverik_backend.core import markdown as answers
from maverik_backend.core import plain_text
from maverik_backend.core.text import without_bidi_controls
from maverik_backend.errors import NotFound, NothingToRetry, TurnInProgress
from maverik_backend.models import SesionAsesoriaDetalle, TurnState
from maverik_backend.schemas.session import Portafolio, TurnoResponse
from maverik_backend.services.turns import conversation
from maverik_backend.services.turns.conversation import Said
from maverik_backend.texts import advice as texts

# What a turn may take beside waiting for other services: its transactions, a busy machine.
FINISHING_TIME = timedelta(seconds=15)
MAX_PAGE_BYTES = 2 * 1024 * 1024
"""The texts of a page of turns in UTF-8, up to the turn that reaches it: 100 pages at once are some 200 MB of texts."""
_log = structlog.get_logger(__name__)
RETRYABLE = frozenset({TurnState.FALLBACK, TurnState.PENDING})


class TurnStore:
    """Reads turns. ``turn_timeout_s`` is how long a try may wait for other services."""

    def __init__(self, *, turn_timeout_s: float) -> None:
        self._longest_try = timedelta(seconds=turn_timeout_s) + FINISHING_TIME

    def describe(self, turn: SesionAsesoriaDetalle) -> TurnoResponse:
        """A turn as the API shows it. ``output`` is always a text: one that has no answer says so."""
        state = self._state_of(turn.estado, turn.fecha_intento)
        output, markdown = _answer_of(turn, state)
        return TurnoResponse(
            id=turn.id,
            sesion_asesoria_id=turn.sesion_asesoria_id,
            input=without_bidi_controls(turn.texto_usuario),
            output=output,
            output_markdown=markdown,
            estado=state,
            origen=turn.origen,
            portafolio=_portfolio_of(turn),
            fuentes=[without_bidi_controls(source) for source in turn.fuentes or []],
            fecha_creacion=turn.fecha_creacion,
        )

    def require_idle(self, session: Session, *, session_id: int) -> None:
        """Demand that none of the session's turns is being answered: one at a time.

        Raises:
            TurnInProgress: telling when the one under way must be over.
        """
        turn = SesionAsesoriaDetalle
        pending = turn.estado == TurnState.PENDING.value
        # By the database's clock, which all processes share.
        age = type_coerce(func.max(turn.fecha_intento) - func.now(), Interval)
        latest = select(age).where(turn.sesion_asesoria_id == session_id, pending)
        since: timedelta | None = session.scalar(latest)
        remaining = timedelta() if since is None else since + self._longest_try
        if remaining > timedelta():
            raise TurnInProgress(retry_after_s=in_seconds(remaining))

    def add(self, session: Session, *, session_id: int, said: str, most: int) -> tuple[int, Said]:
        """Put what the person said on record as pending, in a session that is locked.

        Returns the turn's id, and the last ``most`` answered turns before it.

        Raises:
            TurnInProgress: when another turn of the session is being answered.
        """
        added = conversation.add_turn(
            session, session_id=session_id, said=said, longest_try=self._longest_try, most=most
        )
        if added is None:
            self.require_idle(session, session_id=session_id)
            raise TurnInProgress(retry_after_s=1)  # it ended at this very moment
        return added

    def begin_again(self, session: Session, *, session_id: int, turn_id: int) -> SesionAsesoriaDetalle:
        """Make a turn of a locked session pending once more, from now.

        Raises:
            NotFound: when the session has no such turn.
            TurnInProgress: when it, or another one, is being answered.
            NothingToRetry: when it has its answer.
        """
        turn = get_or_raise(session, session_id=session_id, turn_id=turn_id)
        self.require_idle(session, session_id=session_id)
        if turn.estado not in RETRYABLE:  # one that is pending in a session where nothing is under way was left behind
            raise NothingToRetry
        turn.intento += 1
        turn.estado = TurnState.PENDING.value
        turn.texto_sistema = turn.error = turn.origen = None
        turn.fecha_intento = func.now()
        session.flush()
        return turn

    def interrupt(self, session: Session, turn_ids: Sequence[int]) -> None:
        """Let those of the turns that are still pending read as interrupted from now on."""
        session.execute(
            update(SesionAsesoriaDetalle)
            .where(SesionAsesoriaDetalle.id.in_(turn_ids), SesionAsesoriaDetalle.estado == TurnState.PENDING.value)
            .values(fecha_intento=func.now() - self._longest_try)
            .execution_options(synchronize_session=False)
        )

    def _state_of(self, state: str, began: datetime | None) -> TurnState:
        """A turn that is pending past its deadline will not be answered: whoever worked on it is gone."""
        is_over = began is None or began + self._longest_try <= datetime.now(UTC)
        return TurnState.INTERRUPTED if state == TurnState.PENDING and is_over else TurnState(state)


def _portfolio_of(turn: SesionAsesoriaDetalle) -> Portafolio | None:
    """The portfolio of the turn; ``None`` also for one that this release cannot read: it costs no more than itself."""
    if not turn.portafolio:
        return None
    try:
        return Portafolio.model_validate(turn.portafolio)
    except ValidationError:
        _log.warning("portfolio_unreadable", turn_id=turn.id)
        return None


def _answer_of(turn: SesionAsesoriaDetalle, state: TurnState) -> tuple[str, str]:
    """The answer as plain text and as Markdown. That of an older release is cleaned and made plain now."""
    if turn.texto_sistema is None:
        return texts.UNANSWERED[state], texts.UNANSWERED[state]
    if turn.texto_plano is not None and turn.intento_plano == turn.intento:
        return turn.texto_plano, turn.texto_sistema
    markdown = answers.clean(turn.texto_sistema, max_chars=len(turn.texto_sistema))
    return plain_text.of(markdown), markdown


def get_or_raise(session: Session, *, session_id: int, turn_id: int) -> SesionAsesoriaDetalle:
    """A turn of a session that is known to be the person's.

    Raises:
        NotFound: when there is none with this id in the session.
    """
    turn = session.scalar(
        select(SesionAsesoriaDetalle).where(
            SesionAsesoriaDetalle.id == turn_id, SesionAsesoriaDetalle.sesion_asesoria_id == session_id
        )
    )
    if turn is None:
        raise NotFound("turn")
    return turn


def get_page(
    session: Session, *, session_id: int, limit: int, before: int | None
) -> tuple[Sequence[SesionAsesoriaDetalle], bool]:
    """The last ``limit`` turns below the id ``before``, oldest first, and whether there are older ones.

    A page is shorter once its texts have :data:`MAX_PAGE_BYTES`, but it holds at least one turn. The database adds the
    lengths up, which it knows without reading the texts, so that no more of them than the page is ever in memory.
    """
    turn = SesionAsesoriaDetalle
    texts_of_turn = (turn.texto_usuario, turn.texto_sistema, turn.texto_plano)
    length = sum((func.coalesce(func.octet_length(column), 0) for column in texts_of_turn), literal(0))
    newer_bytes = func.sum(length).over(order_by=turn.id.desc(), rows=(None, -1))
    latest = select(turn.id, newer_bytes.label("newer_bytes")).where(turn.sesion_asesoria_id == session_id)
    if before is not None:
        latest = latest.where(turn.id < before)
    candidates = latest.order_by(turn.id.desc()).limit(limit).subquery()
    first_id = select(func.min(turn.id)).where(turn.sesion_asesoria_id == session_id).scalar_subquery()
    rows = session.execute(
        select(turn, first_id)
        .join(candidates, candidates.c.id == turn.id)
        .where(func.coalesce(candidates.c.newer_bytes, 0) < MAX_PAGE_BYTES)
        .order_by(turn.id)
    ).all()
    return [row[0] for row in rows], bool(rows) and rows[0][0].id > rows[0][1]


def in_seconds(wait: timedelta) -> int:
    """Whole seconds for a ``Retry-After``, at least one."""
    return max(1, round(wait.total_seconds()))
