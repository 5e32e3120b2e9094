"""The sums about a person's own goal: what is known of it, whether a sum was asked for, and the sum in words.

A sum is made only from what can be read in one way and in one currency; else the answer says what to write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from maverik_backend.clients.rag.base import Question, Situation
from maverik_backend.services.advice import finance
from maverik_backend.services.advice.amounts import (
    Money,
    Role,
    amounts_in,
    has_amount,
    is_only_an_amount,
    is_unclear,
    months_in,
    plain,
)
from maverik_backend.texts import advice as texts
from maverik_backend.texts import format as fmt

# Hypothetical yearly returns above inflation. On purpose well below what the embedded optimiser's portfolios made over
# prices from 1990 to 2023 (about 2, 4.6 and 6.4 % before costs): a plan should not need the past to repeat itself.
REAL_ANNUAL_RETURN = {"baja": Decimal("0.010"), "media": Decimal("0.025"), "alta": Decimal("0.040")}
DEFAULT_RISK_TOLERANCE = "media"

_MAX_SHORT_WORDS = 8
_MONEY = r"(?: (?:plata|guita|dinero|dolares|pesos))?"
_ASKS_WHAT_IT_MAKES = re.compile(
    rf"\bcuant[oa]s?{_MONEY} (?:junto|juntaria|voy a (?:juntar|tener|reunir)|llego a (?:juntar|tener|reunir)|"
    r"tendria(?! que)|tendre|acumul\w+|reun\w+)\b"
    r"|\b(?:haceme|hace|rehace|repeti)(?: de nuevo)? (?:las|la|mis) cuentas?\b"
    r"|\b(?:calcula(?:me|lo|melo)|recalcula(?:me|lo|melo)?|calcula (?:mi|cuanto|lo que)|proyectame|mi proyeccion)\b"
)
_ASKS_WHAT_TO_SAVE = re.compile(
    rf"\bcuant[oa]s?{_MONEY} (?:(?:tengo|tendria|hay|habria) que|deberia|debo|necesito|hace falta|me hace falta) "
    r"(?:ahorrar|guardar|separar|apartar|poner|aportar|juntar por mes)\b"
    rf"|\bcuant[oa]{_MONEY} (?:ahorro (?:mensual )?necesito|ahorro|guardo|separo|pongo|necesito)? ?(?:por|al|x) mes\b"
)
_ASKS_HOW_LONG = re.compile(
    r"\ben cuanto(?:s|( tiempo))?(?: (?:anos|años|meses))? (?:junto|llego|reuno|alcanzo|voy a juntar)"
)
_ASKS_IF_ENOUGH = re.compile(
    r"(?<!no )(?<!no me )\b(?:llego|llegamos|llegare|alcanzo|alcanza|alcanzara)\b(?! (?:a fin|en|con la|hasta))"
)
_SAVING_VERB = re.compile(r"\b(?:ahorr|guard|separ|apart|aport|junt|reun|destin)\w*")
_SUPPOSES = re.compile(
    r"^\W*(?:(?:y|pero|o)\b\W*)?(?:que pasa )?(?:si|con) (?:son|fueran|es|fuera|tuviera|tengo|pongo)?\b"
)
_TRIES_AGAIN = re.compile(
    r"^\W*(?:(?:y|pero|entonces|o|ahora|perdon|mejor)\b\W*)*"
    r"(?:si |que pasa si |cuanto seria )?(?:puedo |pudiera )?"
    r"(?:ahorr|guard|separ|aport|pong|pusier|junt|con |son |fueran |en |a |durante |dentro de )"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is known of the person's goal in figures."""

    capital: Money | None = None
    monthly: Money | None = None
    target: Money | None = None
    months: int | None = None

    @property
    def is_told(self) -> bool:
        return bool(self.monthly or self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A sum, or what is missing for it, in words.

    ``is_asked`` is whether the person wants it now, ``stands_alone`` whether nothing else was said; ``months`` is the
    term that it was made for.
    """

    text: str
    is_asked: bool
    months: int | None = None
    stands_alone: bool = False


def sum_for(question: Question, *, is_opening: bool) -> Sum | None:
    """The sum that belongs into the answer; ``is_opening`` is whether the advice on the person's goal starts here."""
    said, situation = plain(question.input), question.situation
    if not (is_opening or _is_wanted(said) or _gives_another_figure(said)):
        return None  # whatever was said before, which takes ten times as long to read
    plan = plan_of(situation, [person for person, _ in question.chat_history])
    if is_opening and _tells_nothing_new(said, plan):
        has_all = situation.goal and situation.horizon_months and situation.capital
        return Sum(text=_growth(plan, situation), is_asked=False) if has_all else None
    tries_again = _tries_again(said, plan)
    if not (tries_again or _is_wanted(said)):
        return None
    if problem := _unreadable(said) or _unplaced(said):
        return Sum(text=_hint(problem), is_asked=True, stands_alone=True)
    plan = _updated(plan, said, start=_start_of(situation))
    text = _worked_out(plan, said, situation)
    return Sum(text=text, is_asked=True, months=plan.months, stands_alone=tries_again)


def plan_of(situation: Situation, texts_said: Iterable[str]) -> Plan:
    """The session's own figures, then what the person said in each text, oldest first."""
    plan = start = _start_of(situation)
    for text in texts_said:
        plan = _updated(plan, plain(text), start=start)
    return plan


def _start_of(situation: Situation) -> Plan:
    return Plan(capital=Money(situation.capital) if situation.capital else None, months=situation.horizon_months)


def _tells_nothing_new(said: str, plan: Plan) -> bool:
    """Whether a text asks for no sum and repeats at most the session's own figures, as the one made for it does."""
    if _asks(said) or is_unclear(said):
        return not _is_wanted(said)
    amounts = amounts_in(said)
    own_capital = {Role.CAPITAL: plan.capital} if plan.capital else {}
    return not amounts or (amounts == own_capital and months_in(said) in {None, plan.months})


def _updated(plan: Plan, said: str, *, start: Plan) -> Plan:
    """The latest figures count. Nothing is taken from a text that can be read in two ways."""
    amounts = _in_one_currency(amounts_in(said))
    tries_again = _tries_again(said, plan)
    if _unreadable(said) or not (amounts or tries_again or _is_wanted(said)):
        return plan
    plan = _still_standing(plan, amounts, said, start=start)
    monthly = amounts.get(Role.MONTHLY) or (amounts.get(Role.SAVING_WITHOUT_RHYTHM) if tries_again else None)
    target = amounts.get(Role.TARGET)
    months = months_in(said) or (None if monthly and target else plan.months)
    known = plan.monthly if not target else None
    return Plan(
        capital=_latest(amounts.get(Role.CAPITAL), plan.capital),
        monthly=_latest(monthly, known, currency_of=plan.monthly or plan.target),
        target=_latest(target, plan.target),
        months=months,
    )


def _still_standing(plan: Plan, amounts: dict[Role, Money], said: str, *, start: Plan) -> Plan:
    """What was told earlier and still counts.

    Another capital with a term is another goal, and naming a currency ends what was told in another one.
    """
    if Role.CAPITAL in amounts and months_in(said):
        return start
    named = {money.currency for money in amounts.values() if money.currency}
    if not named or not _currencies(plan) - named:
        return plan
    return replace(start, months=plan.months)


def _unreadable(said: str) -> str | None:
    """Why the figures of a text cannot be used, if so."""
    amounts = amounts_in(said)
    named = {money.currency for money in amounts.values() if money.currency}
    if is_unclear(said):
        return "unclear"
    if len(named) > 1:
        return "currencies"
    return "currency" if named and Role.CAPITAL in amounts and not amounts[Role.CAPITAL].currency else None


def _unplaced(said: str) -> str | None:
    """A figure whose role cannot be told: "100 mil", "¿y si son 30 mil?"."""
    tells_role = _asks(said) or amounts_in(said) or months_in(said)
    return "amount" if _is_figure_alone(said) and not tells_role else None


def _is_figure_alone(said: str) -> bool:
    is_short = len(said.split()) <= _MAX_SHORT_WORDS
    return is_only_an_amount(said) or (is_short and bool(_SUPPOSES.match(said)) and has_amount(said))


def _in_one_currency(amounts: dict[Role, Money]) -> dict[Role, Money]:
    """Savings and a target of one text are in the one currency that it names."""
    named = {money.currency for money in amounts.values() if money.currency}
    if len(named) != 1:
        return amounts
    (currency,) = named
    return {role: replace(money, currency=money.currency or currency) for role, money in amounts.items()}


def _latest(said: Money | None, known: Money | None, *, currency_of: Money | None = None) -> Money | None:
    """What was said now, in the currency of what it takes the place of when it names none."""
    earlier = currency_of or known
    if said and earlier and not said.currency:
        return replace(said, currency=earlier.currency)
    return said or known


def _is_wanted(said: str) -> bool:
    amounts = amounts_in(said)
    is_short = len(said.split()) <= _MAX_SHORT_WORDS
    if _asks(said) or Role.TARGET in amounts or _is_figure_alone(said):
        return True
    if Role.MONTHLY in amounts:
        return bool(_SAVING_VERB.search(said)) or is_short or bool(_ASKS_IF_ENOUGH.search(said))
    if Role.CAPITAL in amounts and months_in(said):
        return True
    return (
        is_unclear(said) and bool(_SAVING_VERB.search(said)) and bool(re.search(r"\bmes|mensual|\bsemana|\baño", said))
    )


def _asks(said: str) -> bool:
    is_short = len(said.split()) <= _MAX_SHORT_WORDS
    patterns = (_ASKS_WHAT_IT_MAKES, _ASKS_WHAT_TO_SAVE, _ASKS_HOW_LONG)
    return any(pattern.search(said) for pattern in patterns) or (is_short and bool(_ASKS_IF_ENOUGH.search(said)))


def _tries_again(said: str, plan: Plan) -> bool:
    """Whether a text gives another figure for a sum made before: "¿y si ahorro 200?", "¿y en 5 años?"."""
    return plan.is_told and _gives_another_figure(said)


def _gives_another_figure(said: str) -> bool:
    if len(said.split()) > _MAX_SHORT_WORDS or not _TRIES_AGAIN.match(said):
        return False
    return Role.SAVING_WITHOUT_RHYTHM in amounts_in(said) or months_in(said) is not None


def _worked_out(plan: Plan, said: str, situation: Situation) -> str:
    if plan.monthly and plan.target and (plan.months is None or _ASKS_HOW_LONG.search(said)):
        return _time_needed(plan, situation)
    asks_what_to_save = _ASKS_WHAT_TO_SAVE.search(said)
    if not (plan.monthly or plan.target or plan.capital) or (asks_what_to_save and not plan.target):
        return _hint("amount")
    if plan.months is None:
        return _hint("term")
    if plan.target and (asks_what_to_save or not plan.monthly):
        return _required_saving(plan, situation)
    return _growth(plan, situation)


def annual_return_for(risk_tolerance: str | None) -> Decimal:
    """The hypothetical yearly return above inflation, as a fraction; for an unknown tolerance the default's."""
    return REAL_ANNUAL_RETURN.get(risk_tolerance or "", REAL_ANNUAL_RETURN[DEFAULT_RISK_TOLERANCE])


def _hint(problem: str) -> str:
    return texts.SUM_EXAMPLE.format(problem=texts.SUM_HINTS[problem])


def _growth(plan: Plan, situation: Situation) -> str:
    """Where capital and savings lead by the plan's term."""
    capital, monthly, months = _value(plan.capital), _value(plan.monthly), plan.months or 0
    rate = annual_return_for(situation.suited_tolerance or situation.risk_tolerance)
    projected = finance.future_value(
        capital=capital, monthly=monthly, months=months, rate=finance.monthly_of_effective(rate)
    )
    text = texts.PROJECTION.format(
        horizon=fmt.months(months),
        contributions=_contributions(plan),
        saved=_money(capital + monthly * months, plan),
        rate=fmt.percent(rate * 100),
        projected=_money(round(projected), plan),
    )
    return text + _assumption(plan) + ("" if plan.monthly else texts.ASK_MONTHLY_SAVING)


def _required_saving(plan: Plan, situation: Situation) -> str:
    """What has to be saved a month to have the target by the plan's term."""
    capital, target, months = _value(plan.capital), _value(plan.target), plan.months or 1
    if capital >= target:
        return _reached(plan)
    rate = annual_return_for(situation.suited_tolerance or situation.risk_tolerance)
    monthly = finance.required_monthly(
        target=target, capital=capital, months=months, rate=finance.monthly_of_effective(rate)
    )
    text = texts.REQUIRED_SAVING.format(
        target=_money(target, plan),
        horizon=fmt.months(months),
        start=texts.STARTING_FROM.format(capital=_money(capital, plan)) if capital else "",
        plain=_money(round((target - capital) / months), plan),
        rate=fmt.percent(rate * 100),
        monthly=_money(round(monthly), plan),
    )
    return text + _assumption(plan)


def _time_needed(plan: Plan, situation: Situation) -> str:
    """How long the savings take to make the target."""
    capital, monthly, target = _value(plan.capital), _value(plan.monthly), _value(plan.target)
    if capital >= target:
        return _reached(plan)
    rate = annual_return_for(situation.suited_tolerance or situation.risk_tolerance)
    needed = partial(finance.months_needed, target=target, capital=capital, monthly=monthly)
    text = texts.TIME_NEEDED.format(
        target=_money(target, plan),
        contributions=_contributions(plan),
        plain=fmt.months(needed(rate=Decimal(0))),
        rate=fmt.percent(rate * 100),
        months=fmt.months(needed(rate=finance.monthly_of_effective(rate))),
    )
    return text + _assumption(plan)


def _reached(plan: Plan) -> str:
    capital_only = replace(plan, monthly=None)
    return texts.TARGET_REACHED.format(
        contributions=_contributions(capital_only), target=_money(_value(plan.target), plan)
    ) + _assumption(plan)


def _contributions(plan: Plan) -> str:
    return fmt.enumerate_spanish(list(_parts(plan, only_unnamed=False)))


def _parts(plan: Plan, *, only_unnamed: bool) -> Iterator[str]:
    if plan.capital and not (only_unnamed and plan.capital.currency):
        yield texts.CONTRIBUTION_CAPITAL.format(capital=_money(plan.capital.value, None if only_unnamed else plan))
    if plan.monthly and not (only_unnamed and plan.monthly.currency):
        yield texts.CONTRIBUTION_MONTHLY.format(monthly=_money(plan.monthly.value, None if only_unnamed else plan))


def _assumption(plan: Plan) -> str:
    """What was taken to be in the currency that the person named for something else."""
    unnamed = list(_parts(plan, only_unnamed=True))
    currencies = _currencies(plan)
    if not (unnamed and currencies):
        return ""
    (currency,) = currencies
    return texts.ASSUMED_CURRENCY.format(
        amounts=fmt.enumerate_spanish(unnamed), currency=texts.CURRENCY_NAMES[currency]
    )


def _currencies(plan: Plan) -> set[str]:
    used = (plan.capital, plan.monthly, plan.target)
    return {money.currency for money in used if money and money.currency}


def _value(money: Money | None) -> Decimal:
    return money.value if money else Decimal(0)


def _money(value: Decimal | float, plan: Plan | None) -> str:
    """An amount with its currency's sign, when one was named."""
    currencies = _currencies(plan) if plan else set()
    sign = "".join(f"{texts.CURRENCY_SIGNS[currency]}\N{NO-BREAK SPACE}" for currency in currencies)
    return f"{sign}{fmt.amount(value)}"
