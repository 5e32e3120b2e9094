"""The embedded advisor: no language model, just articles written for this product, found and joined.

It finds the passages that a question is about, says what they mean for this person's goal, horizon and risk
tolerance, computes what can be computed, and names its sources. It says of itself that it is not a language model and
not a professional, and it does not answer what is not about personal finance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from maverik_backend.clients.rag import projection
from maverik_backend.clients.rag.base import Answer, Passage, PassageSearch, Question, Situation
from maverik_backend.clients.rag.vocabulary import searchable
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.text import fold
from maverik_backend.texts import advice as texts
from maverik_backend.texts import format as fmt

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext

FOUND_LIMIT = 12
# From the best article its opening and its best other passage; from the next ones the best, if it fits nearly as well.
PASSAGES_OF_BEST = 2
MAX_ARTICLES = 2
NEARLY_AS_GOOD = 0.7

_GREETINGS = re.compile(r"(hola|buenas|buen dia|buenos dias|buenas (tardes|noches)|que tal|hey)( maverik)?")
_THANKS = re.compile(r"((muchas|mil) )?gracias( por todo)?|genial|perfecto|buenisimo|listo|joya")
_POINTS_BACK = re.compile(r"\b(eso|esto|esos|esas|aquello|lo anterior|lo mismo|ahi)\b")
_GOES_ON = re.compile(r"^(y|pero|entonces|o sea)\b")
_MAX_POINTING_WORDS = 12
_MAX_GOING_ON_WORDS = 4
_ASKS_FOR_NUMBERS = re.compile(
    r"\b(cuant[oa]s?|llego|llegar|alcanza|alcanzo|junto|juntar|calcul\w+|proyecc\w+|cuentas?)\b"
)


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
        if small_talk := _small_talk(question.input):
            return Answer(text=small_talk, origin=self.origin)
        passages = self._find(question)
        if not passages:
            return Answer(text=texts.OFF_TOPIC, origin=self.origin)
        titles = tuple(dict.fromkeys(passage.title for passage in passages))
        blocks = [
            *(passage.text for passage in passages),
            *_case(question),
            *_projection(question),
            texts.SOURCES.format(titles="; ".join(titles)),
            texts.DISCLAIMER,
        ]
        return Answer(text="\n\n".join(blocks), origin=self.origin, sources=titles)

    def _find(self, question: Question) -> list[Passage]:
        """What to answer with. A short question that points back is read together with the one before it."""
        asked = question.input
        if question.chat_history and _follows_on(asked):
            asked = f"{question.chat_history[-1][0]} {asked}"
        return _pick(self._search(searchable(asked), limit=FOUND_LIMIT))


def _pick(found: Sequence[Passage]) -> list[Passage]:
    """A few passages of the best articles. An article is introduced by its opening before anything else of it."""
    if not found:
        return []
    articles = list(dict.fromkeys(p.article for p in found if p.score >= NEARLY_AS_GOOD * found[0].score))
    best = [passage for passage in found if passage.article == articles[0]]
    best.sort(key=lambda passage: passage.order != 1)  # stable: the opening, then the others as they fit
    others = [next(p for p in found if p.article == article) for article in articles[1:MAX_ARTICLES]]
    return [*best[:PASSAGES_OF_BEST], *others]


def _small_talk(text: str) -> str | None:
    plain = re.sub(r"[^\w\s]", "", fold(text)).strip()
    if _GREETINGS.fullmatch(plain):
        return texts.GREETING
    return texts.THANKS if _THANKS.fullmatch(plain) else None


def _follows_on(text: str) -> bool:
    plain = fold(text).lstrip("¿¡ ")
    words = len(plain.split())
    points_back = words <= _MAX_POINTING_WORDS and _POINTS_BACK.search(plain)
    return bool(points_back or (words <= _MAX_GOING_ON_WORDS and _GOES_ON.search(plain)))


def _case(question: Question) -> Iterator[str]:
    """What the person's facts mean: all of them on the first turn, later the one that weighs most."""
    sentences = list(_case_sentences(question.situation))
    if question.chat_history:
        sentences = sentences[:1]
    if sentences:
        yield texts.YOUR_CASE.format(advice=fmt.lower_first(" ".join(sentences)))


def _case_sentences(situation: Situation) -> Iterator[str]:
    """One sentence a fact, the weightiest first."""
    if situation.horizon_months:
        span = _span_of(situation.horizon_months)
        yield texts.HORIZON_CASES[span].format(horizon=fmt.months(situation.horizon_months))
    if situation.risk_tolerance in texts.RISK_CASES:
        yield texts.RISK_CASES[situation.risk_tolerance]
    if situation.goal:
        yield texts.GOAL_CASE.format(goal=fmt.lower_first(situation.goal))
    if situation.investment_knowledge in texts.BEGINNER_LEVELS:
        yield texts.BEGINNER_CASE
    if (situation.reaction_to_falls or "").startswith(texts.SELLER_START):
        yield texts.SELLS_IN_A_FALL_CASE


def _span_of(months: int) -> str:
    if months <= texts.SHORT_HORIZON_MONTHS:
        return "short"
    return "medium" if months <= texts.MEDIUM_HORIZON_MONTHS else "long"


def _projection(question: Question) -> Iterator[str]:
    """Where capital and savings lead by the horizon: on the first turn, and whenever the person asks about numbers."""
    situation = question.situation
    monthly = _monthly_saving(question)
    capital = situation.capital or Decimal(0)
    if not _wants_numbers(question) or not situation.horizon_months or not (capital or monthly):
        return
    hint = "" if monthly else texts.ASK_MONTHLY_SAVING
    yield _projection_text(situation, capital=capital, monthly=monthly or Decimal(0)) + hint


def _wants_numbers(question: Question) -> bool:
    is_first = not question.chat_history
    mentions_saving = projection.monthly_saving_in(question.input) is not None
    return is_first or mentions_saving or bool(_ASKS_FOR_NUMBERS.search(fold(question.input)))


def _monthly_saving(question: Question) -> Decimal | None:
    """The latest amount a month that the person mentioned in this conversation."""
    said = [question.input, *(person for person, _ in reversed(question.chat_history))]
    return next((amount for text in said if (amount := projection.monthly_saving_in(text))), None)


def _projection_text(situation: Situation, *, capital: Decimal, monthly: Decimal) -> str:
    months = situation.horizon_months or 0
    rate = projection.annual_return_for(situation.risk_tolerance)
    parts = []
    if capital:
        parts.append(texts.CONTRIBUTION_CAPITAL.format(capital=fmt.amount(capital)))
    if monthly:
        parts.append(texts.CONTRIBUTION_MONTHLY.format(monthly=fmt.amount(monthly)))
    projected = projection.future_value(
        capital=float(capital), monthly=float(monthly), months=months, annual_return=rate
    )
    return texts.PROJECTION.format(
        horizon=fmt.months(months),
        contributions=fmt.enumerate_spanish(parts),
        saved=fmt.amount(capital + monthly * months),
        rate=fmt.percent(rate * 100),
        projected=fmt.number(projected),
    )
