"""Types that several shapes share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from maverik_backend.texts import validation as texts

MAX_TEXT_CHARS = 8_000
MAX_BIGINT = 2**63 - 1


class Request(BaseModel):
    """A body that a caller sends. Fields that it does not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class Response(BaseModel):
    """A body that is sent back; made from dictionaries or from the tables' rows."""

    model_config = ConfigDict(from_attributes=True)


def _storable(value: str) -> str:
    if "\x00" in value:
        raise PydanticCustomError("nul", texts.NUL)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise PydanticCustomError("surrogate", texts.MESSAGES["string_unicode"])
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", texts.BLANK)
    return value


PlainText = Annotated[str, AfterValidator(_storable)]
"""Text that PostgreSQL can hold: no NUL, no half of a surrogate pair (JSON can spell both)."""


def not_boolean(value: object) -> object:
    """``value``, unless it is true or false, which Pydantic alone takes for 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", texts.MESSAGES["int_type"])
    return value


def _plain_digits(value: object) -> object:
    if not str(value).isascii() or not str(value).isdigit():
        raise PydanticCustomError("int_type", texts.MESSAGES["int_type"])
    return value


Whole = Annotated[int, BeforeValidator(not_boolean)]
"""A whole number: frontends send numbers or their digits as text; true and false are neither."""

NonBlankText = Annotated[
    PlainText, AfterValidator(_not_blank), Field(json_schema_extra={"minLength": 1, "pattern": r"\S"})
]

Id = Annotated[int, Field(ge=1, le=MAX_BIGINT), BeforeValidator(_plain_digits)]
"""An id in a path: digits and nothing else, so that one thing has one address."""
