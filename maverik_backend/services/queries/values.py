"""Finds the values of a query's parameters in the words of a question."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from maverik_backend.core.text import fold
from maverik_backend.services.queries.definition import Language, Parameter, ParameterType, ParameterValue
from maverik_backend.services.queries.words import STOP_WORDS, Token, stems_of
from maverik_backend.texts.queries import MONTHS

_QUOTED = re.compile("[\"“«']([^\"”»']{1,200})[\"”»']")
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_SLASHED_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?")
_YEAR = re.compile(r"[12]\d{3}")
_WHOLE = re.compile(r"\d{1,15}|\d{1,3}(?:[.,]\d{3}){1,4}")
_DECIMAL = re.compile(r"\d{1,15}(?:[.,]\d{1,9})?")
_MONTH_COUNT = 12
_BEFORE_MAY = frozenset(["in", "of", "for", "during", "since", "until"])
_ANCHOR_REACH = 2
_NUMBER_WORDS = {
    **dict.fromkeys(["primer", "primero", "primera", "first"], 1),
    **dict.fromkeys(["segundo", "segunda", "second", "dos", "two"], 2),
    **dict.fromkeys(["tercer", "tercero", "tercera", "third", "tres", "three"], 3),
    **dict.fromkeys(["cuarto", "cuarta", "fourth", "cuatro", "four"], 4),
}
_DAYS_AGO = {"hoy": 0, "today": 0, "ayer": 1, "yesterday": 1}
_SHORT_MONTHS = {
    "ene": 1,
    "jan": 1,
    "feb": 2,
    "abr": 4,
    "apr": 4,
    "jun": 6,
    "jul": 7,
    "ago": 8,
    "aug": 8,
    "sep": 9,
    "sept": 9,
    "setiembre": 9,
    "oct": 10,
    "nov": 11,
    "dic": 12,
    "dec": 12,
}


@cache
def _months() -> dict[str, int]:
    named = {fold(name): number for names in MONTHS.values() for number, name in enumerate(names, start=1)}
    return {**named, **_SHORT_MONTHS}


def month_named(text: str) -> int | None:
    """The number of the month that ``text`` names in either language."""
    return _months().get(fold(text.strip()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, ready to be searched for values. ``known`` are the stems that examples and synonyms have."""

    text: str
    tokens: Sequence[Token]
    language: Language
    today: date
    known: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A parameter that is looked for. ``choices``: stems by which a value is named; ``anchors``: stems beside it."""

    name: str
    parameter: Parameter
    choices: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    anchors: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What was found, by parameter; where each begins; the positions of all tokens that said so."""

    values: Mapping[str, ParameterValue]
    positions: Mapping[str, int]
    used: frozenset[int]


Span = tuple[ParameterValue, range]
_Finder = Callable[[Asked, Wanted, set[int]], Span | None]


def extract(asked: Asked, wanted: Sequence[Wanted]) -> Extracted:
    """The values of as many of ``wanted`` as the question has; no word is used for two of them."""
    values: dict[str, ParameterValue] = {}
    positions: dict[str, int] = {}
    used: set[int] = set()
    for kind, find in _FINDERS.items():
        for one in sorted((one for one in wanted if one.parameter.type is kind), key=_narrowness):
            found = find(asked, one, used)
            if found is not None:
                values[one.name] = found[0]
                positions[one.name] = found[1].start
                used.update(found[1])
    return Extracted(values=values, positions=positions, used=frozenset(used))


def _narrowness(wanted: Wanted) -> float:
    """The width of a parameter's bounds: the number that fits the narrower one is not taken by the wider."""
    low, high = wanted.parameter.bounds
    return float("inf") if low is None or high is None else high - low


def _choice(asked: Asked, wanted: Wanted, used: set[int]) -> Span | None:
    stems = tuple(token.stem for token in asked.tokens)
    longest = max(map(len, wanted.choices), default=0)
    for length in range(min(longest, len(stems)), 0, -1):
        for start in range(len(stems) - length + 1):
            span = range(start, start + length)
            value = wanted.choices.get(stems[start : span.stop])
            if value is not None and used.isdisjoint(span):
                return value, span
    return _rare_word(asked, wanted, used)


def _rare_word(asked: Asked, wanted: Wanted, used: set[int]) -> Span | None:
    """The one value that has a word of the question in its name: "Acme" for "Acme Logistics S.A."."""
    if not wanted.parameter.values_from:
        return None
    for position, token in enumerate(asked.tokens):
        is_ordinary = token.folded in STOP_WORDS or token.stem in asked.known
        if position in used or is_ordinary or token.is_number or len(token.stem) < 3:  # noqa: PLR2004
            continue
        named = {value for phrase, value in wanted.choices.items() if token.stem in phrase}
        if len(named) == 1:
            return named.pop(), range(position, position + 1)
    return None


def _date(asked: Asked, _wanted: Wanted, used: set[int]) -> Span | None:
    for position, token in enumerate(asked.tokens):
        if position in used:
            continue
        if token.folded in _DAYS_AGO:
            return asked.today - timedelta(days=_DAYS_AGO[token.folded]), range(position, position + 1)
        if (found := _written_date(token.folded, asked.language)) is not None:
            return found, range(position, position + 1)
        if (span := _named_date(asked.tokens, position)) is not None:
            return span
    return None


