"""The problem responses that routes declare in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from maverik_backend.schemas.problem import Problema
from maverik_backend.texts import problems as texts
from maverik_backend.texts.problems import ProblemText
from maverik_backend.web.problems import MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]


def _problem(text: ProblemText) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{Problema.__name__}"}
    return {"description": text.title, "content": {MEDIA_TYPE: {"schema": schema}}}


UNAVAILABLE: Responses = {503: _problem(texts.DATABASE_UNAVAILABLE)}
INVALID: Responses = {422: _problem(texts.INVALID_INPUT)}
WRONG_CREDENTIALS: Responses = {401: _problem(texts.WRONG_CREDENTIALS)}
SIGNED_IN: Responses = {401: _problem(texts.NOT_AUTHENTICATED), **UNAVAILABLE}
TOO_MANY: Responses = {429: _problem(texts.TOO_MANY_TRIES)}
IN_PROGRESS: Responses = {409: _problem(texts.TURN_IN_PROGRESS)}
NOT_FOUND: Responses = {404: _problem(texts.NOT_FOUND)}
