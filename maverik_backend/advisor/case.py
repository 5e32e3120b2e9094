"""What the person's facts mean for the advice, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from maverik_backend.clients.rag.base import Situation
from maverik_backend.core.text import fold
from maverik_backend.texts import advice as texts
from maverik_backend.texts import format as fmt

_OWN_DECISION = re.compile(
    r"\b(?:conviene|que (?:hago|puedo hacer|hacemos)|recomend\w+|suger\w+|aconsej\w+|por donde|donde "
    r"(?:pongo|invierto)|"
    r"en que (?:pongo|invierto|puedo)|quiero|queremos|quisiera|puedo|podria|deberia|mi|mis|nuestr[oa]s?)\b"
)
# What is said of a case is about investing: it would miss who is in trouble.
_NOT_INVESTING = re.compile(
    r"\b(?:deud\w+|endeud\w+|moros\w+|veraz|despid\w+|desempleo|laburo|trabajo|seguros?|poliza|alquil\w+|"
    r"fin de mes|prestamos?)\b"
)
_DEFINITION = re.compile(
    r"^\W*(?:hola\W+)?(?:que|quien(?:es)?|cual(?:es)?) (?:es|son|era|significa|quiere decir|diferencia)\b"
    r"|\b(?:que significa|como (?:funcionan?|se calculan?|se llama)|en que se diferencia|diferencia "
    r"(?:hay |entre)|explica\w*)\b"
)


def is_own_decision(question: str) -> bool:
    """Whether the question is what to do with the person's money, rather than what something is."""
    said = fold(question)
    return bool(_OWN_DECISION.search(said)) and not (_DEFINITION.search(said) or _NOT_INVESTING.search(said))


def is_expert(situation: Situation) -> bool:
    """Whether explaining the first steps would waste the person's time."""
    return bool({situation.investment_knowledge, situation.investing_experience} & set(texts.EXPERT_LEVELS))


def case_of(situation: Situation, *, months: int | None = None) -> str | None:
    """The person's case in a paragraph, ``None`` when nothing is known of it; ``months`` is the term spoken of."""
    situation = replace(situation, horizon_months=months or situation.horizon_months)
    sentences = list(_sentences(situation))
    return texts.YOUR_CASE.format(advice=fmt.lower_first(" ".join(sentences))) if sentences else None


def _sentences(situation: Situation) -> Iterator[str]:
    """One sentence a fact, the weightiest first."""
    yield from _horizon(situation)
    # A tolerance that something else about the person overrules is no advice.
    if situation.suited_tolerance in {None, situation.risk_tolerance} and situation.risk_tolerance in texts.RISK_CASES:
        yield texts.RISK_CASES[situation.risk_tolerance]
    if situation.goal:
        yield texts.GOAL_CASE.format(goal=fmt.lower_first(situation.goal))
    if is_expert(situation):
        yield texts.EXPERT_CASE
    elif situation.investment_knowledge in texts.BEGINNER_LEVELS:
        yield texts.BEGINNER_CASE
    if (situation.reaction_to_falls or "").startswith(texts.SELLER_START):
        yield texts.SELLS_IN_A_FALL_CASE


def _horizon(situation: Situation) -> Iterator[str]:
    """The session's term; without one, how long the profile says that an investment would be kept."""
    holding = situation.holding_period or ""
    if situation.horizon_months:
        horizon = fmt.months(situation.horizon_months)
        yield texts.HORIZON_CASES[_span_of(situation.horizon_months)].format(horizon=horizon)
    elif holding in texts.HOLDING_SPANS:
        yield texts.HORIZON_CASES[texts.HOLDING_SPANS[holding]].format(horizon=fmt.lower_first(holding))


def _span_of(months: int) -> str:
    if months <= texts.SHORT_HORIZON_MONTHS:
        return "short"
    return "medium" if months <= texts.MEDIUM_HORIZON_MONTHS else "long"
