"""What the JSON Schema of a text promises is what validation takes."""

from __future__ import annotations

from typing import Annotated, Any

import jsonschema_rs
import pytest
from pydantic import TypeAdapter, ValidationError

from maverik_backend.schemas.base import Text
from maverik_backend.schemas.session import TurnoCrearRequest
from maverik_backend.schemas.user import UsuarioLogin

MAX_CHARS = 9
CHARACTERS = [*map(chr, range(0xD800)), *map(chr, range(0xE000, 0x11000))]


def is_taken(adapter: TypeAdapter[Any], value: object) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("allows_blank", [True, False])
@pytest.mark.parametrize("text", ["{}", "{}\n", " {} ", "a{}", "{}a", "{}" * MAX_CHARS, "{}" * (MAX_CHARS + 1)])
def test_of_every_character(text: str, *, allows_blank: bool) -> None:
    adapter = TypeAdapter(Annotated[str, Text(max_chars=MAX_CHARS, allows_blank=allows_blank)])
    validator = jsonschema_rs.Draft202012Validator(adapter.json_schema())

    values = [text.replace("{}", character) for character in CHARACTERS]

    assert [value for value in values if validator.is_valid(value) != is_taken(adapter, value)] == []


@pytest.mark.parametrize("shape", [UsuarioLogin, TurnoCrearRequest])
@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "a\x00", "\n", "\u2028", "\x1f", "\ufeff", "x" * 500, "x" * 8_001, "á"]
)
def test_also_where_types_are_combined(shape: type[Any], text: str) -> None:
    adapter = TypeAdapter(shape)
    body = dict.fromkeys(shape.model_fields, text)

    assert jsonschema_rs.Draft202012Validator(adapter.json_schema()).is_valid(body) is is_taken(adapter, body)


def test_half_a_pair_of_surrogates_is_refused() -> None:
    assert not is_taken(TypeAdapter(Annotated[str, Text(max_chars=MAX_CHARS)]), "\ud800")
