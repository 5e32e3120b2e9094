"""The figures of a message that a sum needs: amounts and their part in it, rates and their kind, terms, instalments."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from decimal import Decimal

from maverik_backend.services.advice.amounts import MAX_FIGURES, amounts_written
from maverik_backend.services.advice.calculator import parse_number

MAX_RATE_PCT = Decimal(1_000)
MAX_MONTHS = 600
MAX_DAYS = 3_650
MAX_COUNT = 480

_COUNTS = {
    "un": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9,
    "diez": 10, "once": 11, "doce": 12, "quince": 15, "dieciocho": 18, "veinte": 20, "veinticuatro": 24, "treinta": 30,
    "treinta y seis": 36, "cuarenta y ocho": 48, "sesenta": 60,
}  # fmt: skip
_COUNT = rf"(?:\d{{1,4}}|medio|{'|'.join(sorted(_COUNTS, key=len, reverse=True))})"
_PERCENT = re.compile(r"(?<![\w.,])(?P<number>\d{1,6}(?:[.,]\d{1,6})?) ?(?:%|por ?cientos?\b|puntos porcentuales)")
_TERM = re.compile(
    rf"\b(?P<count>{_COUNT}) (?P<unit>dias?|mes(?:es)?|años?|anos?|semestres?|trimestres?)\b(?P<half> y medio)?"
)
_INSTALMENTS = re.compile(
    rf"\b(?:en |a )?(?P<count>{_COUNT}) (?:cuotas|pagos|cuotitas)\b(?: (?:fijas|mensuales|"
    rf"iguales))?"
)
# The name of a rule is no amount.
_RULE = re.compile(r"\b50 ?[ /-] ?30 ?[ /-] ?20\b")
_AGE = re.compile(r"(?:tengo|tiene|cumpl\w+|a los) $")

_INFLATION = re.compile(r"\b(?:inflacion|ipc|precios|indec)\b")
_A_MONTH = re.compile(
    r"^ ?(?:de |en )?(?:mensual|por mes|al mes|cada mes|x mes|/ ?mes|efectiva mensual|nominal "
    r"mensual)|^ ?tem\b"
)
_MONTHLY_BEFORE = re.compile(r"\b(?:mensual|tem|tasa mensual|por mes)(?: \w+){0,3} ?$")
_NOMINAL = re.compile(r"\b(?:tna|nominal(?: anual)?)\b")
_EFFECTIVE = re.compile(r"\b(?:tea|efectiv[ao](?: anual)?)\b")

_EACH_MONTH_AFTER = re.compile(
    r"^ ?(?:pesos |dolares |usd )?(?:por mes|al mes|mensual\w*|cada mes|todos los meses|x "
    r"mes|/ ?mes)"
)
_EACH_MONTH_BEFORE = re.compile(r"\b(?:por mes|cada mes|todos los meses|mensualmente|al mes)(?: \w+){0,3} ?$")
_AIM = re.compile(
    r"\b(?:juntar|junto|reunir|reuno|llegar a|llego a|alcanzar|tener|meta|objetivo|acumular|completar|anticipo)"
    r"(?: (?:es|de|los|las|unos|un|una|para|total)){0,3} ?$"
)
_INCOME = re.compile(
    r"\b(?:gan[oa](?! (?:con|si|en|al|a)\b)|cobr[oae]|sueldo|ingresos?|salario|haber|remuneracion|entran|facturo|"
    r"bruto|neto|basico)(?: "
    r"\w+){0,5} ?$"
)
_CASH_PRICE = re.compile(r"\b(?:contado|efectivo|precio|sale|vale|cuesta)(?: \w+){0,3} ?$")
_CASH_PRICE_AFTER = re.compile(r"^ ?(?:de |al |en )?(?:contado|efectivo)")
_INSTALMENT_OF = re.compile(r"(?:cuotas?|pagos)(?: (?:fijas|mensuales|iguales))? (?:de|a|por)(?: unos)? ?$")
_WINDOW = 60
_NAMED_WITHIN = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a person gave for a sum, ``None`` for what was not said.

    Rates are fractions; ``currency`` is ``"ars"`` or ``"usd"``.
    ``rate_kind`` is ``"month"``, ``"tna"``, ``"tea"`` or ``"year"`` (a yearly rate that says no more).
    ``amounts`` are all amounts in the order in which they were written, ``percents`` all percentages as fractions.
    """

    principal: Decimal | None = None
    monthly: Decimal | None = None
    target: Decimal | None = None
    income: Decimal | None = None
    cash_price: Decimal | None = None
    instalment: Decimal | None = None
    rate: Decimal | None = None
    rate_kind: str | None = None
    inflation: Decimal | None = None
    months: int | None = None
    days: int | None = None
    count: int | None = None
    currency: str | None = None
    amounts: tuple[Decimal, ...] = ()
    percents: tuple[Decimal, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, field.name) for field in fields(self))

    def updated(self, later: Figures) -> Figures:
        """These with what ``later`` says in their place. Another rate, term or count replaces the one before."""
        changes = {field.name: value for field in fields(self) if (value := getattr(later, field.name))}
        if later.months or later.days:
            changes |= {"months": later.months, "days": later.days}
        if later.rate:
            changes["rate_kind"] = later.rate_kind if later.rate_kind != "year" else (self.rate_kind or "year")
        return replace(self, **changes)


