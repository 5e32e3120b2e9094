"""The calculator: exact arithmetic, and the finance functions of services/advice/finance.py, one tool each.

Rates come as per cent and results go back as decimal texts, rounded half up: to cents, or to hundredths of a per cent.
Every result has the formula beside it, for the model to show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, DecimalException
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, WithJsonSchema

from maverik_backend.services.advice import NotCalculable, evaluate, finance
from maverik_backend.services.assistants.tools.base import Arguments, FunctionTool, Tool, ToolFailed, ToolOutput

_CENT = Decimal("0.01")
_HUNDRED = Decimal(100)

_NUMBER = WithJsonSchema({"type": "number"})
Amount = Annotated[Decimal, Field(ge=0, le=10**15, allow_inf_nan=False), _NUMBER]
PositiveAmount = Annotated[Decimal, Field(gt=0, le=10**15, allow_inf_nan=False), _NUMBER]
Rate = Annotated[Decimal, Field(ge=-99, le=100_000, allow_inf_nan=False), _NUMBER]
PositiveRate = Annotated[Decimal, Field(gt=0, le=100_000, allow_inf_nan=False), _NUMBER]
Months = Annotated[int, Field(ge=1, le=1_200)]


class Expression(Arguments):
    expression: str = Field(
        min_length=1, max_length=200, description="Numbers, + - * / ^ % and parentheses: (1250000 + 50000) * 3,5%"
    )


class RateConversion(Arguments):
    annual_pct: Rate = Field(description="The yearly rate, in per cent.")
    given: Literal["tna", "tea"] = Field(description="What the rate is: nominal (TNA) or effective (TEA).")


class Growth(Arguments):
    capital: Amount = Field(description="What is invested at the beginning.")
    monthly: Amount = Field(default=Decimal(0), description="What is added at the end of each month.")
    months: Months = Field(description="For how many months.")
    monthly_pct: Rate = Field(description="The rate of a month, in per cent.")


class Goal(Arguments):
    target: PositiveAmount = Field(description="What is to be reached.")
    capital: Amount = Field(default=Decimal(0), description="What is there at the beginning.")
    months: Months = Field(description="In how many months.")
    monthly_pct: Rate = Field(default=Decimal(0), description="The rate of a month, in per cent.")


class Loan(Arguments):
    principal: PositiveAmount = Field(description="What is borrowed.")
    instalments: Months = Field(description="How many monthly instalments.")
    monthly_pct: Rate = Field(description="The rate of a month, in per cent: a TNA divided by 12.")


class RealRate(Arguments):
    nominal_pct: Rate = Field(description="What it earns in a period, in per cent.")
    inflation_pct: Rate = Field(description="Inflation of the same period, in per cent.")


class Doubling(Arguments):
    rate_pct: PositiveRate = Field(description="What it grows by in a period, in per cent.")


class Change(Arguments):
    before: PositiveAmount = Field(description="The earlier value.")
    after: Amount = Field(description="The later value.")


class Income(Arguments):
    income: PositiveAmount = Field(description="Net income of a month.")


class Pay(Arguments):
    best_pay: PositiveAmount = Field(description="The best gross monthly pay of the half-year.")
    months: Annotated[int, Field(ge=1, le=6)] = Field(default=6, description="Months worked of the half-year.")


A = TypeVar("A", bound=Arguments)


def _tool(name: str, description: str, arguments: type[A], compute: Callable[[A], Mapping[str, Any]]) -> Tool:
    def run(parsed: A, _context: object) -> ToolOutput:
        try:
            return ToolOutput(value=dict(compute(parsed)))
        except (NotCalculable, DecimalException, ZeroDivisionError) as error:
            raise ToolFailed("This cannot be computed: check the numbers.") from error

    return FunctionTool(name=name, description=description, arguments=arguments, function=run)


def _rate(pct: Decimal) -> Decimal:
    return pct / _HUNDRED


def _pct(rate: Decimal) -> str:
    return _money(rate * _HUNDRED)


def _money(value: Decimal) -> str:
    return format(value.quantize(_CENT, ROUND_HALF_UP), "f")


def _conversion(asked: RateConversion) -> dict[str, str]:
    given = _rate(asked.annual_pct)
    if asked.given == "tna":
        return {"tea_pct": _pct(finance.effective_of_nominal(given)), "formula": "TEA = (1 + TNA/12)^12 - 1"}
    return {"tna_pct": _pct(finance.nominal_of_effective(given)), "formula": "TNA = 12 * ((1 + TEA)^(1/12) - 1)"}


def _growth(asked: Growth) -> dict[str, str]:
    value = finance.future_value(
        capital=asked.capital, monthly=asked.monthly, months=asked.months, rate=_rate(asked.monthly_pct)
    )
    put_in = asked.capital + asked.monthly * asked.months
    formula = "VF = C * (1 + i)^n + A * ((1 + i)^n - 1) / i"
    return {"value": _money(value), "put_in": _money(put_in), "earned": _money(value - put_in), "formula": formula}


def _goal(asked: Goal) -> dict[str, str]:
    monthly = finance.required_monthly(
        target=asked.target, capital=asked.capital, months=asked.months, rate=_rate(asked.monthly_pct)
    )
    return {"monthly": _money(monthly), "formula": "A = (M - C * (1 + i)^n) * i / ((1 + i)^n - 1)"}


def _loan(asked: Loan) -> dict[str, str]:
    instalment = finance.instalment(asked.principal, rate=_rate(asked.monthly_pct), count=asked.instalments)
    total = instalment * asked.instalments
    return {
        "instalment": _money(instalment),
        "total": _money(total),
        "interest": _money(total - asked.principal),
        "formula": "C = P * i / (1 - (1 + i)^-n)",
    }


def _budget(asked: Income) -> dict[str, str]:
    budget = finance.budget_50_30_20(asked.income)
    return {"needs": _money(budget.needs), "wants": _money(budget.wants), "savings": _money(budget.savings)}


CALCULATOR: tuple[Tool, ...] = (
    _tool(
        "calculate",
        "Exact arithmetic. Every sum in an answer comes from here or from another tool.",
        Expression,
        lambda asked: {"result": format(evaluate(asked.expression).normalize(), "f")},
    ),
    _tool(
        "convert_rate", "A nominal yearly rate (TNA) as an effective one (TEA) or back.", RateConversion, _conversion
    ),
    _tool("compound_growth", "What capital and monthly contributions grow to.", Growth, _growth),
    _tool("saving_for_goal", "What has to be put aside each month to reach an amount.", Goal, _goal),
    _tool("loan_instalment", "The instalment of a loan by the French system, and its whole cost.", Loan, _loan),
    _tool(
        "real_rate",
        "What a rate is worth above inflation.",
        RealRate,
        lambda asked: {
            "real_pct": _pct(finance.real_rate(_rate(asked.nominal_pct), _rate(asked.inflation_pct))),
            "formula": "(1 + i) / (1 + inflación) - 1",
        },
    ),
    _tool(
        "periods_to_double",
        "In how many periods an amount doubles.",
        Doubling,
        lambda asked: {
            "periods": _money(finance.periods_to_double(_rate(asked.rate_pct))),
            "formula": "ln 2 / ln(1 + i)",
        },
    ),
    _tool(
        "percentage_change",
        "By how many per cent a value changed.",
        Change,
        lambda asked: {
            "change_pct": _pct(finance.percentage_change(asked.before, asked.after)),
            "formula": "(después - antes) / antes",
        },
    ),
    _tool("budget_50_30_20", "An income split into needs, wants and savings.", Income, _budget),
    _tool(
        "aguinaldo",
        "The half-yearly bonus (SAC) before deductions.",
        Pay,
        lambda asked: {
            "aguinaldo": _money(finance.aguinaldo(asked.best_pay, months=asked.months)),
            "formula": "mejor sueldo / 12 * meses trabajados",
        },
    ),
)
