"""The life of a turn. Read :meth:`Chat.answer` from top to bottom: that is the product.

No transaction is open while anything waits on the network, so a slow service holds a thread but never a database
connection. What the person said is committed before anybody is asked, and is there whatever happens next.

=====================  ==========================================================================================
Rule                   Value
=====================  ==========================================================================================
Whole turn             ``EXTERNAL_SERVICE_TIMEOUT`` seconds for everything that waits on other services
Portfolio              asked for on the first turn, while the advisor thinks; where there was none, on the next one;
                       a greeting or the like carries none
Portfolio late         at most :data:`PORTFOLIO_GRACE_S` after the advisor's answer; then the answer goes without it
Advisor fails          the turn becomes *respaldo* with a text that says so; such a turn is never sent as history
=====================  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from maverik_backend.clients.optimizer.base import Optimizer
from maverik_backend.clients.rag.base import Advisor, Answer, Question
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import FieldError, InvalidInput, NotFound, UpstreamBadAnswer, UpstreamError
from maverik_backend.models import SesionAsesoria, SesionAsesoriaDetalle, TurnState, Usuario
from maverik_backend.schemas.session import Portafolio, TurnoResponse
from maverik_backend.services import answer as answers
from maverik_backend.services import portfolio as portfolios
from maverik_backend.services import prompt
from maverik_backend.services.catalog import CatalogCache
from maverik_backend.services.session import get_or_raise
from maverik_backend.settings import AdviceSettings
from maverik_backend.texts import advice as texts
from maverik_backend.texts import validation

PORTFOLIO_GRACE_S = 5.0
# What a turn may take beside waiting for other services: its transactions, a busy machine.
FINISHING_TIME = timedelta(seconds=15)
FALLBACK_ORIGIN = "respaldo"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StartedTurn:
    """A turn that is on record as pending, and what is needed to answer it."""

    turn_id: int
    question: Question
    lacks_portfolio: bool


@dataclass(frozen=True, slots=True)
class _EarlierTurn:
    """What a new turn has to know of one before it."""

    said: str
    answered: str | None
    state: str
    has_portfolio: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """How a turn ended."""

    state: TurnState
    text: str
    origin: str
    error: str | None = None
    sources: tuple[str, ...] = ()
    portfolio: Portafolio | None = None


class Chat:
    """Answers turns. Safe to use from every request thread at once."""

    def __init__(
        self,
        *,
        transaction: TransactionFactory,
        advisor: Advisor,
        optimizer: Optimizer,
        catalogs: CatalogCache,
        executor: Executor,
        settings: AdviceSettings,
    ) -> None:
        """``executor`` runs the optimiser beside the advisor on first turns."""
        self._transaction = transaction
        self._advisor = advisor
        self._optimizer = optimizer
        self._catalogs = catalogs
        self._executor = executor
        self._settings = settings

    def answer(self, *, user_id: int, session_id: int, text: str | None) -> TurnoResponse:
        """Record what the person says, have it answered, record the answer.

        ``text`` may be ``None`` until the session has its first real answer: then the stored profile says it.

        Raises:
            NotFound: when the session is not this person's.
            InvalidInput: when a later turn has no text.
        """
        deadline = Deadline.after(self._settings.external_service_timeout)
        started = self._start(user_id=user_id, session_id=session_id, text=text)
        outcome = self._ask(started, deadline)
        return self._finish(started.turn_id, outcome)

    def _start(self, *, user_id: int, session_id: int, text: str | None) -> _StartedTurn:
        """Transaction one: read what the answer depends on and put the turn on record."""
        catalogs = self._catalogs.get()
        with self._transaction() as session:
            facts, profile = _session_and_profile(session, user_id=user_id, session_id=session_id)
            earlier = _latest_turns(session, session_id=session_id, limit=max(1, self._settings.history_max_turns))
            is_first = not any(turn.state == TurnState.COMPLETED for turn in earlier)
            said = _what_is_said(text, prompt.first_input(facts, catalogs) if is_first else None)
            turn = SesionAsesoriaDetalle(sesion_asesoria_id=session_id, texto_usuario=said)
            session.add(turn)
            session.flush()
            question = prompt.question(
                profile=profile,
                facts=facts,
                catalogs=catalogs,
                history=self._history(earlier),
                text=said,
                today=datetime.now(UTC).date(),
            )
        lacks_portfolio = not any(turn.has_portfolio for turn in earlier)
        return _StartedTurn(turn_id=turn.id, question=question, lacks_portfolio=lacks_portfolio)

    def _history(self, earlier: Sequence[_EarlierTurn]) -> tuple[tuple[str, str], ...]:
        """What was really said by both sides: fallbacks and unanswered turns are left out."""
        said = [(turn.said, turn.answered) for turn in earlier if turn.state == TurnState.COMPLETED and turn.answered]
        return prompt.chat_history(
            said, max_turns=self._settings.history_max_turns, max_chars=self._settings.history_max_chars
        )

    def _ask(self, started: _StartedTurn, deadline: Deadline) -> _Outcome:
        """No transaction: ask the advisor and, on a first turn, the optimiser at the same time."""
        pending = None
        if started.lacks_portfolio:
            pending = self._executor.submit(copy_context().run, self._portfolio, started, deadline)
        try:
            answer = self._advisor.answer(started.question, deadline=deadline)
            text = _cleaned(answer)
        except UpstreamError as error:
            _log.warning("advisor_failed", turn_id=started.turn_id, kind=error.kind, detail=error.detail)
            outcome = _Outcome(state=TurnState.FALLBACK, text=texts.FALLBACK, origin=FALLBACK_ORIGIN, error=error.kind)
        else:
            if not answer.is_advice:
                # Whoever says hello, or is in distress, is not handed a portfolio; the next answer carries it.
                pending = None
            outcome = _Outcome(state=TurnState.COMPLETED, text=text, origin=answer.origin, sources=answer.sources)
        return _with_portfolio(outcome, _wait_for(pending, deadline))

    def _portfolio(self, started: _StartedTurn, deadline: Deadline) -> Portafolio | None:
        """The optimiser's portfolio for this person, or ``None`` when it gave none that makes sense."""
        risk_profile = portfolios.profile_for(started.question.situation.risk_tolerance)
        try:
            allocation = self._optimizer.generate(risk_profile=risk_profile, deadline=deadline)
            return portfolios.check(allocation, risk_profile=risk_profile)
        except UpstreamError as error:
            _log.warning("optimizer_failed", turn_id=started.turn_id, kind=error.kind, detail=error.detail)
        except portfolios.NonsensePortfolio as error:
            _log.warning("optimizer_failed", turn_id=started.turn_id, kind="nonsense", detail=str(error))
        except Exception:  # noqa: BLE001 - the portfolio is an extra: no defect in it may cost the answer
            _log.exception("optimizer_failed", turn_id=started.turn_id, kind="unexpected")
        return None

    def _finish(self, turn_id: int, outcome: _Outcome) -> TurnoResponse:
        """Transaction two: the answer goes on record, unless the session was deleted meanwhile."""
        statement = (
            update(SesionAsesoriaDetalle)
            .where(SesionAsesoriaDetalle.id == turn_id)
            .values(
                texto_sistema=outcome.text,
                estado=outcome.state.value,
                origen=outcome.origin,
                error=outcome.error,
                fuentes=list(outcome.sources),
                portafolio=outcome.portfolio.model_dump() if outcome.portfolio else None,
                fecha_respuesta=func.now(),
            )
            .returning(SesionAsesoriaDetalle)
        )
        with self._transaction() as session:
            turn = session.scalar(statement)
        if turn is None:
            raise NotFound("session")
        return self._describe(turn)

    def get_history(self, session: Session, *, user_id: int, session_id: int) -> list[TurnoResponse]:
        """Every turn of the person's session, oldest first.

        Raises:
            NotFound: when the session is not this person's.
        """
        get_or_raise(session, user_id=user_id, session_id=session_id)
        turns = session.scalars(
            select(SesionAsesoriaDetalle)
            .where(SesionAsesoriaDetalle.sesion_asesoria_id == session_id)
            .order_by(SesionAsesoriaDetalle.id)
        )
        return [self._describe(turn) for turn in turns]

    def _describe(self, turn: SesionAsesoriaDetalle) -> TurnoResponse:
        """A turn as the API shows it. ``output`` is always a text: one that has no answer says so."""
        state = self._state_of(turn)
        return TurnoResponse(
            id=turn.id,
            sesion_asesoria_id=turn.sesion_asesoria_id,
            input=turn.texto_usuario,
            output=turn.texto_sistema or texts.UNANSWERED[state],
            estado=state,
            origen=turn.origen,
            portafolio=Portafolio.model_validate(turn.portafolio) if turn.portafolio else None,
            fuentes=turn.fuentes or [],
            fecha_creacion=turn.fecha_creacion,
        )

    def _state_of(self, turn: SesionAsesoriaDetalle) -> TurnState:
        """A turn that is pending past its deadline will not be answered: whoever worked on it is gone."""
        longest = timedelta(seconds=self._settings.external_service_timeout) + FINISHING_TIME
        is_late = turn.fecha_creacion is not None and datetime.now(UTC) - turn.fecha_creacion > longest
        is_lost = turn.estado == TurnState.PENDING and is_late
        return TurnState.INTERRUPTED if is_lost else TurnState(turn.estado)


