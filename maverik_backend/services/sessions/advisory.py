"""An advisory session as the turn engine sees it: whose it is, what its first text is, and how it is answered.

==============  =======================================================================================================
Rule            Value
==============  =======================================================================================================
Care            comes first (``services/safety``): danger, fraud and attempts at the rules are answered without asking
                an assistant, are remembered by the conversation, and it then gets no portfolio
Portfolio       in sessions with a goal, once for the facts as they are (again when they change), and whenever asked
                for; never beside care, refusals, small talk or general knowledge; made while the assistant answers
Portfolio late  at most :data:`PORTFOLIO_GRACE_S` after the first answer, :data:`LATER_PORTFOLIO_GRACE_S` after later
                ones; then the answer goes without it
Assistant fails services/assistants/assistants.py
==============  =======================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from maverik_backend.clients.rag.base import Question
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.principal import Principal
from maverik_backend.core.tokens import AccessClaims
from maverik_backend.errors import Cancelled, FieldError, InvalidInput
from maverik_backend.models import TurnState
from maverik_backend.services import accounts, safety
from maverik_backend.services.advice import (
    PendingPortfolio,
    Proposals,
    Refused,
    calls_for_portfolio,
    explanation,
    facts_behind,
    findings_of,
    risk_instruction,
    with_stated,
    with_suited_tolerance,
)
from maverik_backend.services.assistants import AssistantRequest, Assistants
from maverik_backend.services.catalogs import CatalogCache
from maverik_backend.services.sessions import prompt, store
from maverik_backend.services.sessions.records import SessionContext
from maverik_backend.services.turns import PORTFOLIO, Attempt, Data, Emit, Ending, Outcome, TextDelta
from maverik_backend.services.usage import Demand
from maverik_backend.settings import AdviceSettings
from maverik_backend.texts import validation

PORTFOLIO_GRACE_S = 5.0
LATER_PORTFOLIO_GRACE_S = 1.0
OWN_ORIGIN = "integrado"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceClients:
    """Who answers in advisory sessions: ``assistant`` is the slug of one of ``assistants``."""

    assistants: Assistants
    assistant: str
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
        self._verdicts: dict[tuple[int, int], safety.Verdict] = {}  # by turn and attempt

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

    def demand(self, context: SessionContext, message: str) -> Demand | None:
        if safety.judge(message, remembered=context.care).answer is not None:  # a person in danger gets it in any case
            return None
        return self._clients.assistants.demand(self._clients.assistant)

    def respond(self, attempt: Attempt, *, emit: Emit, deadline: Deadline) -> Ending:
        verdict = self._judge(attempt)
        if verdict.answer is not None:
            emit(TextDelta(text=verdict.answer))
            return Ending(origin=OWN_ORIGIN, is_advice=False)
        calls, question = self._question(attempt, told=verdict.instruction)
        may_have_portfolio = (
            calls and verdict.care is None and not any(found.is_complete for found in question.findings)
        )
        pending = self._ask_for_portfolio(attempt, question, deadline) if may_have_portfolio else None
        if verdict.lead:
            emit(TextDelta(text=f"{verdict.lead}\n\n"))
        request = AssistantRequest(
            question=question, principal=Principal(id=self._claims.user_id), turn_id=attempt.turn_id
        )
        ending = self._clients.assistants.answer(self._clients.assistant, request, emit=emit, deadline=deadline)
        if deadline.is_cancelled and ending.failure is None:  # a fallback stays one, and out of the history
            raise Cancelled
        if pending is not None and ending.is_advice and not deadline.is_cancelled:
            self._add_portfolio(attempt, pending, question, emit=emit, deadline=deadline)
        return ending

    def settle(self, db: Connection, attempt: Attempt, outcome: Outcome) -> bool:
        remembers = store.remember_care(db, attempt.context, self._judge(attempt).care)
        marks = store.mark_first_answer(
            db,
            attempt.context,
            is_answered=outcome.state is TurnState.COMPLETED and not outcome.is_stopped,
            portfolio_facts=self._portfolio_facts(attempt) if PORTFOLIO in outcome.data else None,
        )
        return remembers or marks

    def _judge(self, attempt: Attempt) -> safety.Verdict:
        """What care, fraud and injection mean for ``attempt``; looked for once, as hundreds of phrases are."""
        key = attempt.turn_id, attempt.number
        if key not in self._verdicts:
            self._verdicts[key] = safety.judge(attempt.message, remembered=attempt.context.care)
        return self._verdicts[key]

    def _portfolio_facts(self, attempt: Attempt) -> str:
        _, question = self._question(attempt, told=None)
        return facts_behind(question.situation)

    def _question(self, attempt: Attempt, *, told: str | None) -> tuple[bool, Question]:
        """Whether the message calls for a portfolio, and what the assistant is asked; ``told``: what care tells it."""
        settings = self._clients.settings
        history = prompt.chat_history(
            attempt.history, max_turns=settings.history_max_turns, max_chars=settings.history_max_chars
        )
        catalogs = self._clients.catalogs.get()
        today = datetime.now(UTC).date()
        question = prompt.question(attempt.context, catalogs, history=history, message=attempt.message, today=today)
        situation = with_stated(question.situation, [*(person for person, _ in history), attempt.message])
        situation = with_suited_tolerance(situation)
        question = replace(question, situation=situation)
        is_due = attempt.context.portfolio_facts != facts_behind(situation)
        calls = calls_for_portfolio(attempt.message, has_goal=situation.goal is not None, is_due=is_due)
        findings = findings_of(question, is_opening=calls and not history)
        instructions = [risk_instruction(situation), *(found.instruction for found in findings), told or ""]
        return calls, replace(question, findings=findings, instructions=tuple(filter(None, instructions)))

    def _ask_for_portfolio(self, attempt: Attempt, question: Question, deadline: Deadline) -> PendingPortfolio:
        return self._clients.proposals.ask(turn_id=attempt.turn_id, situation=question.situation, deadline=deadline)

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
