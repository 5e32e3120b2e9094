"""The life of a turn. Read :meth:`Chat.answer` from top to bottom: that is the product.

No transaction is open while anything waits on the network, so a slow service holds a thread but never a database
connection. What the person said is committed before anybody is asked, and is there whatever happens next.

=====================  ==========================================================================================
Rule                   Value
=====================  ==========================================================================================
Whole turn             ``EXTERNAL_SERVICE_TIMEOUT`` seconds for everything that waits on other services
At once                ``MAX_CONCURRENT_TURNS`` in a process; another one is refused at once, never queued
In a session           one at a time
Twice                  a request with an ``Idempotency-Key`` that came before gets the answer it got then
Portfolio              asked for on the first turn, while the advisor thinks; where there was none, on the next one
Portfolio late         at most :data:`PORTFOLIO_GRACE_S` after the first answer, :data:`LATER_PORTFOLIO_GRACE_S` after
                       later ones; then the answer goes without it
Advisor fails          the turn becomes *respaldo* with a text that says so, and what the fallback advisor has to say
                       where there is one; such a turn is never sent as history
Database away          when the answer is there: it is written down as soon as the database is back, if the turn's
                       time lasts
=====================  ==========================================================================================
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from sqlalchemy import func, update
from sqlalchemy.orm import Session

from maverik_backend.clients.optimizer.base import Optimizer
from maverik_backend.clients.rag.base import Advisor, Answer, Question
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import (
    DatabaseUnavailable,
    FieldError,
    InvalidInput,
    NotFound,
    NothingToRetry,
    Overloaded,
    SameRequestRunning,
    UpstreamBadAnswer,
    UpstreamError,
)
from maverik_backend.models import SesionAsesoria, SesionAsesoriaDetalle, TurnState, Usuario
from maverik_backend.schemas.session import Portafolio, TurnoResponse
from maverik_backend.services import answer as answers
from maverik_backend.services import idempotency, prompt
from maverik_backend.services import portfolio as portfolios
from maverik_backend.services import session as sessions
from maverik_backend.services import turn as turns
from maverik_backend.services.catalog import CatalogCache
from maverik_backend.services.idempotency import RequestKey
from maverik_backend.services.turn import TurnStore
from maverik_backend.settings import AdviceSettings
from maverik_backend.texts import advice as texts
from maverik_backend.texts import validation

PORTFOLIO_GRACE_S = 5.0
LATER_PORTFOLIO_GRACE_S = 1.0
WRITE_AGAIN_AFTER_S = 1.0
FALLBACK_ORIGIN = "respaldo"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """A turn that is on record as pending, and what is needed to answer it. ``number`` counts its tries."""

    session_id: int
    turn_id: int
    number: int
    question: Question
    is_first: bool
    lacks_portfolio: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """How a turn ended."""

    state: TurnState
    text: str
    origin: str
    error: str | None = None
    sources: tuple[str, ...] = ()
    portfolio: Portafolio | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A turn with its answer; ``is_replay`` when the very same request had got it before."""

    turn: TurnoResponse
    is_replay: bool = False