def _session_and_profile(session: Session, *, user_id: int, session_id: int) -> tuple[SesionAsesoria, Usuario]:
    row = session.execute(
        select(SesionAsesoria, Usuario)
        .join(Usuario, Usuario.id == SesionAsesoria.usuario_id)
        .where(SesionAsesoria.id == session_id, SesionAsesoria.usuario_id == user_id)
    ).one_or_none()
    if row is None:
        raise NotFound("session")
    return row[0], row[1]


def _latest_turns(session: Session, *, session_id: int, limit: int) -> list[_EarlierTurn]:
    """The last ``limit`` turns, oldest first."""
    newest_first = session.execute(
        select(
            SesionAsesoriaDetalle.texto_usuario,
            SesionAsesoriaDetalle.texto_sistema,
            SesionAsesoriaDetalle.estado,
            # Answers of older releases have no origin, and their portfolio only in words.
            or_(
                SesionAsesoriaDetalle.portafolio.is_not(None),
                and_(SesionAsesoriaDetalle.texto_sistema.is_not(None), SesionAsesoriaDetalle.origen.is_(None)),
            ),
        )
        .where(SesionAsesoriaDetalle.sesion_asesoria_id == session_id)
        .order_by(SesionAsesoriaDetalle.id.desc())
        .limit(limit)
    ).all()
    return [_EarlierTurn(*row) for row in reversed(newest_first)]


def _what_is_said(text: str | None, first_input: str | None) -> str:
    said = text or first_input
    if said is None:
        raise InvalidInput([FieldError("input", validation.FIRST_INPUT_ONLY)])
    return said


def _cleaned(answer: Answer) -> str:
    """The answer's text, safe to keep; one with nothing left in it counts as none."""
    text = answers.clean(answer.text)
    if not text:
        raise UpstreamBadAnswer("rag", "nothing left after cleaning")
    return text


def _wait_for(pending: Future[Portafolio | None] | None, deadline: Deadline) -> Portafolio | None:
    if pending is None:
        return None
    try:
        return pending.result(timeout=min(PORTFOLIO_GRACE_S, deadline.remaining_s()))
    except FutureTimeoutError:
        pending.cancel()
        _log.warning("optimizer_failed", kind="late")
        return None


def _with_portfolio(outcome: _Outcome, portfolio: Portafolio | None) -> _Outcome:
    """The answer with the portfolio's line at its end and the portfolio as data."""
    if portfolio is None:
        return outcome
    return replace(outcome, text=f"{outcome.text}\n\n{portfolios.sentence(portfolio)}", portfolio=portfolio)
