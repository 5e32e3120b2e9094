"""Arguments that a model chose for a declared query, as values of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from maverik_backend.errors import QueryRefused
from maverik_backend.services.queries.definition import (
    DEFAULT_LANGUAGE,
    DeclaredQuery,
    Parameter,
    ParameterType,
    ParameterValue,
    text_in,
)
from maverik_backend.services.queries.values import month_named
from maverik_backend.services.queries.words import stems_of

MAX_TEXT_CHARS = 200
_MAX_NAMED = 30
_MAX_ENUM = 60
_MAX_INTEGER = 2**63 - 1


def values_of(
    query: DeclaredQuery, arguments: Mapping[str, Any], *, column_values: Mapping[str, Sequence[str]]
) -> dict[str, ParameterValue]:
    """The value of every parameter of ``query``; ``None`` for an optional one that is not given.

    Raises:
        QueryRefused: with a sentence on the first argument that is unknown, missing or none of the allowed.
    """
    if unknown := arguments.keys() - query.parameters.keys():
        raise QueryRefused(f"There is no parameter {min(unknown)[:40]!r}. There are: {', '.join(query.parameters)}.")
    return {
        name: _value(name, parameter, arguments.get(name), column_values)
        for name, parameter in query.parameters.items()
    }


def _value(
    name: str,
    parameter: Parameter,
    given: Any,  # noqa: ANN401 - JSON
    column_values: Mapping[str, Sequence[str]],
) -> ParameterValue:
    if given is None or given == "":
        if parameter.required:
            raise QueryRefused(f"{name} is missing: {text_in(parameter.description, 'en')}.")
        return None
    if parameter.type is ParameterType.CHOICE:
        return _choice(name, parameter, given, column_values.get(parameter.values_from or "", ()))
    if parameter.type is ParameterType.TEXT:
        return _text(name, given)
    if parameter.type is ParameterType.DATE:
        return _date(name, given)
    return _number(name, parameter, given)


def _choice(name: str, parameter: Parameter, given: object, held: Sequence[str]) -> str:
    stems = stems_of(str(given)[:MAX_TEXT_CHARS])
    for value, words in [*((value, ()) for value in held), *parameter.values.items()]:
        if stems in {stems_of(value), *map(stems_of, words)}:
            return value
    allowed = [*parameter.values, *held]
    more = f" and {len(allowed) - _MAX_NAMED} more" if len(allowed) > _MAX_NAMED else ""
    raise QueryRefused(f"{name} must be one of: {', '.join(allowed[:_MAX_NAMED])}{more}.")


def _text(name: str, given: object) -> str:
    if not isinstance(given, str | int) or len(str(given)) > MAX_TEXT_CHARS or "\0" in str(given):
        raise QueryRefused(f"{name} must be a text of at most {MAX_TEXT_CHARS} characters.")
    return str(given)


def _date(name: str, given: object) -> date:
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise QueryRefused(f"{name} must be a date, as YYYY-MM-DD.") from None


def _number(name: str, parameter: Parameter, given: object) -> int | float:
    number: object = given
    if isinstance(given, str):
        number = month_named(given) if parameter.type is ParameterType.MONTH else None
        number = number if number is not None else _parsed(given)
    is_whole = parameter.type is not ParameterType.NUMBER
    is_number = isinstance(number, int | float) and not isinstance(number, bool) and abs(number) <= _MAX_INTEGER
    low, high = parameter.bounds
    if (
        not is_number
        or not isinstance(number, int | float)
        or (is_whole and number != int(number))
        or (low is not None and number < low)
        or (high is not None and number > high)
    ):
        kind = "a whole number" if is_whole else "a number"
        raise QueryRefused(f"{name} must be {kind}{_between(low, high)}.")
    return int(number) if is_whole else number


def _parsed(text: str) -> float | None:
    try:
        return float(text[:MAX_TEXT_CHARS])
    except ValueError:
        return None


def _between(low: float | None, high: float | None) -> str:
    told = [f"at least {low:g}"] if low is not None else []
    told += [f"at most {high:g}"] if high is not None else []
    return f", {' and '.join(told)}" if told else ""


def schema_of(query: DeclaredQuery) -> dict[str, Any]:
    """The JSON schema of the arguments, as models are told."""
    return {
        "type": "object",
        "properties": {name: _property(parameter) for name, parameter in query.parameters.items()},
        "required": [name for name, parameter in query.parameters.items() if parameter.required],
        "additionalProperties": False,
    }


_JSON_TYPES: dict[ParameterType, dict[str, Any]] = {
    ParameterType.TEXT: {"type": "string", "maxLength": MAX_TEXT_CHARS},
    ParameterType.CHOICE: {"type": "string"},
    ParameterType.DATE: {"type": "string", "format": "date"},
    ParameterType.INTEGER: {"type": "integer"},
    ParameterType.MONTH: {"type": "integer"},
    ParameterType.NUMBER: {"type": "number"},
}


def _property(parameter: Parameter) -> dict[str, Any]:
    low, high = parameter.bounds
    told = {**_JSON_TYPES[parameter.type], "description": text_in(parameter.description, DEFAULT_LANGUAGE)}
    if parameter.values and not parameter.values_from and len(parameter.values) <= _MAX_ENUM:
        told["enum"] = list(parameter.values)
    return {
        **told,
        **({"minimum": low} if low is not None else {}),
        **({"maximum": high} if high is not None else {}),
    }
