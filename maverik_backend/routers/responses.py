"""The problem responses that routes declare in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from maverik_backend import errors
from maverik_backend.web.openapi import response_of
from maverik_backend.web.problems import PROBLEMS

Responses = dict[int | str, dict[str, Any]]


def _of(kind: type[errors.MaverikError]) -> Responses:
    return {PROBLEMS[kind].status: response_of(PROBLEMS[kind])}


UNAVAILABLE = _of(errors.DatabaseUnavailable)
INVALID = _of(errors.InvalidInput)
WRONG_CREDENTIALS = _of(errors.WrongCredentials)
SIGNED_IN = {**_of(errors.NotAuthenticated), **UNAVAILABLE}
TOO_MANY = _of(errors.TooManyTries)
IN_PROGRESS = _of(errors.TurnInProgress)
NOT_FOUND = _of(errors.NotFound)
