"""Facts that a person states in the conversation, and that count beside the profile and the session's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from maverik_backend.clients.rag.base import Situation
from maverik_backend.core.phrases import any_of, words_of
from maverik_backend.services.advice.amounts import plain
from maverik_backend.services.advice.figures import figures_in
from maverik_backend.services.advice.suited_risk import LIQUID_ONLY_MONTHS

MAX_STATED_CHARS = 600
# What every text has that states one of these facts.
_MAY_STATE = re.compile(
    r"perder|arriesg|riesgo|miedo|vender|d[oó]lar|usd|u\$s|pesos|\b(?:a[nñ]os?|mes|meses|d[ií]as?|"
    r"semanas?)\b",
    re.IGNORECASE,
)
_NEEDS_BY = any_of(
    r"(?:necesit\w+|us(?:o|ar\w*)|voy a (?:usar|necesitar|gastar|retirar)|la (?:quiero|saco|retiro)|hace falta|es "
    r"para|son para|"
    r"la plata es|mi (?:plazo|horizonte)|el plazo|plazo de|horizonte de|tengo que (?:pagar|devolver))(?: \w+){0,12} "
    r"(?:dias?|semanas?|mes(?:es)?|años?)"
)
_IN_DAYS = re.compile(
    r"\b(?:en|dentro de|a) (?:unos |unas )?(?:\d{1,3} (?:dias?|semanas?)|una semana|dos semanas|"
    r"quince dias)\b"
)
_NO_LOSSES = any_of(
    r"no (?:quiero|puedo|me banco|tolero|soporto|estoy dispuest[oa] a) (?:\w+ )?(?:perder|arriesgar\w*|riesgos?)",
    r"(?:sin|cero|nada de|poco|el menor) riesgos?(?! de)|odio perder|me da (?:mucho )?miedo (?:perder|invertir)|"
    r"vender?ia todo si "
    r"(?:baja|cae)",
)
_IN_PESOS = any_of(r"(?:en|tengo|son|de|mil|millones|la plata es en) pesos|pesos argentinos")
_IN_DOLLARS = any_of(r"(?:en|tengo|son|de|mil|\d+) (?:dolares|usd|us d|u s)|dolares billete")
_AGE = re.compile(r"\btengo (?P<age>\d{2}) años\b")


def with_stated(situation: Situation, said: Iterable[str]) -> Situation:
    """``situation`` with what the texts (oldest first) state; the latest counts, but caution that was stated stays."""
    for text in said:
        if len(text) <= MAX_STATED_CHARS and _MAY_STATE.search(text):
            situation = _with(situation, text)
    return situation


def _with(situation: Situation, text: str) -> Situation:
    said = words_of(text)
    if _NO_LOSSES.search(said):
        situation = replace(situation, wants_no_losses=True)
    if _IN_DOLLARS.search(said):
        situation = replace(situation, currency="usd")
    elif _IN_PESOS.search(said):
        situation = replace(situation, currency="ars")
    if match := _AGE.search(said):
        situation = replace(situation, age=int(match["age"]))
    if months := _months(text, said):
        situation = replace(situation, horizon_months=months)
    return situation


def _months(text: str, said: str) -> int | None:
    """When the money is needed, in months, if ``text`` states it."""
    if not _NEEDS_BY.search(said):
        return None
    told = figures_in(plain(text))
    if told.months:
        return told.months
    is_days = told.days or _IN_DAYS.search(said)
    return max(1, min(LIQUID_ONLY_MONTHS, (told.days or 0) // 30)) if is_days else None
