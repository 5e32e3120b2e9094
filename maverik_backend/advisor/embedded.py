"""The embedded advisor: no language model, just articles written for this product, found and joined.

It tells a question about money from everything else (``intent``), reads it in its conversation (``conversation``),
finds the passages that it is about (``selection``), says what was found out before (``Question.findings``: sums, and
wishes that do not suit) and what that means for this person (``case``), and names its sources. It says of itself that
it is not a language model and not a professional.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from maverik_backend.advisor.case import case_of, is_expert, is_own_decision
from maverik_backend.advisor.conversation import Conversation, aspects_of, follows_on, goes_on, own_subject
from maverik_backend.advisor.intent import Intent, intent_of
from maverik_backend.advisor.selection import (
    MAX_JOINED,
    PASSAGES_OF_BEST,
    choose,
    compares,
    introduce,
    is_joined,
    is_named,
    pieces_of,
    speaks_of,
)
from maverik_backend.advisor.vocabulary import (
    ABOUT_COMPANIES,
    ABOUT_PROFILES,
    GENERAL_ADVICE,
    searchable,
)
from maverik_backend.clients.rag.base import Answer, Finding, FindingKind, Passage, PassageSearch, Question
from maverik_backend.core.deadline import Deadline
from maverik_backend.texts import advice as texts
from maverik_backend.texts import format as fmt

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext

FOUND_LIMIT = 12
# All of one article, among others that its title finds.
SUBJECT_LIMIT = 40
MAX_PIECES = 6
MAX_UNCLEAR_WORDS = 4

# What is answered with one text, whatever was said before.
_FIXED = {
    Intent.CRIME: texts.CRIME,
    Intent.ENGLISH: texts.ONLY_SPANISH,
    Intent.GREETING: texts.GREETING,
    Intent.ABOUT: texts.ABOUT,
    Intent.THANKS: texts.THANKS,
    Intent.GOODBYE: texts.GOODBYE,
    Intent.HUMAN: texts.HUMAN,
    Intent.YOUR_DATA: texts.YOUR_DATA,
    Intent.INSULT: texts.INSULT,
    Intent.QUOTE: texts.NO_QUOTES,
}
# What is answered with a text first and then the passage that fits a topic best.
_LEADS = {
    Intent.COMPANY: (texts.NO_OPINION_ON_COMPANIES, ABOUT_COMPANIES),
    Intent.PORTFOLIO: (texts.PORTFOLIO_FROM, ABOUT_PROFILES),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The passages to show; ``is_joined`` is whether each stands for one of several things asked about."""

    passages: list[Passage] = field(default_factory=list)
    is_joined: bool = False


