"""Amounts of money and spans of time as Argentines write them. What can be read in two ways is not read at all."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import islice

from maverik_backend.core import phrases
from maverik_backend.services.advice.calculator import parse_number
from maverik_backend.services.advice.number_words import in_figures

MAX_AMOUNT = Decimal(10) ** 13
MAX_MONTHS = 600
# More of them are a pasted statement of account.
MAX_FIGURES = 20
# A bare number this large is an amount ("tengo 12.000"); a smaller one may count children or cards.
MIN_BARE_AMOUNT = 1_000

_MULTIPLIERS = {"mil": 1_000, "k": 1_000, "lucas": 1_000, "luca": 1_000, "mangos": 1, "gambas": 100}
_MULTIPLIERS |= dict.fromkeys(("millones", "millon", "palos", "palo"), 1_000_000)
_DOLLARS = r"dolar(?:es)?|usd|u\$[sd]|us\$|verdes?"
_PESOS = r"pesos?|ars|mangos"
# Only where a number starts: trying each of its digits again would take seconds for a long row of them.
_NUMBER = r"(?P<number>\d{1,3}(?:\.\d{3})+(?:,\d{1,2})?|\d+(?:[.,]\d{1,2})?)(?![.,]?\d)"
_AMOUNT = re.compile(
    rf"(?:(?P<sign>u\$[sd]|us\$|usd|ars|\$) ?|(?<![\w.,])){_NUMBER}"
    rf"(?:\s?(?P<multiplier>{'|'.join(sorted(_MULTIPLIERS, key=len, reverse=True))})\b)?"
    rf"(?:\s?(?:de\s)?(?P<currency>{_DOLLARS}|{_PESOS})(?!\w))?"
)
_A_MONTH_AFTER = re.compile(r"\s?(?:(?:por|al|x|cada|/)\s?mes|mensual(?:es|mente)?|todos los meses)\b")
# "Por mes para llegar en 36 meses" and "por mes para 2030" speak of time.
_A_MONTH_BEFORE = re.compile(
    r"\b(?:por mes|al mes|cada mes|mensualmente|todos los meses)\b"
    r"(?: (?!(?:para|en|hasta|desde|durante|dentro)\b)[^\W\d]+){0,4} ?$"
)
_TIME_BEFORE = re.compile(r"\b(?:para|en|hasta|desde|durante|dentro de|a los|hace|unos) ?$")
_NO_MONEY_AFTER = re.compile(
    r"\s?(?:%|por ciento|(?:dias?|semanas?|mes(?:es)?|anos?|años?|cuotas?|veces|horas?|puntos?)\b)"
)
# A bare number before anything else counts things: "1500 acciones".
_BARE_ENDS = re.compile(
    r"\s?(?:$|[^\w\s]|(?:y|e|o|para|en|que|quiero|ahorrad\w+|guardad\w+|por|pero|a|al|con|cada|mas)\b)"
)

_ONES = "un|una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|quince|veinte|treinta"
_TERM_WORDS = {word: number for number, word in enumerate(_ONES.split("|")[1:13], start=1)} | {
    "un": 1, "quince": 15, "veinte": 20, "treinta": 30,
}  # fmt: skip
_TERM = re.compile(
    r"\b(?:en|durante|dentro de|por|a|plazo de|horizonte de)(?: los)?(?: proximos| siguientes)? "
    rf"(?:unos )?(?P<count>\d{{1,4}}|{_ONES}|medio) (?P<unit>años?|anos?|mes(?:es)?)\b(?P<half> y medio)?"
)

# What makes a sum unsafe: English marks, ranges, other rhythms than a month, calendar dates.
_UNCLEAR = re.compile(
    r"\d,\d{3}(?!\d)|\d[.,]\d{4}|\d\.\d{3}\.\d{1,2}(?!\d)"
    r"|\bentre \$?\d[\d.,]*(?: mil)? y \$?\d|\d ?(?:-|\bo\b|\ba\b) ?\$?\d"
    r"|\d(?: \w+){0,3} (?:por|x|cada) (?:semana|dia|quincena|año|ano|bimestre)\b|\d(?: \w+){0,2} "
    r"(?:semanal|anual|diari)"
    r"|\b(?:para|hasta|antes de|en)(?: el)?(?: año)? 20[2-9]\d\b(?! ?(?:pesos|dolares|usd))"
    r"|\b(?:euros?|reales|bitcoins?|btc|uvas?)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountText:
    """An amount where it stands in a text."""

    value: Decimal
    currency: str | None
    start: int
    end: int


class Role(Enum):
    """What an amount is to the person who writes it."""

    MONTHLY = "monthly"
    TARGET = "target"
    CAPITAL = "capital"
    SAVING_WITHOUT_RHYTHM = "saving without rhythm"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount and, where the person wrote it, its currency: ``"ars"`` or ``"usd"``."""

    value: Decimal
    currency: str | None = None