def _written_date(text: str, language: Language) -> date | None:
    """ISO 8601, or day, month and year; in English, where the month may come first, only when it can be one way."""
    if (iso := _ISO_DATE.fullmatch(text)) is not None:
        return _day(int(iso[1]), int(iso[2]), int(iso[3]))
    slashed = _SLASHED_DATE.fullmatch(text)
    if slashed is None:
        return None
    first, second, year = int(slashed[1]), int(slashed[2]), int(slashed[3])
    if language == "es":
        return _day(year, second, first)
    if first > _MONTH_COUNT or first == second:
        return _day(year, second, first)
    return _day(year, first, second) if second > _MONTH_COUNT else None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _named_date(tokens: Sequence[Token], start: int) -> Span | None:
    """``5 de marzo de 2024``, ``March 5, 2024``, ``5 March 2024``."""
    end, parts = start, list[str]()
    while end < len(tokens) and len(parts) < 3:  # noqa: PLR2004 - day, month and year
        word = tokens[end].folded
        if parts and word in {"de", "del", "of", "the"}:
            end += 1
            continue
        parts.append(word)
        end += 1
    if len(parts) < 3 or not _YEAR.fullmatch(parts[2]):  # noqa: PLR2004
        return None
    first, second, year = parts[0], parts[1], int(parts[2])
    month_word, day_word = (second, first) if first[0].isdigit() else (first, second)
    month, day = _months().get(month_word), _DAY.fullmatch(day_word)
    found = _day(year, month, int(day[1])) if month and day else None
    return (found, range(start, end)) if found else None


def _month(asked: Asked, _wanted: Wanted, used: set[int]) -> Span | None:
    for position, token in enumerate(asked.tokens):
        number = _months().get(token.folded)
        is_verb = token.folded == "may" and (position == 0 or asked.tokens[position - 1].folded not in _BEFORE_MAY)
        if number is not None and position not in used and not is_verb:
            return number, range(position, position + 1)
    return None


def _integer(asked: Asked, wanted: Wanted, used: set[int]) -> Span | None:
    candidates = [
        (position, number)
        for position, number in _whole_numbers(asked.tokens)
        if position not in used and _is_within(number, wanted.parameter)
    ]
    return _nearest(candidates, asked, wanted)


def _whole_numbers(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    for position, token in enumerate(tokens):
        if token.folded in _NUMBER_WORDS:
            yield position, _NUMBER_WORDS[token.folded]
        elif _WHOLE.fullmatch(token.folded):
            yield position, int(re.sub("[.,]", "", token.folded))


def _number(asked: Asked, wanted: Wanted, used: set[int]) -> Span | None:
    candidates: list[tuple[int, float]] = []
    for position, token in enumerate(asked.tokens):
        number = _decimal(token.folded, asked.language)
        if position not in used and number is not None and _is_within(number, wanted.parameter):
            candidates.append((position, number))
    return _nearest(candidates, asked, wanted)


def _decimal(text: str, language: Language) -> float | None:
    """``1.234,5`` in Spanish, ``1,234.5`` in English; a point that can only be a decimal one is one in both."""
    thousands, point = (".", ",") if language == "es" else (",", ".")
    if _WHOLE.fullmatch(text) and point not in text:
        return float(text.replace(thousands, ""))
    if _DECIMAL.fullmatch(plain := text.replace(thousands, "").replace(point, ".") if point in text else text):
        return float(plain.replace(",", "."))
    return None


def _nearest(candidates: Sequence[tuple[int, float]], asked: Asked, wanted: Wanted) -> Span | None:
    """The number beside a word that stands beside the slot in the examples, else the first."""
    if not candidates:
        return None
    position, number = min(candidates, key=lambda one: (not _is_anchored(one[0], asked, wanted), one[0]))
    return number, range(position, position + 1)


def _is_anchored(position: int, asked: Asked, wanted: Wanted) -> bool:
    beside = [*asked.tokens[max(0, position - _ANCHOR_REACH) : position], *asked.tokens[position + 1 : position + 2]]
    return any(token.stem in wanted.anchors for token in beside)


def _is_within(number: float, parameter: Parameter) -> bool:
    low, high = parameter.bounds
    return (low is None or number >= low) and (high is None or number <= high)


def _text(asked: Asked, wanted: Wanted, used: set[int]) -> Span | None:
    quoted = _QUOTED.search(asked.text)
    if quoted is not None:
        return quoted[1], _positions_of(quoted[1], asked.tokens)
    if wanted.parameter.pattern is None:
        return None
    pattern = re.compile(wanted.parameter.pattern, re.IGNORECASE)
    fitting = [
        (position, token.written)
        for position, token in enumerate(asked.tokens)
        if position not in used and pattern.fullmatch(token.written)
    ]
    if not fitting:
        return None
    position, value = min(fitting, key=lambda one: (not _is_anchored(one[0], asked, wanted), -one[0]))
    return value, range(position, position + 1)


def _positions_of(quoted: str, tokens: Sequence[Token]) -> range:
    """The tokens that a quoted text is made of."""
    stems = stems_of(quoted)
    for start in range(len(tokens) - len(stems) + 1):
        if stems and tuple(token.stem for token in tokens[start : start + len(stems)]) == stems:
            return range(start, start + len(stems))
    return range(0)


# In this order: what is written in fewer ways is looked for first.
_FINDERS: dict[ParameterType, _Finder] = {
    ParameterType.CHOICE: _choice,
    ParameterType.DATE: _date,
    ParameterType.MONTH: _month,
    ParameterType.TEXT: _text,
    ParameterType.INTEGER: _integer,
    ParameterType.NUMBER: _number,
}
