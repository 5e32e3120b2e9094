"""JSON schemas as providers want them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """``schema`` with ``additionalProperties: false`` in every object that does not say.

    Providers that enforce schemas demand it.
    """
    copy = {key: _closed_value(value) for key, value in schema.items()}
    if copy.get("type") == "object":
        copy.setdefault("additionalProperties", False)
    return copy


def is_strict(schema: Mapping[str, Any]) -> bool:
    """Whether OpenAI can enforce ``schema``, a :func:`closed` one: every property of every object is required.

    https://platform.openai.com/docs/guides/structured-outputs
    """
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and set(properties) != set(schema.get("required", ())):
        return False
    if schema.get("additionalProperties", False) is not False:
        return False
    return all(is_strict(part) for part in _parts(schema))


def _closed_value(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return closed(value)
    return [_closed_value(part) for part in value] if isinstance(value, list | tuple) else value


def _parts(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    values = [value if isinstance(value, list | tuple) else [value] for value in schema.values()]
    return [part for value in values for part in value if isinstance(part, Mapping)]
