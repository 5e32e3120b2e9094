"""An advisory session as the turn engine sees it: whose it is, what its first text is, and how it is answered.

==============  =======================================================================================================
Rule            Value
==============  =======================================================================================================
Care            comes first (``services/safety``): danger, fraud and attempts at the rules are answered without asking
                an advisor, are remembered by the conversation, and it then gets no portfolio
Portfolio       in sessions with a goal, once for the facts as they are (again when they change), and whenever asked
                for; never beside care, refusals, small talk or general knowledge; made while the advisor thinks
Portfolio late  at most :data:`PORTFOLIO_GRACE_S` after the first answer, :data:`LATER_PORTFOLIO_GRACE_S` after later
                ones; then the answer goes without it
Advisor fails   a text that says so, with what the fallback advisor has to say where there is one; when part of the text
                was sent already, that part and a sentence that it is incomplete
==============  =======================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection

from maverik_backend.clients.rag.base import Advisor, Answer, Question, StreamingAdvisor
from maverik_backend.core import markdown
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.markdown_stream import StreamCleaner
from maverik_backend.core.tokens import AccessClaims
from maverik_backend.errors import (
    Cancelled,
    DatabaseUnavailable,
    FieldError,
    InvalidInput,
    UpstreamBadAnswer,
    UpstreamError,
)
from maverik_backend.models import TurnState
from maverik_backend.services import accounts, safety
from maverik_backend.services.advice import (
    PendingPortfolio,
    Proposals,
    Refused,
    calls_for_portfolio,
    explanation,
    facts_behind,
    risk_instruction,
)
from maverik_backend.services.catalogs import CatalogCache
from maverik_backend.services.sessions import prompt, store
from maverik_backend.services.sessions.records import SessionContext
from maverik_backend.services.turns import PORTFOLIO, Attempt, Data, Emit, Ending, Outcome, Source, TextDelta
from maverik_backend.settings import AdviceSettings
from maverik_backend.texts import advice as texts
from maverik_backend.texts import validation

PORTFOLIO_GRACE_S = 5.0
LATER_PORTFOLIO_GRACE_S = 1.0
FALLBACK_ORIGIN = "respaldo"
OWN_ORIGIN = "integrado"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceClients:
    """Who answers in advisory sessions. ``fallback`` answers when ``advisor`` fails; ``None``: only a sentence does."""

    advisor: Advisor
    fallback: Advisor | None
    proposals: Proposals
    catalogs: CatalogCache
    settings: AdviceSettings
    portfolio_grace_s: float = PORTFOLIO_GRACE_S


class AdvisorySessions:
    """The advisory sessions of the person whose ``claims`` are those of a token that holds.

    Whether the login behind the token is still open is seen in the query that locks the session.
    """

    def __init__(self, clients: AdviceClients, claims: AccessClaims) -> None:
        self._clients = clients
        self._claims = claims

    def prepare(self) -> None:
        self._clients.catalogs.get()

    def authenticate(self, db: Connection, *, for_key_share: bool = False) -> None:
        accounts.authenticate(db, self._claims, for_key_share=for_key_share)

    def lock(self, db: Connection, conversation_id: int) -> SessionContext:
        return store.lock(db, claims=self._claims, session_id=conversation_id)

    def message_of(self, context: SessionContext, text: str | None) -> str:
        if text:
            return text
        if context.is_answered:
            raise InvalidInput([FieldError("input", validation.FIRST_INPUT_ONLY)])
        return prompt.first_input(context, self._clients.catalogs.get())

    def respond(self, attempt: Attempt, *, emit: Emit, deadline: Deadline) -> Ending:
        verdict = _judge(attempt)
        if verdict.answer is not None:
            emit(TextDelta(text=verdict.answer))
            return Ending(origin=OWN_ORIGIN, is_advice=False)
        question = self._question(attempt, told=verdict.instruction)
        pending = self._ask_for_portfolio(attempt, question, deadline) if verdict.care is None else None
        if verdict.lead:
            emit(TextDelta(text=f"{verdict.lead}\n\n"))
        ending = self._answer(attempt, question, emit=emit, deadline=deadline)
        if deadline.is_cancelled and ending.failure is None:  # a fallback stays one, and out of the history
            raise Cancelled
        if pending is not None and ending.is_advice and not deadline.is_cancelled:
            self._add_portfolio(attempt, pending, question, emit=emit, deadline=deadline)
        return ending

    def settle(self, db: Connection, attempt: Attempt, outcome: Outcome) -> bool:
        remembers = store.remember_care(db, attempt.context, _judge(attempt).care)
        marks = store.mark_first_answer(
            db,
            attempt.context,
            is_answered=outcome.state is TurnState.COMPLETED and not outcome.is_stopped,
            portfolio_facts=self._facts(attempt) if PORTFOLIO in outcome.data else None,
        )
        return remembers or marks

    def _facts(self, attempt: Attempt) -> str:
        return facts_behind(self._question(attempt, told=None).situation)

    def _question(self, attempt: Attempt, *, told: str | None) -> Question:
        """``told`` is what the advisor is told besides the facts."""
        settings = self._clients.settings
        history = prompt.chat_history(
            attempt.history, max_turns=settings.history_max_turns, max_chars=settings.history_max_chars
        )
        catalogs = self._clients.catalogs.get()
        today = datetime.now(UTC).date()
        question = prompt.question(attempt.context, catalogs, history=history, message=attempt.message, today=today)
        lines = [question.user_profile, risk_instruction(question.situation), *([told] if told else [])]
        return replace(question, user_profile="\n".join(lines))

    def _answer(self, attempt: Attempt, question: Question, *, emit: Emit, deadline: Deadline) -> Ending:
        """The advisor's answer, or what stands in for it."""
        text = _Text(emit)
        try:
            answer = _ask(self._clients.advisor, question, add=text.add, deadline=deadline)
            text.end()
        except UpstreamError as error:
            text.end()
            if deadline.is_cancelled:
                raise Cancelled from None
            _log.warning("advisor_failed", turn_id=attempt.turn_id, kind=error.kind, detail=error.detail)
            if text.has_begun:
                emit(TextDelta(text=texts.CUT_OFF))
                return Ending(origin=FALLBACK_ORIGIN, failure=error.kind, is_advice=False)
            return self._fall_back(attempt, question, error, emit=emit, deadline=deadline)
        _emit_sources(answer, emit)
        return Ending(origin=answer.origin, is_advice=answer.is_advice)

    def _fall_back(
        self, attempt: Attempt, question: Question, error: UpstreamError, *, emit: Emit, deadline: Deadline
    ) -> Ending:
        """What the person gets instead of an answer."""
        ending = Ending(origin=FALLBACK_ORIGIN, failure=error.kind)
        if self._clients.fallback is None:
            emit(TextDelta(text=texts.FALLBACK))
            return ending
        try:
            answer = self._clients.fallback.answer(question, deadline=deadline)
        except (UpstreamError, DatabaseUnavailable) as second:
            _log.warning("fallback_failed", turn_id=attempt.turn_id, kind=type(second).__name__)
            emit(TextDelta(text=texts.FALLBACK))
            return ending
        emit(TextDelta(text=texts.FALLBACK_WITH_ANSWER.format(answer=safety.OutputGuard().check(answer.text))))
        _emit_sources(answer, emit)
        return ending

    def _ask_for_portfolio(self, attempt: Attempt, question: Question, deadline: Deadline) -> PendingPortfolio | None:
        situation = question.situation
        is_due = attempt.context.portfolio_facts != facts_behind(situation)
        if not calls_for_portfolio(attempt.message, has_goal=situation.goal is not None, is_due=is_due):
            return None
        return self._clients.proposals.ask(turn_id=attempt.turn_id, situation=situation, deadline=deadline)

    def _add_portfolio(
        self,
        attempt: Attempt,
        pending: PendingPortfolio,
        question: Question,
        *,
        emit: Emit,
        deadline: Deadline,
    ) -> None:
        """The portfolio's text and data, if it comes in time."""
        # Only a first answer is worth a long wait: an optimiser that hangs must not slow a whole conversation down.
        grace_s = LATER_PORTFOLIO_GRACE_S if attempt.context.is_answered else self._clients.portfolio_grace_s
        within_s = min(grace_s, deadline.remaining_s())
        proposal = self._clients.proposals.take(pending, turn_id=attempt.turn_id, within_s=within_s)
        if proposal is None:
            return
        if isinstance(proposal, Refused):
            emit(TextDelta(text=f"\n\n{proposal.reason}"))
            return
        emit(TextDelta(text=f"\n\n{explanation(proposal, question.situation)}"))
        emit(Data(name=PORTFOLIO, value=proposal.as_json()))