_SAVES = re.compile(
    r"\b(?:ahorr|guard|separ|apart|aport|destin|deposit|invert|inviert|dispon|sobr|qued|pong|poner|met[eo]|junt|"
    r"reserv|sum[oae]|puedo|podria|podemos)\w*|\bcon\b"
)
_SPENDS = re.compile(
    r"\b(?:gan(?:o|a|an|amos|aba|ancia\w*)|deb(?:o|e|en|emos)|salen?|vale|luz|gas|internet|servicios|prepaga|colegio|"
    r"(?:cobr|pag|gast|cuest|deud|alquil|expens|cuota|sueldo|salario|jubilac|pension|ingres|rind|rend|interes|manten|"
    r"factur|aument|perd|prest|descuent)\w*)\b"
)
_AIMS = re.compile(
    r"\b(?:(?:para|quiero|llegar a|queremos) tener|juntar|junto|reunir|reuno|llegar a|alcanzar|llego a|meta (?:es )?de|"
    r"objetivo (?:es )?de|"
    r"anticipo de|acumular|completar)\b"
)
_OWNS = re.compile(
    r"\b(?:tengo(?! que)|tenemos(?! que)|tenia|dispongo de|cuento con|contamos con|parto de|arranco con|empiezo con|"
    r"capital(?: inicial)?(?: es)?(?: de)?|herede|recibi|junte)\b"
)
_MAX_CLAUSE_CHARS = 120
_CLAUSE_ENDS = re.compile(r"[;:!?¿¡]|[.,](?!\d)|\b(?:y|pero|aunque|si|asi que)\b")


def plain(text: str) -> str:
    """``text`` as everything here reads it: folded, one space between words, amounts in words as figures."""
    return in_figures(phrases.plain(text))


def is_unclear(said: str) -> bool:
    """Whether a :func:`plain` text holds an amount or a term that can be read in more than one way."""
    return bool(_UNCLEAR.search(said))


def months_in(said: str) -> int | None:
    """The span that a :func:`plain` text asks about, in months ("en 2 años", "durante un año y medio")."""
    match = _TERM.search(said)
    if match is None:
        return None
    count = match["count"]
    in_years = match["unit"].startswith("a")
    number = Decimal("0.5") if count == "medio" else Decimal(_TERM_WORDS.get(count, 0) or count)
    months = int((number + (Decimal("0.5") if match["half"] else 0)) * (12 if in_years else 1))
    return months if 0 < months <= MAX_MONTHS else None


def has_amount(said: str) -> bool:
    """Whether a :func:`plain` text holds any number, money or not."""
    return bool(_AMOUNT.search(said))


def is_only_an_amount(said: str) -> bool:
    """Whether a :func:`plain` text is nothing but one figure ("100 mil pesos"), so that its role cannot be told."""
    match = _AMOUNT.search(said)
    return match is not None and not re.search(r"\w", said[: match.start()] + said[match.end() :])


def amounts_in(said: str) -> dict[Role, Money]:
    """The amounts of a :func:`plain` text whose role its own clause tells; of two with one role, the later."""
    found: dict[Role, Money] = {}
    starts = [0, *(match.end() for match in _CLAUSE_ENDS.finditer(said))]
    for match in islice(_AMOUNT.finditer(said), MAX_FIGURES):
        start = starts[bisect_right(starts, match.start()) - 1]
        clause = said[max(start, match.start() - _MAX_CLAUSE_CHARS) : match.start()]
        money = _money(match, said)
        if money and (role := _role(match, said, clause)):
            found[role] = money
    return found


def amounts_written(said: str) -> list[AmountText]:
    """Every number of a :func:`plain` text that may be an amount, whatever its part."""
    return [
        AmountText(value=value, currency=_currency(match), start=match.start(), end=match.end())
        for match in islice(_AMOUNT.finditer(said), MAX_FIGURES)
        if 0 < (value := _value_of(match)) <= MAX_AMOUNT
    ]


def _value_of(match: re.Match[str]) -> Decimal:
    return parse_number(match["number"]) * _MULTIPLIERS.get(match["multiplier"] or "", 1)


def _money(match: re.Match[str], said: str) -> Money | None:
    """``None`` for a number that counts something else."""
    before, after = said[max(0, match.start() - 20) : match.start()], said[match.end() : match.end() + 20]
    value = _value_of(match)
    if _NO_MONEY_AFTER.match(after) and not _A_MONTH_AFTER.match(after):
        return None
    is_marked = match["sign"] or match["multiplier"] or match["currency"]
    if not is_marked and _TIME_BEFORE.search(before):
        return None
    return Money(value, _currency(match)) if 0 < value <= MAX_AMOUNT else None


def _currency(match: re.Match[str]) -> str | None:
    named = match["currency"] or match["sign"] or (match["multiplier"] == "mangos" and "pesos") or ""
    if re.fullmatch(_DOLLARS, named):
        return "usd"
    return "ars" if named else None


def _role(match: re.Match[str], said: str, clause: str) -> Role | None:
    after = said[match.end() : match.end() + _MAX_CLAUSE_CHARS]
    before = said[max(0, match.start() - _MAX_CLAUSE_CHARS) : match.start()]
    is_spent = bool(_SPENDS.search(clause))
    if _A_MONTH_AFTER.match(after) or _A_MONTH_BEFORE.search(before):
        return None if is_spent else Role.MONTHLY
    if _AIMS.search(clause):
        return Role.TARGET if _is_money(match, after) else None
    if is_spent:
        return None
    if _OWNS.search(clause):
        return Role.CAPITAL if _is_money(match, after) else None
    return Role.SAVING_WITHOUT_RHYTHM if _SAVES.search(clause) and _BARE_ENDS.match(after) else None


def _is_money(match: re.Match[str], after: str) -> bool:
    """Whether the number is an amount of money and not of something else."""
    if match["sign"] or match["multiplier"] or match["currency"]:
        return True
    return parse_number(match["number"]) >= MIN_BARE_AMOUNT and bool(_BARE_ENDS.match(after))