class EmbeddedAdvisor:
    """An :class:`~maverik_backend.clients.rag.base.Advisor` that needs nothing but the database."""

    origin = "integrado"

    def __init__(self, search: PassageSearch) -> None:
        """``search`` finds passages; it reads the index that ``services.knowledge`` keeps."""
        self._search = search

    @classmethod
    def from_context(cls, context: ClientContext) -> Self:
        return cls(context.search)

    def answer(self, question: Question, *, deadline: Deadline) -> Answer:  # noqa: ARG002 - nothing here waits on the network
        if complete := [finding for finding in question.findings if finding.is_complete]:
            return self._found_out(complete)
        conversation = Conversation(question.chat_history)
        intent = intent_of(question.input)
        if intent in _FIXED:
            return self._talk(_FIXED[intent])
        return self._answer_in(conversation, question, intent)

    def check(self, *, deadline: Deadline) -> None:
        """It is there as long as the database is, whose health is looked at by itself."""

    def _answer_in(self, conversation: Conversation, question: Question, intent: Intent | None) -> Answer:
        """What depends on the conversation."""
        if intent in _LEADS:
            return self._with_lead(*_LEADS[intent], conversation)
        said_of = {
            Intent.ACKNOWLEDGES: self._acknowledge,
            Intent.WHAT_I_ASKED: self._what_was_asked,
            Intent.MORE: self._more,
            Intent.SIMPLER: self._simpler,
            Intent.UNCLEAR: self._ask_back,
        }
        return said_of[intent](conversation) if intent in said_of else self._advise(conversation, question)

    def _advise(self, conversation: Conversation, question: Question) -> Answer:
        is_opening = not conversation.has_advice and is_own_decision(question.input)
        goal_sum = next(iter(question.findings), None)
        is_asked = goal_sum is not None and goal_sum.kind is FindingKind.SUM
        found = self._find(question, conversation)
        if not found.passages and not is_asked:
            return self._not_understood(conversation, question.input)
        if is_asked and not found.is_joined:
            found = replace(found, passages=found.passages[:1])
        case = case_of(question.situation, months=goal_sum.months if goal_sum else None) if is_opening else None
        return self._told(_in_order(goal_sum, found, case), found.passages)

    def _found_out(self, findings: Sequence[Finding]) -> Answer:
        """What was found out before is all that is to be said."""
        is_advice = all(finding.kind is FindingKind.SUM for finding in findings)
        text = "\n\n".join([*(finding.text for finding in findings), texts.DISCLAIMER])
        return Answer(text=text, origin=self.origin, is_advice=is_advice)

    def _not_understood(self, conversation: Conversation, asked: str) -> Answer:
        """No article is about it. A few words in the middle of a conversation may still belong to it."""
        if conversation.subject and len(asked.split()) <= MAX_UNCLEAR_WORDS:
            return self._talk(texts.NOT_UNDERSTOOD.format(title=conversation.subject[0]))
        return self._talk(texts.OFF_TOPIC)

    def _ask_back(self, conversation: Conversation) -> Answer:
        titles = conversation.subject
        return self._talk(texts.NOT_UNDERSTOOD.format(title=titles[0]) if titles else texts.MORE_OF_WHAT)

    def _find(self, question: Question, conversation: Conversation) -> _Found:
        """Passages about all that the question joins, about what it points back to, or about what it names."""
        asked = question.input
        whole = self._search(searchable(asked), limit=FOUND_LIMIT)
        parts = self._parts(asked, conversation)
        if is_joined(whole, parts[:MAX_JOINED]) or (len(parts) > 1 and compares(asked)):
            return _joined(parts[:MAX_JOINED], conversation)
        if conversation.subject and follows_on(asked):
            parts = self._follow_up(asked, conversation)
            if len(parts) > 1:
                return _Found(passages=[part[0] for part in parts], is_joined=True)
            whole = parts[0] if parts else ()
        if not whole and is_own_decision(asked) and not own_subject(asked):
            whole = self._search(searchable(question.situation.goal or GENERAL_ADVICE), limit=FOUND_LIMIT)
        chosen = choose(asked, whole, is_shown=conversation.has_shown, is_expert=is_expert(question.situation))
        return _Found(passages=chosen)

    def _parts(self, asked: str, conversation: Conversation) -> list[Sequence[Passage]]:
        """What is found for each thing that the question joins and names; "than that" is what was spoken of."""
        parts: dict[str, Sequence[Passage]] = {}
        pieces = pieces_of(asked)
        for piece in pieces[:MAX_PIECES] if len(pieces) > 1 else ():
            found = self._search(searchable(piece), limit=FOUND_LIMIT)
            if found and is_named(found[0], searchable(piece)):
                parts.setdefault(found[0].article, found)
        if len(parts) == 1 and compares(asked):
            parts = {subject[0].article: subject for subject in self._subjects(conversation)[:1]} | parts
        return list(parts.values())

    def _follow_up(self, asked: str, conversation: Conversation) -> list[Sequence[Passage]]:
        """A follow-up that names something else changes the subject; one that does not stays with it."""
        if own := own_subject(asked):
            found = self._search(searchable(own), limit=FOUND_LIMIT)
            if found and (is_named(found[0], searchable(own)) or goes_on(asked)):
                return [found]
        subjects = self._subjects(conversation, asked)
        unseen: list[Sequence[Passage]] = [left for part in subjects if (left := _unseen(part, conversation))]
        aspects = aspects_of(asked)
        if unseen and (not aspects or any(speaks_of(passage, aspects) for part in subjects for passage in part)):
            return unseen
        found = self._search(searchable(asked), limit=FOUND_LIMIT) if aspects or own else ()
        return [found] if found else unseen or subjects

    def _subjects(self, conversation: Conversation, asked: str = "") -> list[Sequence[Passage]]:
        """The passages of each article spoken of last, those first that fit what is asked."""
        subjects: list[Sequence[Passage]] = []
        for title in conversation.subject:
            found = self._search(searchable(f"{title} {asked}"), limit=SUBJECT_LIMIT)
            subjects.append([passage for passage in found if passage.title == title])
        return [subject for subject in subjects if subject]

    def _more(self, conversation: Conversation) -> Answer:
        """What was not shown yet: the next two passages, or the next one of each thing that was compared."""
        subjects = [sorted(subject, key=lambda passage: passage.order) for subject in self._subjects(conversation)]
        if not subjects:
            return self._talk(texts.MORE_OF_WHAT)
        unseen = [left for subject in subjects if (left := _unseen(subject, conversation))]
        if not unseen:
            return self._talk(texts.NOTHING_MORE.format(title=subjects[0][0].title))
        is_one = len(unseen) == 1
        passages = unseen[0][:PASSAGES_OF_BEST] if is_one else [part[0] for part in unseen]
        found = _Found(passages=passages, is_joined=not is_one)
        return self._told(_in_order(None, found, None), passages)

    def _simpler(self, conversation: Conversation) -> Answer:
        """The opening's first sentence, and an example."""
        subjects = self._subjects(conversation)
        if not subjects:
            return self._talk(texts.MORE_OF_WHAT)
        subject = sorted(subjects[0], key=lambda passage: passage.order)
        sentence = re.split(r"(?<=\.)\s", subject[0].text, maxsplit=1)[0]
        example = [passage for passage in subject if texts.EXAMPLE in passage.text][:1]
        blocks = [texts.SIMPLER.format(sentence=fmt.lower_first(sentence)), *(passage.text for passage in example)]
        return self._told(blocks, subject[:1])

    def _acknowledge(self, conversation: Conversation) -> Answer:
        titles = conversation.subject
        return self._talk(texts.CONTINUE.format(title=titles[0]) if titles else texts.WHAT_NEXT)

    def _what_was_asked(self, conversation: Conversation) -> Answer:
        questions = [texts.QUOTED.format(question=said) for said in conversation.latest_questions]
        if not questions:
            return self._talk(texts.YOU_ASKED_NOTHING)
        return self._talk(texts.YOU_ASKED.format(questions=fmt.enumerate_spanish(questions)))

    def _with_lead(self, lead: str, topic: str, conversation: Conversation) -> Answer:
        """``lead``, then the passage that fits ``topic`` best and was not shown."""
        found = self._search(topic, limit=FOUND_LIMIT)
        passages = [passage for passage in found[:PASSAGES_OF_BEST] if not conversation.has_shown(passage)][:1]
        return self._told([lead, *(passage.text for passage in passages)], passages)

    def _told(self, blocks: Iterable[str], passages: Sequence[Passage]) -> Answer:
        """Everything said, its sources and what the advisor is not."""
        titles = tuple(dict.fromkeys(passage.title for passage in passages))
        sources = [texts.SOURCES.format(titles="; ".join(titles))] if titles else []
        text = "\n\n".join([*blocks, *sources, texts.DISCLAIMER])
        return Answer(text=text, origin=self.origin, sources=titles)

    def _talk(self, text: str) -> Answer:
        return Answer(text=text, origin=self.origin, is_advice=False)


def _unseen(passages: Iterable[Passage], conversation: Conversation) -> list[Passage]:
    return [passage for passage in passages if not conversation.has_shown(passage)]


def _joined(parts: Iterable[Sequence[Passage]], conversation: Conversation) -> _Found:
    """One passage for each of the things that were put together."""
    return _Found(passages=[introduce(part, is_shown=conversation.has_shown) for part in parts], is_joined=True)


def _in_order(goal_sum: Finding | None, found: _Found, case: str | None) -> list[str]:
    """A sum that was asked for comes first, one that is offered last; joined passages stand under their titles."""
    told = [passage.text for passage in found.passages]
    if found.is_joined:
        told = [texts.UNDER_TITLE.format(title=passage.title, text=passage.text) for passage in found.passages]
    first = goal_sum.text if goal_sum and goal_sum.kind is FindingKind.SUM else None
    last = goal_sum.text if goal_sum and goal_sum.kind is FindingKind.OFFER else None
    return [block for block in (first, *told, case, last) if block]
