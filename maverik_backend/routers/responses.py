"""The problem responses that routes declare in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from maverik_backend.errors import AddressBusy, MaverikError, Overloaded
from maverik_backend.web.openapi import responses_of
from maverik_backend.web.problems import PROBLEMS

HASHING = (AddressBusy, Overloaded)
"""What routes can answer that hash or verify a password."""


def of(*kinds: type[MaverikError]) -> dict[int | str, dict[str, Any]]:
    """What a route can answer that does not follow from its shape (``web/openapi.py`` adds the rest)."""
    return responses_of(*(PROBLEMS[kind] for kind in kinds))
