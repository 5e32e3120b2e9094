"""Types that several shapes share.

What a client sends is bounded before it is worked on: a text by the length in its :class:`Text`, a number or date that
may come as text by :class:`AtMost`, which both run before any other validator. Normalising, matching and parsing can
take time that grows with the square of the length (Unicode NFC, UAX #15), and bodies are validated on the event loop.
``tests/api/test_request_bounds.py`` refuses a field or parameter without such a bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from maverik_backend.texts import validation as texts

MAX_TEXT_CHARS = 8_000
MAX_BIGINT = 2**63 - 1
MAX_NUMBER_CHARS = len(str(MAX_BIGINT)) + 1  # a sign

# As JSON Schema spells them (ECMA-262, which has no escape for what Python takes for blank).
_BLANKS = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
ANY_TEXT = r"^[^\x00]*$"
NON_BLANK_TEXT = rf"^[^\x00]*[^\x00{_BLANKS}][^\x00]*$"


class Request(BaseModel):
    """A body that a client sends. Fields that it does not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class Response(BaseModel):
    """A body that is sent back; made from dictionaries or from the tables' rows."""

    model_config = ConfigDict(from_attributes=True)


@dataclass(frozen=True, slots=True)
class AtMost:
    """Refuses a text of more than ``chars`` characters; as a ``BeforeValidator``, to be the last of them listed.

    Pydantic runs the last one first. ``error`` makes another error than Pydantic's own.
    """

    chars: int
    error: Callable[[], PydanticCustomError] | None = None

    def __call__(self, value: object) -> object:
        if isinstance(value, str) and len(value) > self.chars:
            raise self.error() if self.error else PydanticKnownError("string_too_long", {"max_length": self.chars})
        return value


@dataclass(frozen=True, slots=True)
class CutTo:
    """Reads no more than ``chars`` characters of a text, where a longer one is refused for what it is anyway."""

    chars: int

    def __call__(self, value: object) -> object:
        return value[: self.chars] if isinstance(value, str) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Metadata of a ``str`` that PostgreSQL can hold: at most ``max_chars`` code points, no NUL (JSON can spell it).

    Pydantic itself refuses half of a surrogate pair, which no schema has to mention: UTF-8 cannot hold it (RFC 3629).
    """

    max_chars: int
    allows_blank: bool = True

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        bounded = core_schema.str_schema(max_length=self.max_chars)
        return core_schema.no_info_after_validator_function(self._checked, bounded)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Exactly what is taken, so that a client may rely on it."""
        shown = handler(schema)
        return (
            {**shown, "pattern": ANY_TEXT}
            if self.allows_blank
            else {**shown, "minLength": 1, "pattern": NON_BLANK_TEXT}
        )

    def _checked(self, value: str) -> str:
        if "\x00" in value:
            raise PydanticCustomError("nul", texts.NUL)
        if not self.allows_blank and not value.strip():
            raise PydanticCustomError("blank", texts.BLANK)
        return value


def not_boolean(value: object) -> object:
    """``value``, unless it is true or false, which Pydantic alone takes for 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", texts.MESSAGES["int_type"])
    return value


def _plain_digits(value: object) -> object:
    text = str(value)
    if not text.isascii() or not text.isdigit() or text.startswith("0"):
        raise PydanticCustomError("int_type", texts.MESSAGES["int_type"])
    return value


SHORT_NUMBER = BeforeValidator(AtMost(MAX_NUMBER_CHARS))
"""Metadata of every ``int`` that may come as text, the last in its list."""

Whole = Annotated[int, BeforeValidator(not_boolean), SHORT_NUMBER]
"""A whole number: frontends send numbers or their digits as text; true and false are neither."""

Id = Annotated[int, Field(ge=1, le=MAX_BIGINT), BeforeValidator(_plain_digits), SHORT_NUMBER]
"""An id in a path: digits without leading zeros and nothing else, so that one thing has one address."""
