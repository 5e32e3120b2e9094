"""What an advisor is told: pure text, no input or output.

The person's profile and the facts of the session become Spanish lines, the earlier turns a bounded history, and a
first turn without input gets its text here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from maverik_backend.clients.rag.base import Question, Situation
from maverik_backend.core.ages import age_on
from maverik_backend.services.accounts import InvestorProfile
from maverik_backend.services.catalogs import Catalogs
from maverik_backend.services.sessions.records import SessionContext, SessionFacts
from maverik_backend.texts import advice as texts
from maverik_backend.texts import format as fmt

PURPOSE_GOAL = 2
"""The purpose "assistance towards a personal goal": the one with a goal and its numbers."""

_CENT = Decimal("0.01")


def topic_of(facts: SessionFacts, catalogs: Catalogs) -> str:
    """What a session is about: the goal for purpose 2, else the purpose."""
    if facts.proposito_sesion_id == PURPOSE_GOAL and (goal := catalogs.text("objetivo", facts.objetivo_id)):
        return goal
    return catalogs.text("proposito_sesion", facts.proposito_sesion_id) or ""


def first_input(facts: SessionFacts, catalogs: Catalogs) -> str:
    """What the person would say first, made from the session's own facts."""
    topic = fmt.lower_first(topic_of(facts, catalogs))
    # Sessions of older releases may have purpose 2 and no goal.
    if facts.proposito_sesion_id != PURPOSE_GOAL or not catalogs.text("objetivo", facts.objetivo_id):
        return texts.FIRST_INPUT_PURPOSE.format(purpose=topic)
    parts = []
    if (capital := _capital(facts)) is not None:
        parts.append(texts.FACT_CAPITAL.format(capital=fmt.amount(capital)))
    if (months := _horizon_months(facts)) is not None:
        parts.append(texts.FACT_HORIZON.format(horizon=fmt.months(months)))
    if risk := catalogs.text("tolerancia_al_riesgo", facts.tolerancia_al_riesgo_id):
        parts.append(texts.FACT_RISK.format(risk=risk))
    known = texts.FIRST_INPUT_FACTS.format(facts=fmt.enumerate_spanish(parts)) if parts else ""
    return texts.FIRST_INPUT_GOAL.format(goal=topic, facts=known)


def user_profile(profile: InvestorProfile, facts: SessionFacts, catalogs: Catalogs, *, today: date) -> str:
    """The investor profile and the session, one fact a line."""
    return "\n".join([*_profile_lines(profile, catalogs, today), *_session_lines(facts, catalogs)])


def situation(profile: InvestorProfile, facts: SessionFacts, catalogs: Catalogs, *, today: date) -> Situation:
    """The same facts as data, for advisors that compute."""
    return Situation(
        goal=catalogs.text("objetivo", facts.objetivo_id),
        capital=_capital(facts),
        horizon_months=_horizon_months(facts),
        risk_tolerance=catalogs.text("tolerancia_al_riesgo", facts.tolerancia_al_riesgo_id),
        investment_knowledge=catalogs.text("conocimiento_alt_inversion", profile.conocimiento_alt_inversion_id),
        investing_experience=catalogs.text("experiencia_invirtiendo", profile.experiencia_invirtiendo_id),
        holding_period=catalogs.text("tiempo_mantener_inversion", profile.tiempo_mantener_inversion_id),
        reaction_to_falls=catalogs.text("proporcion_inversion_mantener", profile.proporcion_inversion_mantener_id),
        seeks=catalogs.text("busca_invertir_en", profile.busca_invertir_en_id),
        invested_share=catalogs.text("porcentaje_ahorro_invertir", profile.porcentaje_ahorro_invertir_id),
        age=None if profile.fecha_nacimiento is None else age_on(profile.fecha_nacimiento, today),
    )


def chat_history(turns: Sequence[tuple[str, str]], *, max_turns: int, max_chars: int) -> tuple[tuple[str, str], ...]:
    """The latest of ``turns`` (oldest first) that fit both bounds, oldest first. A turn is kept whole or left out."""
    kept: list[tuple[str, str]] = []
    room = max_chars
    for person, advisor in reversed(turns[-max_turns:] if max_turns else ()):
        room -= len(person) + len(advisor)
        if room < 0:
            break
        kept.append((person, advisor))
    return tuple(reversed(kept))


def question(
    context: SessionContext, catalogs: Catalogs, *, history: tuple[tuple[str, str], ...], message: str, today: date
) -> Question:
    """Everything an advisor is told about one turn."""
    return Question(
        user_profile=user_profile(context.profile, context, catalogs, today=today),
        chat_history=history,
        input=message,
        situation=situation(context.profile, context, catalogs, today=today),
    )


def _capital(facts: SessionFacts) -> Decimal | None:
    """The capital, unless it is one that only older releases took: negative, or less than a cent and not 0."""
    capital = facts.capital_inicial
    return capital if capital is not None and (capital == 0 or capital >= _CENT) else None


def _horizon_months(facts: SessionFacts) -> int | None:
    """The horizon, unless it is one that only older releases took: in the past, or none."""
    months = facts.horizonte_temporal
    return months if months is not None and months > 0 else None


def _profile_lines(profile: InvestorProfile, catalogs: Catalogs, today: date) -> Iterator[str]:
    if profile.fecha_nacimiento is not None:
        yield texts.AGE.format(years=age_on(profile.fecha_nacimiento, today))
    for catalog, label in texts.PROFILE_LABELS.items():
        if answer := catalogs.text(catalog, getattr(profile, f"{catalog}_id")):
            yield f"{label}: {answer}."


def _session_lines(facts: SessionFacts, catalogs: Catalogs) -> Iterator[str]:
    if purpose := catalogs.text("proposito_sesion", facts.proposito_sesion_id):
        yield texts.SESSION_PURPOSE.format(purpose=fmt.lower_first(purpose))
    if goal := catalogs.text("objetivo", facts.objetivo_id):
        yield texts.SESSION_GOAL.format(goal=fmt.lower_first(goal))
    if (capital := _capital(facts)) is not None:
        yield texts.SESSION_CAPITAL.format(capital=fmt.amount(capital))
    if (months := _horizon_months(facts)) is not None:
        yield texts.SESSION_HORIZON.format(horizon=fmt.months(months))
    if risk := catalogs.text("tolerancia_al_riesgo", facts.tolerancia_al_riesgo_id):
        yield texts.SESSION_RISK.format(risk=risk)