class Chat:
    """Answers turns. Safe to use from every request thread at once."""

    def __init__(
        self,
        *,
        transaction: TransactionFactory,
        advisor: Advisor,
        optimizer: Optimizer,
        fallback: Advisor | None,
        catalogs: CatalogCache,
        executor: Executor,
        settings: AdviceSettings,
        portfolio_grace_s: float = PORTFOLIO_GRACE_S,
    ) -> None:
        """``fallback`` answers when ``advisor`` fails; ``executor`` runs the optimiser beside the advisor."""
        self._transaction = transaction
        self._advisor = advisor
        self._optimizer = optimizer
        self._fallback = fallback
        self._catalogs = catalogs
        self._executor = executor
        self._settings = settings
        self._portfolio_grace_s = portfolio_grace_s
        self._turns = TurnStore(turn_timeout_s=settings.external_service_timeout)
        self._places = threading.BoundedSemaphore(settings.max_concurrent_turns)
        self._running: set[int] = set()

    def answer(
        self, *, user_id: int, session_id: int, text: str | None, idempotency_key: str | None = None
    ) -> Answered:
        """Record what the person says, have it answered, record the answer.

        ``text`` may be ``None`` until the session has its first real answer: then the stored profile says it.

        Raises:
            Overloaded: when too many turns are under way in this process.
            NotFound: when the session is not this person's.
            InvalidInput: when a later turn has no text.
            TurnInProgress: when the session is answering something else, or (``SameRequestRunning``) this very request.
            IdempotencyKeyReused: when the key came before with another request.
        """
        request = RequestKey.of(user_id=user_id, key=idempotency_key, session_id=session_id, text=text)
        with self._place():
            deadline = Deadline.after(self._settings.external_service_timeout)
            started = self._start(request, session_id=session_id, text=text)
            if isinstance(started, Answered):
                return started
            return Answered(turn=self._answer(started, deadline))

    def retry(self, *, user_id: int, session_id: int, turn_id: int) -> TurnoResponse:
        """Have a turn that was interrupted, or got a fallback, answered again, in its own place.

        Raises:
            Overloaded, NotFound, TurnInProgress: as :meth:`answer`.
            NothingToRetry: when the turn has its answer.
        """
        with self._place():
            deadline = Deadline.after(self._settings.external_service_timeout)
            started = self._start_again(user_id=user_id, session_id=session_id, turn_id=turn_id)
            return self._answer(started, deadline)

    @property
    def running(self) -> int:
        """How many turns this process is waiting for an answer to."""
        return len(self._running)

    def abandon(self) -> int:
        """Mark the turns that this process leaves without an answer as interrupted; returns how many.

        Raises:
            DatabaseUnavailable: when it cannot be written; they will read so once their deadline has passed.
        """
        left = tuple(self._running)
        with self._transaction() as session:
            self._turns.interrupt(session, left)
        return len(left)

    def get_turn(self, session: Session, *, user_id: int, session_id: int, turn_id: int) -> TurnoResponse:
        """One turn.

        Raises:
            NotFound: when the session is not this person's, or has no such turn.
        """
        sessions.get_or_raise(session, user_id=user_id, session_id=session_id)
        return self._turns.describe(turns.get_or_raise(session, session_id=session_id, turn_id=turn_id))

    def get_history(
        self, session: Session, *, user_id: int, session_id: int, limit: int | None, before: int | None
    ) -> list[TurnoResponse]:
        """The last ``limit`` turns below the id ``before``, oldest first; without both, all of them.

        Raises:
            NotFound: when the session is not this person's.
        """
        sessions.get_or_raise(session, user_id=user_id, session_id=session_id)
        page = turns.get_page(session, session_id=session_id, limit=limit, before=before)
        return [self._turns.describe(turn) for turn in page]

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of the places for turns that are worked on at once; nobody waits for one."""
        if not self._places.acquire(blocking=False):
            raise Overloaded
        try:
            yield
        finally:
            self._places.release()

    def _start(self, request: RequestKey, *, session_id: int, text: str | None) -> _Try | Answered:
        """Transaction one: read what the answer depends on and put the turn on record."""
        catalogs = self._catalogs.get()
        with self._transaction() as session:
            facts, profile = turns.lock_session(session, user_id=request.user_id, session_id=session_id)
            if known := self._answered_before(session, request, session_id=session_id):
                return known
            self._turns.require_idle(session, session_id=session_id)
            said = _what_is_said(text, prompt.first_input(facts, catalogs) if facts.respondida is None else None)
            turn = SesionAsesoriaDetalle(sesion_asesoria_id=session_id, texto_usuario=said, intento=1)
            session.add(turn)
            session.flush()
            idempotency.remember(session, request, turn_id=turn.id)
            return self._try(session, turn, facts, profile)

    def _start_again(self, *, user_id: int, session_id: int, turn_id: int) -> _Try:
        """Transaction one of another try: the turn is pending again, from now."""
        with self._transaction() as session:
            facts, profile = turns.lock_session(session, user_id=user_id, session_id=session_id)
            turn = turns.get_or_raise(session, session_id=session_id, turn_id=turn_id)
            self._turns.require_idle(session, session_id=session_id)
            if self._turns.state_of(turn.estado, turn.fecha_intento) not in turns.RETRYABLE:
                raise NothingToRetry
            turn.intento += 1
            turn.estado = TurnState.PENDING.value
            turn.texto_sistema = turn.error = turn.origen = None
            turn.fecha_intento = func.now()
            session.flush()
            return self._try(session, turn, facts, profile)

    def _answered_before(self, session: Session, request: RequestKey, *, session_id: int) -> Answered | None:
        turn_id = idempotency.find_turn_id(session, request)
        if turn_id is None:
            return None
        turn = self._turns.describe(turns.get_or_raise(session, session_id=session_id, turn_id=turn_id))
        if turn.estado == TurnState.PENDING.value:
            raise SameRequestRunning(retry_after_s=1)
        return Answered(turn=turn, is_replay=True)

    def _try(self, session: Session, turn: SesionAsesoriaDetalle, facts: SesionAsesoria, profile: Usuario) -> _Try:
        limits = self._settings
        said = turns.get_said(session, session_id=facts.id, limit=limits.history_max_turns, before=turn.id)
        history = prompt.chat_history(said, max_turns=limits.history_max_turns, max_chars=limits.history_max_chars)
        question = prompt.question(
            profile=profile,
            facts=facts,
            catalogs=self._catalogs.get(),
            history=history,
            text=turn.texto_usuario,
            today=datetime.now(UTC).date(),
        )
        return _Try(
            session_id=facts.id,
            turn_id=turn.id,
            number=turn.intento,
            question=question,
            is_first=facts.respondida is None,
            lacks_portfolio=facts.portafolio_entregado is None,
        )

    def _answer(self, started: _Try, deadline: Deadline) -> TurnoResponse:
        """Ask and write down, known as running meanwhile."""
        self._running.add(started.turn_id)
        try:
            return self._finish(started, self._ask(started, deadline), deadline)
        finally:
            self._running.discard(started.turn_id)

    def _ask(self, started: _Try, deadline: Deadline) -> _Outcome:
        """No transaction: ask the advisor and, on a first turn, the optimiser at the same time."""
        pending = None
        if started.lacks_portfolio:
            pending = self._executor.submit(copy_context().run, self._portfolio, started, deadline)
        try:
            answer = self._advisor.answer(started.question, deadline=deadline)
            text = _cleaned(answer)
        except UpstreamError as error:
            _log.warning("advisor_failed", turn_id=started.turn_id, kind=error.kind, detail=error.detail)
            outcome = self._fall_back(started, error, deadline)
        else:
            if not answer.is_advice:
                # Whoever says hello, or is in distress, is not handed a portfolio; the next answer carries it.
                pending = None
            outcome = _Outcome(state=TurnState.COMPLETED, text=text, origin=answer.origin, sources=answer.sources)
        # Only a first answer is worth a long wait: an optimiser that hangs must not slow a whole conversation down.
        grace_s = self._portfolio_grace_s if started.is_first else LATER_PORTFOLIO_GRACE_S
        grace_s = min(grace_s, deadline.remaining_s())
        return _with_portfolio(outcome, _wait_for(pending, grace_s, turn_id=started.turn_id))

    def _fall_back(self, started: _Try, error: UpstreamError, deadline: Deadline) -> _Outcome:
        """What the person gets instead of an answer."""
        outcome = _Outcome(state=TurnState.FALLBACK, text=texts.FALLBACK, origin=FALLBACK_ORIGIN, error=error.kind)
        if self._fallback is None:
            return outcome
        try:
            answer = self._fallback.answer(started.question, deadline=deadline)
        except (UpstreamError, DatabaseUnavailable) as second:
            _log.warning("fallback_failed", turn_id=started.turn_id, kind=type(second).__name__)
            return outcome
        text = texts.FALLBACK_WITH_ANSWER.format(answer=answer.text)
        return replace(outcome, text=text, sources=answer.sources)

    def _portfolio(self, started: _Try, deadline: Deadline) -> Portafolio | None:
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

    def _finish(self, started: _Try, outcome: _Outcome, deadline: Deadline) -> TurnoResponse:
        """Transaction two, tried again while the turn has time left: an answer is not lost to a database that restarts.

        Once more in any case, also when the advisor used all the time up.
        """
        patience = Deadline.after(max(WRITE_AGAIN_AFTER_S, deadline.remaining_s()))
        while not patience.passed:
            with suppress(DatabaseUnavailable):
                return self._write_down(started, outcome)
            time.sleep(WRITE_AGAIN_AFTER_S)
        return self._write_down(started, outcome)

    def _write_down(self, started: _Try, outcome: _Outcome) -> TurnoResponse:
        """Transaction two: the answer goes on record, unless the session is gone or a later try has begun."""
        values: dict[str, object] = {
            "texto_sistema": outcome.text,
            "estado": outcome.state.value,
            "origen": outcome.origin,
            "error": outcome.error,
            "fuentes": list(outcome.sources),
            "fecha_respuesta": func.now(),
        }
        if outcome.portfolio is not None:
            values["portafolio"] = outcome.portfolio.model_dump()
        statement = (
            update(SesionAsesoriaDetalle)
            .where(SesionAsesoriaDetalle.id == started.turn_id, SesionAsesoriaDetalle.intento == started.number)
            .values(**values)
            .returning(SesionAsesoriaDetalle)
        )
        with self._transaction() as session:
            # The session before the turn, as everybody locks them: two who meet must not wait for each other.
            _note_firsts(session, started, outcome)
            turn = session.scalar(statement)
            if turn is None:
                raise NotFound("turn")
        return self._turns.describe(turn)


def _note_firsts(session: Session, started: _Try, outcome: _Outcome) -> None:
    """Note on the session its first real answer and its portfolio; later turns write nothing here."""
    firsts: dict[str, object] = {}
    if started.is_first and outcome.state is TurnState.COMPLETED:
        firsts["respondida"] = func.now()
    if started.lacks_portfolio and outcome.portfolio is not None:
        firsts["portafolio_entregado"] = func.now()
    if firsts:
        session.execute(update(SesionAsesoria).where(SesionAsesoria.id == started.session_id).values(**firsts))


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


def _wait_for(pending: Future[Portafolio | None] | None, seconds: float, *, turn_id: int) -> Portafolio | None:
    if pending is None:
        return None
    try:
        return pending.result(timeout=seconds)
    except FutureTimeoutError:
        pending.cancel()
        _log.warning("optimizer_failed", turn_id=turn_id, kind="late")
        return None


def _with_portfolio(outcome: _Outcome, portfolio: Portafolio | None) -> _Outcome:
    """The answer with the portfolio's line at its end and the portfolio as data."""
    if portfolio is None:
        return outcome
    return replace(outcome, text=f"{outcome.text}\n\n{portfolios.sentence(portfolio)}", portfolio=portfolio)