class _Text:
    """Emits pieces of a text as far as they may be shown, and knows whether there was any."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._guard = safety.OutputGuard()
        self.has_begun = False

    def add(self, piece: str) -> None:
        self.has_begun = True
        self._emit_all(self._guard.feed(piece))

    def end(self) -> None:
        """Emit what was held back."""
        self._emit_all(self._guard.end())

    def _emit_all(self, pieces: Iterator[str]) -> None:
        for piece in pieces:
            self._emit(TextDelta(text=piece))


def _judge(attempt: Attempt) -> safety.Verdict:
    return safety.judge(attempt.message, remembered=attempt.context.care)


def _ask(advisor: Advisor, question: Question, *, add: Callable[[str], None], deadline: Deadline) -> Answer:
    """Have the advisor answer; ``add`` gets its text in pieces that are safe to show, joined safe as well.

    Raises:
        UpstreamError: when there is no answer, or the rest of it does not come.
    """
    if isinstance(advisor, StreamingAdvisor):
        return _ask_streaming(advisor, question, add=add, deadline=deadline)
    answer = advisor.answer(question, deadline=deadline)
    text = markdown.clean(answer.text)
    if not text:
        raise UpstreamBadAnswer(answer.origin, "nothing left after cleaning")
    add(text)
    return answer


def _ask_streaming(
    advisor: StreamingAdvisor, question: Question, *, add: Callable[[str], None], deadline: Deadline
) -> Answer:
    cleaner = StreamCleaner()

    def add_all(pieces: Iterator[str]) -> None:
        for piece in pieces:
            add(piece)

    try:
        answer = advisor.stream(question, on_text=lambda piece: add_all(cleaner.feed(piece)), deadline=deadline)
    except UpstreamError:
        if not cleaner.is_empty:  # a sentence that says so follows: outside of any block that was left open
            add_all(cleaner.end())
        raise
    add_all(cleaner.end())
    if cleaner.is_empty:
        raise UpstreamBadAnswer(answer.origin, "nothing left after cleaning")
    return answer


def _emit_sources(answer: Answer, emit: Emit) -> None:
    for title in answer.sources:
        emit(Source(title=title))
