"""What an advisor is: it answers a question, knowing the person and the conversation so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from maverik_backend.core.deadline import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The facts behind a session, for advisors that compute. Texts are the catalogues' Spanish ones.

    ``age`` is in years. ``currency`` (``"ars"``, ``"usd"``) and ``wants_no_losses`` are what the person said in the
    conversation. ``suited_tolerance`` is the tolerance that the risk that suits the person stands for.
    """

    goal: str | None = None
    capital: Decimal | None = None
    horizon_months: int | None = None
    risk_tolerance: str | None = None
    investment_knowledge: str | None = None
    reaction_to_falls: str | None = None
    investing_experience: str | None = None
    holding_period: str | None = None
    seeks: str | None = None
    invested_share: str | None = None
    age: int | None = None
    currency: str | None = None
    wants_no_losses: bool = False
    suited_tolerance: str | None = None


class FindingKind(StrEnum):
    """What was found out: a wish that does not suit, a sum that is asked for, one that is offered."""

    UNSUITABLE = "unsuitable"
    SUM = "sum"
    OFFER = "offer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that the product knows about a message.

    ``text`` is what the person should read of it, ``instruction`` what an advisor that writes by itself is told.
    ``is_complete`` is whether nothing else needs to be said, ``months`` the term that a sum was made for.
    """

    kind: FindingKind
    text: str
    instruction: str
    is_complete: bool = False
    months: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One turn as an advisor sees it.

    ``user_profile`` and ``input`` are Spanish texts. ``chat_history`` holds earlier turns as (person, advisor), oldest
    first, already bounded. ``situation`` repeats as data what ``user_profile`` says in words. ``instructions`` are the
    product's own, for an assistant that writes by itself; one without a language model says the texts of ``findings``.
    """

    user_profile: str
    chat_history: tuple[tuple[str, str], ...]
    input: str
    situation: Situation
    findings: tuple[Finding, ...] = ()
    instructions: tuple[str, ...] = ()

    @property
    def lead(self) -> str:
        """What comes before an answer that is shown as it is written, and cannot be held against the findings."""
        return "".join(f"{finding.text}\n\n" for finding in self.findings if finding.is_complete)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the advisor said, as Markdown; ``origin`` names who, ``sources`` the titles it rests on.

    ``is_advice`` is false for what no portfolio belongs to: small talk, redirections, refusals, help in an emergency.
    """

    text: str
    origin: str
    sources: tuple[str, ...] = ()
    is_advice: bool = True


class Advisor(Protocol):
    """Answers turns. Implementations are safe to call from several threads at once."""

    def answer(self, question: Question, *, deadline: Deadline) -> Answer:
        """A non-empty answer to ``question``.

        Raises:
            UpstreamError: when there is none before ``deadline``.
        """
        ...

    def check(self, *, deadline: Deadline) -> None:
        """See whether it could answer, without asking it anything that costs.

        Raises:
            UpstreamError: when it could not, or does not say so before ``deadline``.
        """
        ...


@runtime_checkable
class StreamingAdvisor(Advisor, Protocol):
    """An advisor whose text arrives in pieces."""

    def stream(self, question: Question, *, on_text: Callable[[str], None], deadline: Deadline) -> Answer:
        """As :meth:`Advisor.answer`; ``on_text`` gets each piece as it comes, in order, perhaps in another thread.

        The ``text`` of the result is all pieces joined.

        Raises:
            UpstreamError: when there is no answer, or its rest does not come before ``deadline``.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of the knowledge base that was found for a question; a higher ``score`` fits better.

    ``order`` is its position in its article, from 1.
    """

    article: str
    title: str
    order: int
    text: str
    score: float


class PassageSearch(Protocol):
    """Finds passages about what a text asks; nothing when the text is about something else."""

    def __call__(self, text: str, *, limit: int) -> Sequence[Passage]:
        """At most ``limit`` passages, best first.

        Raises:
            DatabaseUnavailable: when the index cannot be read.
        """
        ...
