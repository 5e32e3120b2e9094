"""The forms of our own pages: what the API takes, with the new password twice, as it is typed unseen."""

from __future__ import annotations

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from maverik_backend.core import passwords
from maverik_backend.schemas.base import Request
from maverik_backend.schemas.user import Clave, ClaveCambiarRequest, ClaveRestablecerRequest, KnownEmail, OptionalCodigo
from maverik_backend.texts import validation as texts


class _RepeatedKey(Request):
    """Mixed into shapes with a ``clave_nueva``."""

    clave_repetida: Clave

    @field_validator("clave_repetida")
    @classmethod
    def _as_the_first(cls, value: str, info: ValidationInfo) -> str:
        first = info.data.get("clave_nueva")  # absent when it was refused
        if first is not None and passwords.normalise(value) != first:
            raise PydanticCustomError("repeated", texts.KEY_NOT_REPEATED)
        return value


class RestablecerForm(_RepeatedKey, ClaveRestablecerRequest):
    """A new key, with the token of a mailed link."""


class CambiarForm(_RepeatedKey, ClaveCambiarRequest):
    """A new key, with the address, the current one and, where the account asks for one, a code."""

    email: KnownEmail
    codigo: OptionalCodigo = None
