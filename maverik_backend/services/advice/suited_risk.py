"""How much risk suits a person: the lowest that all of what is known of them allows, with the reasons.

The CNV's rules (Texto ordenado N.T. 2013, Título VII, on the conduct of agents) ask an agent to know a client's
experience, knowledge, objectives, situation, horizon, tolerance and share of savings, and to recommend nothing beyond
them. So each fact below sets a ceiling, and the lowest ceiling decides:

=====================  ==============================================================================================
Fact                   Ceiling
=====================  ==============================================================================================
Stated tolerance       baja: conservative; media: moderate; alta: bold; none stated: conservative
Horizon                up to 36 months: conservative (up to 12: liquid instruments only); up to 60: moderate; then bold
Reaction to a fall     would sell all: conservative; would sell a part: moderate; would keep: bold
Knowledge              Nulo: conservative; Poco, Minimo: moderate; more: bold
Experience             Ninguna, Minima: moderate; more: bold; never invested and little knowledge: conservative
Age                    below 18 or from 65: conservative; from 55: moderate; also when the term ends at 75 or later
What is sought         to keep value: conservative; to beat inflation, or up to 5 points more: moderate; more: bold
Stated in conversation no losses wanted, would sell in a fall, needed soon: conservative
=====================  ==============================================================================================

A horizon that is not stated is what the profile says of how long an investment would be kept, read cautiously.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from maverik_backend.clients.optimizer.base import RiskProfile
from maverik_backend.clients.rag.base import Situation
from maverik_backend.texts import format as fmt
from maverik_backend.texts import suitability as texts

LIQUID_ONLY_MONTHS = 12
CONSERVATIVE_MONTHS = 36
MODERATE_MONTHS = 60
ADULT_AGE = 18
NEAR_RETIREMENT_AGE = 55
RETIREMENT_AGE = 65
LATEST_AGE_AT_END = 75

_C, _M, _B = RiskProfile.CONSERVATIVE, RiskProfile.MODERATE, RiskProfile.BOLD
_ORDER = (_C, _M, _B)
_TOLERANCE = {"baja": _C, "media": _M, "alta": _B}
_KNOWLEDGE = {"Nulo": _C, "Poco": _M, "Minimo": _M}
_EXPERIENCE = {"Ninguna": _M, "Minima": _M}
_NEVER_INVESTED = "Ninguna"
_LITTLE_KNOWLEDGE = frozenset({"Nulo", "Poco"})
# How the catalogues' long texts start.
_REACTIONS = {"Me retiro": _C, "Rescato parte": _M}
_SEEKS = {"Mantener el valor": _C, "Ganarle a la inflación": _M, "Obtener rendimientos entre": _M}
_PRESERVES = "Preservar el valor"
# The cautious end of what the catalogue says, in months.
_HOLDING_MONTHS = {"Menos de 1 año": 12, "Entre 1 y 5 años": 36, "Entre 5 y 10 años": 61, "Más de 10 años": 121}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One fact, the most risk that it allows, and a sentence that says so to the person."""

    fact: str
    ceiling: RiskProfile
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuitedRisk:
    """The most risk that suits a person.

    ``reasons`` are those that set it, the weightiest first; ``months`` is the term.
    """

    profile: RiskProfile
    months: int | None
    reasons: tuple[Reason, ...]

    @property
    def tolerance(self) -> str:
        """The catalogue's tolerance that the profile stands for."""
        return next(word for word, profile in _TOLERANCE.items() if profile is self.profile)

    @property
    def is_liquid_only(self) -> bool:
        """Whether the money is needed so soon that nothing in it may fall."""
        return self.months is not None and self.months <= LIQUID_ONLY_MONTHS


def suited_risk(situation: Situation) -> SuitedRisk:
    """What ``situation`` allows; a fact that is not known sets no ceiling, but for the tolerance."""
    months = situation.horizon_months or _HOLDING_MONTHS.get(situation.holding_period or "")
    reasons = [*_ceilings(situation, months)]
    profile = min((reason.ceiling for reason in reasons), key=_ORDER.index)
    return SuitedRisk(
        profile=profile, months=months, reasons=tuple(reason for reason in reasons if reason.ceiling is profile)
    )


def _ceilings(situation: Situation, months: int | None) -> Iterator[Reason]:
    yield from _of_horizon(months)
    yield from _of_statements(situation)
    yield from _of_reaction(situation.reaction_to_falls or "")
    yield from _of_experience(situation)
    yield from _of_age(situation.age, months)
    yield from _of_tolerance(situation.risk_tolerance)
    yield from _of_aim(situation)


def _reason(fact: str, ceiling: RiskProfile, **values: str) -> Reason:
    template = texts.REASONS[fact, ceiling.value] if (fact, ceiling.value) in texts.REASONS else texts.REASONS[fact, ""]
    return Reason(fact=fact, ceiling=ceiling, text=template.format_map(values))


def _of_horizon(months: int | None) -> Iterator[Reason]:
    if months is None:
        return
    if months <= LIQUID_ONLY_MONTHS:
        yield _reason("liquid", _C, horizon=fmt.months(months))
    else:
        ceiling = _C if months <= CONSERVATIVE_MONTHS else _M if months <= MODERATE_MONTHS else _B
        yield _reason("horizon", ceiling, horizon=fmt.months(months))


def _of_statements(situation: Situation) -> Iterator[Reason]:
    if situation.wants_no_losses:
        yield _reason("no_losses", _C)


def _of_reaction(reaction: str) -> Iterator[Reason]:
    for start, ceiling in _REACTIONS.items():
        if reaction.startswith(start):
            yield _reason("reaction", ceiling)


def _of_experience(situation: Situation) -> Iterator[Reason]:
    knowledge, experience = situation.investment_knowledge or "", situation.investing_experience or ""
    if experience == _NEVER_INVESTED and knowledge in _LITTLE_KNOWLEDGE:
        yield _reason("experience", _C)
    elif knowledge in _KNOWLEDGE or experience in _EXPERIENCE:
        ceilings = (_KNOWLEDGE.get(knowledge, _B), _EXPERIENCE.get(experience, _B))
        yield _reason("experience", min(ceilings, key=_ORDER.index))


def _of_age(age: int | None, months: int | None) -> Iterator[Reason]:
    if age is None:
        return
    age_at_end = age + (months or 0) // 12
    if age < ADULT_AGE:
        yield _reason("minor", _C)
    elif age >= RETIREMENT_AGE:
        yield _reason("age", _C, age=str(age))
    elif age >= NEAR_RETIREMENT_AGE or age_at_end >= LATEST_AGE_AT_END:
        yield _reason("age", _M, age=str(age))


def _of_tolerance(tolerance: str | None) -> Iterator[Reason]:
    if tolerance in _TOLERANCE:
        yield _reason("tolerance", _TOLERANCE[tolerance or ""], tolerance=tolerance or "")
    else:
        yield _reason("no_tolerance", _C)


def _of_aim(situation: Situation) -> Iterator[Reason]:
    if (situation.goal or "").startswith(_PRESERVES):
        yield _reason("seeks", _C)
        return
    for start, ceiling in _SEEKS.items():
        if (situation.seeks or "").startswith(start):
            yield _reason("seeks", ceiling)
