"""Sums that people ask for: which one, from what they said now and before, the result in words or what is missing.

Pure and exact: figures are read in ``figures.py``, computed in ``finance.py`` and ``calculator.py``. A rate that was
stated is
used as stated; none is supposed. Sums about a goal without a rate are made in ``goal_sums.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from maverik_backend.services.advice import finance
from maverik_backend.services.advice.amounts import plain
from maverik_backend.services.advice.calculator import CONTEXT, NotCalculable, evaluate
from maverik_backend.services.advice.figures import Figures, figures_in
from maverik_backend.texts import format as fmt
from maverik_backend.texts import sums as texts
from maverik_backend.texts.advice import CURRENCY_SIGNS

MAX_SUM_CHARS = 600
MAX_FOLLOW_UP_WORDS = 12
_DAYS_A_MONTH = 30
# A bare number up to this may be a rate, a count of instalments or days, but no amount of money.
_MAX_BARE = 400
_TIMES = "\N{MULTIPLICATION SIGN}"
_RULE_OF_72 = Decimal(72)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A sum in words; ``is_missing`` when it asks for figures instead."""

    text: str
    is_missing: bool = False


class _Missing(Exception):
    """Figures that a sum needs, by their names in ``texts.NAMES``."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.names = names


@dataclass(frozen=True, slots=True)
class _Task:
    """A kind of sum: whether a text asks for it, and how it is made."""

    name: str
    asks: Callable[[str, Figures], bool]
    make: Callable[[Figures, str], str]


def sum_asked(message: str, earlier: Iterable[str] = ()) -> Sum | None:
    """The sum that ``message`` asks for, or goes on with from ``earlier`` messages (oldest first)."""
    if not _may_ask(message):  # reading what was said before takes ten times as long
        return None
    task, figures = None, Figures()
    for text in earlier:
        task, figures, _ = _read(text, task, figures)
    task, figures, is_asked = _read(message, task, figures)
    if task is None or not is_asked:
        return None
    try:
        return Sum(text=task.make(figures, plain(message)))
    except _Missing as missing:
        names = fmt.enumerate_spanish([texts.NAMES[name] for name in missing.names])
        return Sum(text=texts.MISSING.format(missing=names), is_missing=True)
    except (NotCalculable, ArithmeticError):
        return None


def _read(text: str, task: _Task | None, figures: Figures) -> tuple[_Task | None, Figures, bool]:
    """The sum in hand after ``text``, and whether that asks for it."""
    if len(text) > MAX_SUM_CHARS:
        return task, figures, False
    said = plain(text)
    told = figures_in(said)
    if (asked := next((known for known in _TASKS if known.asks(said, told)), None)) is not None:
        same = asked is task and len(said.split()) <= MAX_FOLLOW_UP_WORDS
        return asked, figures.updated(told) if same else told, True
    if _starts_growth(said, told):
        return _GROWTH_TASK, told, False
    if task is None or not _goes_on(said, told):
        return task, figures, False
    return task, figures.updated(_placed(told, task, figures)), True


def _may_ask(message: str) -> bool:
    """Whether a message asks for a sum, or would go on with one."""
    if len(message) > MAX_SUM_CHARS:
        return False
    said = plain(message)
    told = figures_in(said)
    return _goes_on(said, told) or any(known.asks(said, told) for known in _TASKS)


def _goes_on(said: str, told: Figures) -> bool:
    """Whether a text is but other figures for a sum that was asked for before."""
    return not told.is_empty and len(said.split()) <= MAX_FOLLOW_UP_WORDS and bool(_GOES_ON.match(said))


# "¿Y si son 24 cuotas?", "al 60%", "12 meses", "con 500 lucas".
_GOES_ON = re.compile(
    r"^\W*(?:(?:y|pero|o|ah|ok|dale|bueno|perdon|entonces|no|si|mejor|ahora|digamos|serian?|son|es|seria|con|a|al|en|"
    r"de|la|el|"
    r"una?|tna|tea|tasa|inflacion|plazo|cuotas?|pongamos|que pasa|fueran?|sueldo|monto|unos|por|mi|gano|cobro|"
    r"tomando)\b\W*){0,7}"
    r"(?:\$|u\$s|us\$|usd)? ?(?:\d|~|un\b|una\b|medio|dos|tres|cuatro|cinco|seis|doce)"
)


def _placed(told: Figures, task: _Task, known: Figures) -> Figures:
    """``told`` with a bare number in the part that it can only have: "¿y en 24?", "60"."""
    number = told.principal
    if number is None or told.currency or told.rate:
        return told
    if task.name in {"aguinaldo", "budget"}:
        return replace(told, income=told.income or number, principal=None)
    if number > _MAX_BARE or not known.amounts:
        return told
    if known.rate is None:
        return replace(told, rate=number / 100, rate_kind="year", principal=None)
    if task.name == "instalment":
        return replace(told, count=int(number), principal=None)
    return replace(told, days=int(number), principal=None) if task.name == "deposit" else told


def _starts_growth(said: str, told: Figures) -> bool:
    """Whether a sum about savings was begun without a rate (``goal_sums``), which may be stated next."""
    return bool(not told.rate and told.amounts and (told.monthly or told.target) and _GROW.search(said))


# --- when a text asks for one -----------------------------------------------------------------------------------------

_HOW_MUCH = re.compile(
    r"\bcuant\w+|\bcalcul\w+|\bque (?:cuota|interes|aumento|suba|porcentaje|tea|tna|tasa|monto|rinde)|\bhace(?:me|la|"
    r"r)? (?:la |"
    r"las )?cuentas?|"
    r"\bequival\w+|\bpasame|\bsaca(?:me)? (?:la )?cuenta|\bconvert\w+|\bgan[oe] o pierd|\ble gan|\bcual(?:es)?\b"
)
_LOAN = re.compile(r"\b(?:cuotas?|prestamo|credito|hipoteca\w*|financi\w+|prendario)\b")
_DEPOSIT = re.compile(r"\b(?:plazo fijo|a \d+ dias|deposit\w+|caucion\w*)\b")
_DOUBLE = re.compile(r"\b(?:duplic\w+|(?:el|al) doble)\b")
_CHANGE = re.compile(
    r"\b(?:paso|pasaron|subio|subieron|bajo|bajaron|aumento|aumentaron|cayo|fue|estaba|valia|costaba|salia|pague|"
    r"variacion|pasar|"
    r"aument\w+|compre|inverti|puse|tenia|tengo|prestan?|devuelvo)\b"
)
_RAISE = re.compile(r"\b(?:aument\w+|suba|subi\w*|sube|mas|recargo|iva|increment\w+|ajust\w+)\b")
_CUT = re.compile(r"\b(?:descuent\w+|menos|baj[aeo]\w*|rebaja|quita|off|retencion)\b")
_GROW = re.compile(
    r"\b(?:inv[ie]+rt\w*|pong\w*|met[oe]\w*|capital|ahorr\w+|junt\w+|tendr\w+|tener|crec\w+|interes compuesto|"
    r"rend\w+|rind\w+|"
    r"gan\w+|aport\w+|deposit\w+|llego|llegar|guard\w+|coloc\w+|final)\b"
)
_EXPRESSION = re.compile(
    r"(?<![\w.,])\(*\d[\d.,]*%?\)*(?: ?(?:[-+*/^\u00d7\u00f7]|x|por|dividido(?: por| entre)?|mas|"
    r"menos) ?\(*\d[\d.,]*%?\)*)+"
)
_OF = re.compile(r"\d ?(?:%|por ?ciento) de\b")
_INVESTS = re.compile(r"\b(?:inv[ie]+rt\w*|rind\w+|rend\w+|tasa|interes\w*|anual|mensual|tna|tea|prestamo|plazo)\b")
_SHARE = re.compile(r"\bque (?:porcentaje|parte|%) (?:es|son|represent\w+|ocupa\w*)")
_NO_INTEREST = re.compile(r"\b(?:sin interes(?:es)?|cuota simple|0 ?% de interes)\b")
_REAL = re.compile(r"\btasa real")
_BUDGET = re.compile(r"\b50 ?[ /-] ?30 ?[ /-] ?20\b|cincuenta treinta veinte")
_AGUINALDO = re.compile(r"\b(?:aguinaldo|sac)\b")
_RATES = re.compile(r"\b(?:tna|tea|tem|nominal|efectiv[ao]|mensual|equival\w+)\b")
_ONLY_EXPRESSION = re.compile(r"^\W*(?:cuanto (?:es|da|son|seria)|calcula\w*|resultado de|hace(?:me)?)?\W*")


def _asks_expression(said: str, _: Figures) -> bool:
    match = _EXPRESSION.search(said)
    if match is None or _DATE.search(said):
        return False
    rest = said[: match.start()] + said[match.end() :]
    return len(rest.split()) <= 6 and (bool(_HOW_MUCH.search(said)) or not re.search(r"[a-zñ]", rest))  # noqa: PLR2004


_DATE = re.compile(r"\b\d{1,2}[/-]\d{1,2}[/-]\d{2,4}\b")


def _asks_instalment(said: str, told: Figures) -> bool:
    if not _LOAN.search(said) or not (told.amounts or (told.rate and told.count)):
        return False
    return bool(told.instalment or (told.count and told.rate) or _HOW_MUCH.search(said))


def _asks_growth(said: str, told: Figures) -> bool:
    if not (told.rate and told.amounts and _GROW.search(said)):
        return False
    return bool(told.months or told.days or told.target or _HOW_MUCH.search(said))


def _asks_percent(said: str, told: Figures) -> bool:
    if not (told.percents and len(told.amounts) == 1 and not (told.months or told.days or told.count)):
        return False
    changes = (_RAISE.search(said) or _CUT.search(said)) and _HOW_MUCH.search(said) and not _INVESTS.search(said)
    shares = told.income and re.search(r"\b(?:ahorr|destin|separ|gast|guard)\w+", said)
    return bool(_OF.search(said) or changes or (shares and _HOW_MUCH.search(said)))


def _asks_change(said: str, told: Figures) -> bool:
    pair = 2
    wants = re.search(r"porcentaje|%|variacion|aument|subi|baj|interes|gane|perdi|cuanto (?:cambio|vario)|varia", said)
    return (
        len(told.amounts) == pair
        and not told.percents
        and bool(_CHANGE.search(said) and wants and _HOW_MUCH.search(said))
    )


def _asks_share(said: str, told: Figures) -> bool:
    pair = 2
    return len(told.amounts) == pair and bool(_SHARE.search(said))


def _has_own_income(said: str, told: Figures) -> bool:
    return bool(told.amounts) or bool(
        re.search(r"\b(?:mi sueldo|mis ingresos|aplic\w+|cuanto|calcul\w+|repart\w+)", said)
    )


def _asks_bonus(said: str, told: Figures) -> bool:
    if not _AGUINALDO.search(said) or re.search(r"inv[ie]+rt|ahorr|gast|apost|conviene", said):
        return False
    return bool(told.amounts or re.search(r"\bcuanto|calcul", said))


def _asks_doubling(said: str, told: Figures) -> bool:
    wants = told.rate or re.search(r"\bcuant\w+ (?:tiempo|tarda|años|meses)", said)
    return bool(_DOUBLE.search(said) and wants)


def _asks_deposit(said: str, told: Figures) -> bool:
    if not (_DEPOSIT.search(said) and told.amounts) or told.monthly or told.target:
        return False
    return (told.months or 0) <= finance.MONTHS_A_YEAR and bool(told.rate or _HOW_MUCH.search(said))


def _asks_rates(said: str, told: Figures) -> bool:
    return bool(told.rate and not told.amounts and _RATES.search(said) and _HOW_MUCH.search(said))


# --- how each is made -------------------------------------------------------------------------------------------------


def _expression(_: Figures, said: str) -> str:
    match = _EXPRESSION.search(said)
    written = match[0] if match else ""
    operators = ((r"dividido(?: por| entre)?", "/"), (r"\bpor\b", "*"), (r"\bmas\b", "+"), (r"\bmenos\b", "-"))
    for word, sign in operators:
        written = re.sub(word, sign, written)
    shown = (
        re.sub(r" ?([-+*/^]) ?", r" \1 ", written.replace("x", "*"))
        .replace("*", _TIMES)
        .replace("/", "\N{DIVISION SIGN}")
    )
    return texts.EXPRESSION.format(
        expression=shown.replace(_TIMES, "\N{MULTIPLICATION SIGN}"), result=_number(evaluate(written))
    )


def _percent(figures: Figures, said: str) -> str:
    amount, rate = figures.amounts[0], figures.percents[0]
    part = amount * rate
    values = {"amount": _money(amount, figures), "percent": _pct(rate), "part": _money(part, figures)}
    if not (_RAISE.search(said) or _CUT.search(said)):
        return texts.PERCENT_OF.format_map({**values, "result": _money(part, figures)})
    if _CUT.search(said):
        return texts.PERCENT_LESS.format_map({**values, "result": _money(amount - part, figures)})
    return texts.PERCENT_MORE.format_map({**values, "result": _money(amount + part, figures)})


def _change(figures: Figures, _: str) -> str:
    before, after = figures.amounts
    change = finance.percentage_change(before, after)
    return texts.CHANGE.format(before=_money(before, figures), after=_money(after, figures), percent=_pct(change))


def _share(figures: Figures, _: str) -> str:
    part, whole = figures.amounts
    share = CONTEXT.divide(part, whole)
    return texts.SHARE.format(part=_money(part, figures), whole=_money(whole, figures), percent=_pct(share))


def _rates(figures: Figures, _: str) -> str:
    (rate,) = _needed(figures, "rate")
    if figures.rate_kind == "month":
        effective, nominal, monthly = finance.effective_of_period(rate), rate * finance.MONTHS_A_YEAR, rate
        template = texts.FROM_MONTHLY
    elif figures.rate_kind == "tea":
        effective, monthly = rate, finance.monthly_of_effective(rate)
        nominal, template = finance.nominal_of_effective(rate), texts.NOMINAL
    else:
        nominal, monthly = rate, finance.monthly_of_nominal(rate)
        effective, template = finance.effective_of_nominal(rate), texts.EFFECTIVE
    return template.format_map({"nominal": _pct(nominal), "effective": _pct(effective), "monthly": _pct(monthly)})


def _real(figures: Figures, _: str) -> str:
    nominal, inflation = _needed(figures, "rate", "inflation")
    real = finance.real_rate(nominal, inflation)
    return texts.REAL.format(
        real=_pct(real),
        nominal=_pct(nominal),
        inflation=_pct(inflation),
        meaning=texts.REAL_GAINS if real > 0 else texts.REAL_LOSES,
    )


def _instalment(figures: Figures, said: str) -> str:
    count = figures.count or figures.months
    if figures.instalment and count:
        return _compared(figures, figures.instalment, count)
    principal = figures.principal or figures.cash_price or figures.target
    if principal and count and _NO_INTEREST.search(said):
        return _compared(replace(figures, cash_price=None, principal=None), principal / count, count)
    figures = replace(figures, principal=principal, count=count)
    principal, rate, _count = _needed(figures, "principal", "rate", "count")
    monthly, note = _loan_rate(figures, rate)
    paid = finance.instalment(principal, rate=monthly, count=int(_count))
    total = paid * _count
    return (
        texts.INSTALMENT.format(
            instalment=_money(paid, figures),
            principal=_money(principal, figures),
            count=str(int(_count)),
            rate=_stated(figures, monthly),
            total=_money(total, figures),
            interest=_money(total - principal, figures),
        )
        + note
    )


def _compared(figures: Figures, instalment: Decimal, count: int) -> str:
    total = instalment * count
    values = {"total": _money(total, figures), "count": str(count), "instalment": _money(instalment, figures)}
    cash_price = figures.cash_price or figures.principal
    if not cash_price:
        return texts.INSTALMENTS_TOTAL.format_map(values)
    extra = finance.percentage_change(cash_price, total)
    return texts.IN_INSTALMENTS.format_map(
        {
            **values,
            "cash_price": _money(cash_price, figures),
            "extra": _money(total - cash_price, figures),
            "percent": _pct(extra),
        }
    )


def _deposit(figures: Figures, _: str) -> str:
    days = figures.days or (figures.months * _DAYS_A_MONTH if figures.months else None)
    principal = figures.principal or figures.cash_price or next(iter(figures.amounts), None)
    principal, rate, term = _needed(replace(figures, days=days, principal=principal), "principal", "rate", "days")
    nominal = rate * finance.MONTHS_A_YEAR if figures.rate_kind == "month" else rate
    interest = finance.simple_interest(principal, nominal, days=int(term))
    return (
        texts.DEPOSIT.format(
            interest=_money(interest, figures),
            total=_money(principal + interest, figures),
            principal=_money(principal, figures),
            days=str(int(term)),
            nominal=_pct(nominal),
        )
        + texts.NO_PROMISE
    )


def _doubling(figures: Figures, _: str) -> str:
    (rate,) = _needed(figures, "rate")
    periods = finance.periods_to_double(rate)
    is_monthly = figures.rate_kind == "month"
    unit = "meses" if is_monthly else "años"
    shown = _number(periods, decimals=1)
    return (
        texts.DOUBLING.format(
            time=f"{shown} {unit}",
            rate=_pct(rate),
            period=texts.A_MONTH if is_monthly else texts.A_YEAR,
            periods=f"{shown} {unit}",
            percent=_number(rate * 100, decimals=1),
            rule=f"{_number(_RULE_OF_72 / (rate * 100), decimals=1)} {unit}",
        )
        + texts.NO_PROMISE
    )


def _growth(figures: Figures, said: str) -> str:
    if figures.target:
        return _goal(figures)
    if figures.days and not figures.months:
        return _deposit(figures, said)
    rate, term = _needed(figures, "rate", "months")
    monthly_rate, note = _saving_rate(figures, rate)
    capital, monthly = figures.principal or figures.cash_price or Decimal(0), figures.monthly or Decimal(0)
    if not (capital or monthly):
        raise _Missing("principal")
    months = int(term)
    result = finance.future_value(capital=capital, monthly=monthly, months=months, rate=monthly_rate)
    paid = capital + monthly * months
    return (
        texts.GROWTH.format(
            result=_money(result, figures),
            parts=_parts(figures, capital, monthly),
            term=fmt.months(months),
            rate=_stated(figures, monthly_rate),
            annuity=texts.ANNUITY if monthly else "",
            paid=_money(paid, figures),
            gain=_money(result - paid, figures),
        )
        + note
        + texts.NO_PROMISE
    )


def _parts(figures: Figures, capital: Decimal, monthly: Decimal) -> str:
    if capital and monthly:
        return texts.GROWTH_BOTH.format(capital=_money(capital, figures), monthly=_money(monthly, figures))
    if monthly:
        return texts.GROWTH_ONLY_MONTHLY.format(monthly=_money(monthly, figures))
    return texts.GROWTH_CAPITAL.format(capital=_money(capital, figures))


def _goal(figures: Figures) -> str:
    target, rate = _needed(figures, "target", "rate")
    monthly_rate, note = _saving_rate(figures, rate)
    capital = figures.principal or Decimal(0)
    start = texts.SAVING_START.format(capital=_money(capital, figures)) if capital else ""
    if figures.monthly:
        terms = [
            finance.months_needed(target=target, capital=capital, monthly=figures.monthly, rate=each)
            for each in (monthly_rate, Decimal(0))
        ]
        told = texts.REACHED_IN.format(
            target=_money(target, figures),
            term=fmt.months(terms[0]),
            monthly=_money(figures.monthly, figures),
            start=start,
            rate=_stated(figures, monthly_rate),
            plain=fmt.months(terms[1]),
        )
        return told + note + texts.NO_PROMISE
    (term,) = _needed(figures, "months")
    months = int(term)
    with_rate, without = (
        finance.required_monthly(target=target, capital=capital, months=months, rate=each)
        for each in (monthly_rate, Decimal(0))
    )
    told = texts.SAVING.format(
        monthly=_money(with_rate, figures),
        target=_money(target, figures),
        term=fmt.months(months),
        start=start,
        rate=_stated(figures, monthly_rate),
        plain=_money(without, figures),
    )
    return told + note + texts.NO_PROMISE


def _budget(figures: Figures, _: str) -> str:
    told = figures.income or figures.monthly or figures.principal
    (income,) = _needed(replace(figures, income=told), "income")
    parts = finance.budget_50_30_20(income)
    return texts.BUDGET.format(
        income=_money(income, figures),
        needs=_money(parts.needs, figures),
        wants=_money(parts.wants, figures),
        savings=_money(parts.savings, figures),
    )


def _bonus(figures: Figures, _: str) -> str:
    pay = figures.income or figures.monthly or figures.principal
    if pay is None:
        raise _Missing("pay")
    months = min(figures.months or finance.MONTHS_A_HALF_YEAR, finance.MONTHS_A_HALF_YEAR)
    result = finance.aguinaldo(pay, months=months)
    return texts.AGUINALDO.format(result=_money(result, figures), pay=_money(pay, figures), months=str(months))


_GROWTH_TASK = _Task("growth", _asks_growth, _growth)
# The first that a text asks for; what needs the most telling words comes first.
_TASKS = (
    _Task("aguinaldo", _asks_bonus, _bonus),
    _Task("budget", lambda said, told: bool(_BUDGET.search(said)) and _has_own_income(said, told), _budget),
    _Task("doubling", _asks_doubling, _doubling),
    _Task("real", lambda said, told: bool(told.inflation and (told.rate or _REAL.search(said))), _real),
    _Task("instalment", _asks_instalment, _instalment),
    _Task("deposit", _asks_deposit, _deposit),
    _Task("rates", _asks_rates, _rates),
    _Task("change", _asks_change, _change),
    _Task("percent", _asks_percent, _percent),
    _Task("share", _asks_share, _share),
    _GROWTH_TASK,
    _Task("expression", _asks_expression, _expression),
)


def _needed(figures: Figures, *names: str) -> list[Decimal]:
    """The figures of these names.

    Raises:
        _Missing: with all of them that were not said.
    """
    missing = [name for name in names if not getattr(figures, name)]
    if missing:
        raise _Missing(*missing)
    return [Decimal(getattr(figures, name)) for name in names]


def _loan_rate(figures: Figures, rate: Decimal) -> tuple[Decimal, str]:
    """The rate of a month of a loan, and what was assumed: loans are quoted by TNA."""
    if figures.rate_kind == "month":
        return rate, ""
    if figures.rate_kind == "tea":
        return finance.monthly_of_effective(rate), ""
    return finance.monthly_of_nominal(rate), "" if figures.rate_kind == "tna" else texts.RATE_ASSUMED_NOMINAL


def _saving_rate(figures: Figures, rate: Decimal) -> tuple[Decimal, str]:
    """The rate of a month of savings, and what was assumed."""
    if figures.rate_kind == "month":
        return rate, ""
    if figures.rate_kind == "tna":
        return finance.monthly_of_nominal(rate), ""
    return finance.monthly_of_effective(rate), "" if figures.rate_kind == "tea" else texts.RATE_ASSUMED_EFFECTIVE


def _stated(figures: Figures, monthly: Decimal) -> str:
    """The rate as it was stated, and the monthly one behind it."""
    kinds = {"month": texts.A_MONTH, "tna": "de TNA", "tea": "de TEA", "year": texts.A_YEAR}
    stated = f"{_pct(figures.rate or monthly)} {kinds[figures.rate_kind or 'month']}"
    return stated if figures.rate_kind == "month" else f"{stated} ({_pct(monthly)} {texts.A_MONTH})"


def _money(value: Decimal, figures: Figures) -> str:
    sign = f"{CURRENCY_SIGNS[figures.currency]}\N{NO-BREAK SPACE}" if figures.currency else ""
    cents = CONTEXT.quantize(value, Decimal("0.01")) if abs(value) < Decimal(10) ** 25 else value
    return f"{sign}{fmt.amount(cents)}"


def _number(value: Decimal, *, decimals: int = 4) -> str:
    shown = fmt.number(value, decimals=decimals)
    return shown.rstrip("0").rstrip(",") if "," in shown else shown


def _pct(rate: Decimal) -> str:
    return f"{_number(rate * 100, decimals=2)}\N{NO-BREAK SPACE}%"
