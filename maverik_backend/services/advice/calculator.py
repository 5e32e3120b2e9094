"""Arithmetic in exact decimals for whatever is asked in words or by a tool: never ``eval``, every size bounded.

Grammar: ``+ - * / ^``, parentheses, a sign, and ``%`` after a number (a hundredth). Figures as in Argentina
(``1.250.000,50``)
or as programs write them (``1250000.50``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow

from maverik_backend.errors import MaverikError

MAX_EXPRESSION_CHARS = 200
MAX_TOKENS = 60
MAX_DEPTH = 12
MAX_EXPONENT = 600
MAX_RESULT = Decimal(10) ** 30
# 34 digits: those of IEEE 754 decimal128, far beyond any amount of money.
CONTEXT = Context(prec=34, traps=[DivisionByZero, InvalidOperation, Overflow])

_TOKEN = re.compile(r"\s*(?:(?P<number>\d[\d.,]*)|(?P<operator>[-+*/^()%\u00d7\u00f7\u00b7x]))")
_SAME = {"\u00d7": "*", "\u00b7": "*", "x": "*", "\u00f7": "/"}  # the signs of print


class NotCalculable(MaverikError):
    """An expression that is none, or whose size or result is out of bounds."""


def parse_number(number: str) -> Decimal:
    """``1.234.567,89`` and ``1234567.89`` alike: a point before exactly three digits separates thousands.

    Raises:
        NotCalculable: when it is no number.
    """
    if "," in number or re.fullmatch(r"\d{1,3}(?:\.\d{3})+", number):
        number = number.replace(".", "").replace(",", ".")
    try:
        return Decimal(number)
    except DecimalException as error:
        raise NotCalculable("number") from error


def evaluate(expression: str) -> Decimal:
    """The value of ``expression``.

    Raises:
        NotCalculable: when it is too long or deep, no expression, divides by zero, or its result is out of bounds.
    """
    if len(expression) > MAX_EXPRESSION_CHARS:
        raise NotCalculable("length")
    parser = _Parser(_tokens_of(expression))
    try:
        value = parser.whole()
    except (DivisionByZero, InvalidOperation, Overflow) as error:
        raise NotCalculable("value") from error
    if abs(value) > MAX_RESULT:
        raise NotCalculable("result")
    return value


def _tokens_of(expression: str) -> list[str]:
    tokens: list[str] = []
    at, text = 0, expression.strip().lower()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(tokens) >= MAX_TOKENS:
            raise NotCalculable("token")
        operator = match["operator"]
        tokens.append(_SAME.get(operator, operator) if operator else match["number"].rstrip(".,"))
        at = match.end()
    return tokens


class _Parser:
    """Recursive descent over tokens: sums of products of powers."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Decimal:
        value = self._sum()
        if self._at != len(self._tokens):
            raise NotCalculable("rest")
        return value

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _sum(self) -> Decimal:
        value = self._product()
        while self._peek() in {"+", "-"}:
            operator, right = self._take(), self._product()
            value = CONTEXT.add(value, right) if operator == "+" else CONTEXT.subtract(value, right)
        return value

    def _product(self) -> Decimal:
        value = self._power()
        while self._peek() in {"*", "/"}:
            operator, right = self._take(), self._power()
            value = CONTEXT.multiply(value, right) if operator == "*" else CONTEXT.divide(value, right)
        return value

    def _power(self) -> Decimal:
        base = self._signed()
        if self._peek() != "^":
            return base
        self._take()
        exponent = self._signed()
        if abs(exponent) > MAX_EXPONENT:
            raise NotCalculable("exponent")
        return CONTEXT.power(base, exponent)

    def _signed(self) -> Decimal:
        if self._peek() in {"+", "-"}:
            sign = self._take()
            value = self._nested(self._signed)
            return CONTEXT.minus(value) if sign == "-" else value
        value = self._atom()
        while self._peek() == "%":
            self._take()
            value = CONTEXT.divide(value, Decimal(100))
        return value

    def _atom(self) -> Decimal:
        token = self._take()
        if token == "(":  # noqa: S105 - a bracket
            value = self._nested(self._sum)
            if self._take() != ")":
                raise NotCalculable("bracket")
            return value
        if not token[:1].isdigit():
            raise NotCalculable("operand")
        return parse_number(token)

    def _nested(self, parse: Callable[[], Decimal]) -> Decimal:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotCalculable("depth")
        value = parse()
        self._depth -= 1
        return value