def figures_in(said: str) -> Figures:
    """The figures of a text as :func:`~maverik_backend.services.advice.amounts.plain` writes it."""
    found: dict[str, object] = {}
    said = _RULE.sub(lambda match: "~" * len(match[0]), said)
    rest = _blank(said, _read_rates(said, found))
    rest = _blank(rest, _read_counts(rest, found))
    rest = _blank(rest, _read_terms(rest, found))
    _read_amounts(rest, found)
    return Figures(**found)  # type: ignore[arg-type] # each reader stores what the field of that name holds


def _blank(said: str, spans: list[tuple[int, int]]) -> str:
    """``said`` with what was read taken out, every other character where it was."""
    for start, end in spans:
        said = said[:start] + "~" * (end - start) + said[end:]
    return said


def _read_rates(said: str, found: dict[str, object]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    percents: list[Decimal] = []
    for match in list(_PERCENT.finditer(said))[:MAX_FIGURES]:
        spans.append(match.span())
        percent = parse_number(match["number"])
        if percent > MAX_RATE_PCT:
            continue
        rate = percent / 100
        percents.append(rate)
        before, after = said[max(0, match.start() - _WINDOW) : match.start()], said[match.end() : match.end() + _WINDOW]
        before = re.split(r"[;:]|\d ?%|\by\b|,(?!\d)", before)[-1]
        after = re.split(r"[;:.]|\d|\by\b|,(?!\d)", after)[0]
        if _INFLATION.search(before) or _INFLATION.search(after[:30]):
            found["inflation"] = rate
        elif "rate" not in found:
            found |= {"rate": rate, "rate_kind": _kind_of_rate(before, after)}
    found["percents"] = tuple(percents)
    return spans


def _kind_of_rate(before: str, after: str) -> str:
    if _A_MONTH.search(after) or _MONTHLY_BEFORE.search(before):
        return "month"
    named = {"tna": _NOMINAL, "tea": _EFFECTIVE}
    behind = [kind for kind, pattern in named.items() if pattern.search(after[:_NAMED_WITHIN])]
    if behind:
        return behind[0]
    # Of two that are named before, the nearer: "¿a qué TNA equivale una TEA del 100%?".
    ahead = [(found[-1].start(), kind) for kind, pattern in named.items() if (found := [*pattern.finditer(before)])]
    return max(ahead)[1] if ahead else "year"


def _read_counts(said: str, found: dict[str, object]) -> list[tuple[int, int]]:
    match = _INSTALMENTS.search(said)
    if match is None:
        return []
    count = _number(match["count"])
    if 0 < count <= MAX_COUNT:
        found["count"] = int(count)
    return [match.span("count")]


def _read_terms(said: str, found: dict[str, object]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for match in _TERM.finditer(said):
        spans.append(match.span())
        if _AGE.search(said[: match.start()]):
            continue
        count = _number(match["count"]) + (Decimal("0.5") if match["half"] else 0)
        unit = match["unit"]
        if unit.startswith("dia"):
            found["days"] = int(count) if 0 < count <= MAX_DAYS else None
            continue
        in_months = {"m": 1, "a": 12, "s": 6, "t": 3}[unit[0]]
        months = int(count * in_months)
        found["months"] = months if 0 < months <= MAX_MONTHS else None
    return spans


def _number(count: str) -> Decimal:
    return Decimal("0.5") if count == "medio" else Decimal(_COUNTS.get(count) or count)


def _read_amounts(said: str, found: dict[str, object]) -> None:
    amounts: list[Decimal] = []
    for amount in amounts_written(said):
        before = re.split(r"[;:?]|,(?!\d)", said[max(0, amount.start - _WINDOW) : amount.start])[-1]
        after = said[amount.end : amount.end + _WINDOW]
        amounts.append(amount.value)
        found.setdefault("currency", amount.currency)
        found.setdefault(_part_of(before, after), amount.value)
    found["amounts"] = tuple(amounts)


def _part_of(before: str, after: str) -> str:
    if _INSTALMENT_OF.search(before):
        return "instalment"
    if _CASH_PRICE_AFTER.search(after):
        return "cash_price"
    if _INCOME.search(before):
        return "income"
    if _AIM.search(before) and not _EACH_MONTH_AFTER.search(after):
        return "target"
    if _EACH_MONTH_AFTER.search(after) or _EACH_MONTH_BEFORE.search(before):
        return "monthly"
    return "cash_price" if _CASH_PRICE.search(before) else "principal"
