"""The life of a turn. Read :meth:`Chat.answer` from top to bottom: that is the product.

No transaction is open while anything waits on the network, so a slow service holds a thread but never a database
connection. What the person said is committed before anybody is asked, and is there whatever happens next.

=====================  ==========================================================================================
Rule                   Value
=====================  ==========================================================================================
Whole turn             ``EXTERNAL_SERVICE_TIMEOUT`` seconds for everything that waits on other services
At once                ``MAX_CONCURRENT_TURNS`` in a process, of which a person and an address have a share each
                       (:meth:`Chat._concurrency_slot`); another one is refused at once, never queued
In a session           one at a time
How often              ``Action.TURN`` of services/limits/throttle.py; a request that was answered before is not counted
Twice                  a request with an ``Idempotency-Key`` that came before gets the answer it got then; where it
                       got none because the process died, the turn is answered now, in its own place
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

import time
from concurrent.futures import Executor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from maverik_backend.clients.optimizer.base import Optimizer
from maverik_backend.clients.rag.base import Advisor, Answer, Question
from maverik_backend.core import markdown as answers
from maverik_backend.core import plain_text
from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.core.text import without_bidi_controls
from maverik_backend.core.tokens import AccessClaims
from maverik_backend.errors import (
    AddressBusy,
    DatabaseUnavailable,
    FieldError,
    InvalidInput,
    NotFound,
    SameRequestRunning,
    TooManyAtOnce,
    UpstreamBadAnswer,
    UpstreamError,
)
from maverik_backend.models import TurnState
from maverik_backend.schemas.session import Portafolio, TurnoResponse
from maverik_backend.services.accounts import auth
from maverik_backend.services.advice import Portfolio, Proposals, portfolio_sentence, risk_profile_for
from maverik_backend.services.catalogs import CatalogCache
from maverik_backend.services.limits import Action, ConcurrencyLimiter, Share, Throttle
from maverik_backend.services.sessions import prompt
from maverik_backend.services.sessions import session as sessions
from maverik_backend.services.turns import conversation, idempotency
from maverik_backend.services.turns import turn as turns
from maverik_backend.services.turns.conversation import Conversation, Said
from maverik_backend.services.turns.idempotency import RequestKey
from maverik_backend.services.turns.turn import TurnStore
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

    turn_id: int
    number: int
    question: Question
    facts: Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """How a turn ended."""

    state: TurnState
    text: str
    origin: str
    error: str | None = None
    sources: tuple[str, ...] = ()
    portfolio: Portfolio | None = None


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
        metrics: Metrics,
        throttle: Throttle,
        settings: AdviceSettings,
        portfolio_grace_s: float = PORTFOLIO_GRACE_S,
    ) -> None:
        """``fallback`` answers when ``advisor`` fails; ``executor`` runs the optimiser beside the advisor."""
        self._transaction = transaction
        self._advisor = advisor
        self._proposals = Proposals(optimizer=optimizer, executor=executor)
        self._fallback = fallback
        self._catalogs = catalogs
        self._metrics = metrics
        self._throttle = throttle
        self._settings = settings
        self._most = settings.history_max_turns
        self._portfolio_grace_s = portfolio_grace_s
        self._turns = TurnStore(turn_timeout_s=settings.external_service_timeout)
        self._concurrency = ConcurrencyLimiter(settings.max_concurrent_turns)
        self._running: set[int] = set()

    def answer(
        self,
        *,
        claims: AccessClaims,
        client_info: ClientInfo,
        session_id: int,
        text: str | None,
        idempotency_key: str | None = None,
    ) -> Answered:
        """Record what the person says, have it answered, record the answer.

        ``claims`` are those of a token that holds; whether its login is still open is seen in the query that loads the
        session. ``text`` may be ``None`` until the session has its first real answer: then the stored profile says it.

        Raises:
            Overloaded: when too many turns are under way in this process.
            TooManyAtOnce: when the person, or (``AddressBusy``) its address, has too many of them.
            NotAuthenticated: when the login is closed.
            TooManyTries: when the person had too many turns lately.
            NotFound: when the session is not this person's.
            InvalidInput: when a later turn has no text.
            TurnInProgress: when the session is answering something else, or (``SameRequestRunning``) this very request.
            IdempotencyKeyReused: when the key came before with another request.
        """
        request = RequestKey.of(user_id=claims.user_id, key=idempotency_key, session_id=session_id, text=text)
        if replay := self._replayed(request, claims, session_id=session_id):
            return replay
        with self._concurrency_slot(claims, client_info):
            self._throttle.count(Action.TURN, claims.principal.key)
            deadline = Deadline.after(self._settings.external_service_timeout)
            started = self._start(request, claims, session_id=session_id, text=text)
            if isinstance(started, Answered):
                return started
            return Answered(turn=self._answer(started, deadline))

    def retry(self, *, claims: AccessClaims, client_info: ClientInfo, session_id: int, turn_id: int) -> TurnoResponse:
        """Have a turn that was interrupted, or got a fallback, answered again, in its own place.

        Raises:
            Overloaded, TooManyAtOnce, TooManyTries, NotAuthenticated, NotFound, TurnInProgress: as :meth:`answer`.
            NothingToRetry: when the turn has its answer.
        """
        with self._concurrency_slot(claims, client_info):
            self._throttle.count(Action.TURN, claims.principal.key)
            deadline = Deadline.after(self._settings.external_service_timeout)
            started = self._start_again(claims, session_id=session_id, turn_id=turn_id)
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
        self, session: Session, *, user_id: int, session_id: int, limit: int, before: int | None
    ) -> tuple[list[TurnoResponse], bool]:
        """A page of turns below the id ``before``, oldest first, and whether there are older ones; see ``get_page``.

        Raises:
            NotFound: when the session is not this person's.
        """
        sessions.get_or_raise(session, user_id=user_id, session_id=session_id)
        page, has_older = turns.get_page(session, session_id=session_id, limit=limit, before=before)
        return [self._turns.describe(turn) for turn in page], has_older

    def _concurrency_slot(self, claims: AccessClaims, client_info: ClientInfo) -> AbstractContextManager[None]:
        """One of the turns that may be under way at once, within the shares of the person and of its address."""
        settings = self._settings
        return self._concurrency.slot(
            Share.of_principal(claims.principal, limit=settings.max_concurrent_turns_per_person, refusal=TooManyAtOnce),
            Share(kind="address", key=client_info.limit_address, limit=settings.turns_per_address, refusal=AddressBusy),
        )

    def _replayed(self, request: RequestKey, claims: AccessClaims, *, session_id: int) -> Answered | None:
        """The answer that this request got before. Transaction one looks again, under the session's lock."""
        if request.key is None:
            return None
        with self._transaction() as session:
            auth.authenticate(session, claims)
            known = self._earlier(session, request, session_id=session_id)
        return None if known is None or known.turn.estado == TurnState.INTERRUPTED.value else known

    def _start(
        self, request: RequestKey, claims: AccessClaims, *, session_id: int, text: str | None
    ) -> _Try | Answered:
        """Transaction one: read what the answer depends on and put the turn on record."""
        catalogs = self._catalogs.get()
        with self._transaction() as session:
            if request.key is not None:  # the key's row refers to the person, whom everybody locks before the session
                auth.authenticate(session, claims, is_to_stay=True)
            facts = conversation.lock(session, claims=claims, session_id=session_id)
            if known := self._earlier(session, request, session_id=session_id):
                if known.turn.estado != TurnState.INTERRUPTED.value:
                    return known
                return self._begin_again(session, facts, turn_id=known.turn.id)
            said = _what_is_said(text, None if facts.is_answered else prompt.first_input(facts, catalogs))
            turn_id, before = self._turns.add(session, session_id=session_id, said=said, most=self._most)
            idempotency.remember(session, request, turn_id=turn_id)
        return self._try(facts, before, turn_id=turn_id, said=said, number=1)

    def _start_again(self, claims: AccessClaims, *, session_id: int, turn_id: int) -> _Try:
        """Transaction one of another try: the turn is pending again, from now."""
        with self._transaction() as session:
            facts = conversation.lock(session, claims=claims, session_id=session_id)
            return self._begin_again(session, facts, turn_id=turn_id)

    def _begin_again(self, session: Session, facts: Conversation, *, turn_id: int) -> _Try:
        turn = self._turns.begin_again(session, session_id=facts.session_id, turn_id=turn_id)
        before = conversation.get_said(session, session_id=facts.session_id, before=turn.id, most=self._most)
        return self._try(facts, before, turn_id=turn.id, said=turn.texto_usuario, number=turn.intento)

    def _earlier(self, session: Session, request: RequestKey, *, session_id: int) -> Answered | None:
        """What this request got when it came before: its answer, or the turn that was left without one."""
        turn_id = idempotency.find_turn_id(session, request)
        if turn_id is None:
            return None
        turn = self._turns.describe(turns.get_or_raise(session, session_id=session_id, turn_id=turn_id))
        if turn.estado == TurnState.PENDING.value:
            raise SameRequestRunning(retry_after_s=1)
        return Answered(turn=turn, is_replay=True)

    def _try(self, facts: Conversation, before: Said, *, turn_id: int, said: str, number: int) -> _Try:
        question = prompt.question(
            profile=facts,
            facts=facts,
            catalogs=self._catalogs.get(),
            history=prompt.chat_history(before, max_turns=self._most, max_chars=self._settings.history_max_chars),
            text=said,
            today=datetime.now(UTC).date(),
        )
        return _Try(turn_id=turn_id, number=number, question=question, facts=facts)

    def _answer(self, started: _Try, deadline: Deadline) -> TurnoResponse:
        """Ask and write down, known as running meanwhile."""
        self._running.add(started.turn_id)
        try:
            outcome = self._ask(started, deadline)
            turn = self._finish(started, outcome, deadline)
            self._metrics.count_turn(state=outcome.state, origin=outcome.origin)
            return turn
        finally:
            self._running.discard(started.turn_id)

    def _ask(self, started: _Try, deadline: Deadline) -> _Outcome:
        """No transaction: ask the advisor and, on a first turn, the optimiser at the same time."""
        pending = None
        if not started.facts.has_portfolio:
            risk_profile = risk_profile_for(started.question.situation.risk_tolerance)
            pending = self._proposals.ask(turn_id=started.turn_id, risk_profile=risk_profile, deadline=deadline)
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
        if pending is None:
            return outcome
        # Only a first answer is worth a long wait: an optimiser that hangs must not slow a whole conversation down.
        grace_s = LATER_PORTFOLIO_GRACE_S if started.facts.is_answered else self._portfolio_grace_s
        within_s = min(grace_s, deadline.remaining_s())
        return _with_portfolio(outcome, self._proposals.take(pending, turn_id=started.turn_id, within_s=within_s))

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

    def _finish(self, started: _Try, outcome: _Outcome, deadline: Deadline) -> TurnoResponse:
        """Transaction two, tried again while the turn has time left: an answer is not lost to a database that restarts.

        Once more in any case, also when the advisor used all the time up.
        """
        plain = plain_text.of(outcome.text)
        patience = Deadline.after(max(WRITE_AGAIN_AFTER_S, deadline.remaining_s()))
        while not patience.passed:
            with suppress(DatabaseUnavailable):
                return self._write_down(started, outcome, plain)
            time.sleep(WRITE_AGAIN_AFTER_S)
        return self._write_down(started, outcome, plain)

    def _write_down(self, started: _Try, outcome: _Outcome, plain: str) -> TurnoResponse:
        """Transaction two: the answer goes on record, unless the session is gone or a later try has begun."""
        with self._transaction() as session:
            # The session before the turn, as everybody locks them: two who meet must not wait for each other.
            conversation.note_firsts(
                session,
                started.facts,
                is_answered=outcome.state is TurnState.COMPLETED,
                has_portfolio=outcome.portfolio is not None,
            )
            written = conversation.write_answer(
                session,
                turn_id=started.turn_id,
                number=started.number,
                text=outcome.text,
                plain_text=plain,
                state=outcome.state.value,
                origin=outcome.origin,
                failure=outcome.error,
                sources=list(outcome.sources),
                portfolio=outcome.portfolio and outcome.portfolio.as_json(),
            )
        if written is None:
            raise NotFound("turn")
        return _as_response(started, outcome, plain, *written)


def _as_response(
    started: _Try, outcome: _Outcome, plain: str, portfolio: dict[str, Any] | None, created: datetime | None
) -> TurnoResponse:
    return TurnoResponse(
        id=started.turn_id,
        sesion_asesoria_id=started.facts.session_id,
        input=without_bidi_controls(started.question.input),
        output=plain,
        output_markdown=outcome.text,
        estado=outcome.state,
        origen=outcome.origin,
        portafolio=Portafolio.model_validate(portfolio) if portfolio else None,
        fuentes=list(outcome.sources),
        fecha_creacion=created,
    )


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


def _with_portfolio(outcome: _Outcome, portfolio: Portfolio | None) -> _Outcome:
    """The answer with the portfolio's line at its end and the portfolio as data."""
    if portfolio is None:
        return outcome
    return replace(outcome, text=f"{outcome.text}\n\n{portfolio_sentence(portfolio)}", portfolio=portfolio)
