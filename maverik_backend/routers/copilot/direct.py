"""The way of an ordinary turn past the framework's solving of dependencies, which costs a seventh of the turn.

FastAPI documents the route and answers every request that is not ordinary: what is taken here is only what the route
would take as well, with the same result. ``tests/api/test_direct_turns.py`` sends the same requests both ways.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from maverik_backend.core.tokens import AccessClaims
from maverik_backend.errors import NotAuthenticated
from maverik_backend.schemas.base import MAX_BIGINT
from maverik_backend.schemas.session import TurnoCrearRequest
from maverik_backend.services.turns import MAX_KEY_CHARS
from maverik_backend.web.resources import Resources, resources_of

_ID = re.compile(r"[1-9][0-9]{0,18}")
_KEY = re.compile(rf"[\x21-\x7e]{{1,{MAX_KEY_CHARS}}}")
_JSON = ["application/json"]
_SCHEME = "Bearer "

Answer = Callable[[Request, Resources, AccessClaims, int, str | None, str | None], Response]
"""Answers a turn: the request, who sends it, in which session, its text, its idempotency key."""


def direct_route(answer: Answer) -> type[APIRoute]:
    """A class of routes that have an ordinary turn answered by ``answer``, in a thread, and leave others to FastAPI."""

    class DirectRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            ordinary = super().get_route_handler()

            async def handle(request: Request) -> Response:
                turn = await _read(request, answer)
                return await (turn or ordinary(request))

            return handle

    return DirectRoute


async def _read(request: Request, answer: Answer) -> Awaitable[Response] | None:
    """The answer to an ordinary turn; ``None`` for any other request."""
    headers, session_id = request.headers, str(request.path_params["session_id"])
    token = headers.get("Authorization", "")
    keys = headers.getlist("Idempotency-Key")
    is_ordinary = (
        headers.getlist("Content-Type") == _JSON
        and token.startswith(_SCHEME)
        and _ID.fullmatch(session_id)
        and int(session_id) <= MAX_BIGINT
        and len(keys) <= 1
        and all(map(_KEY.fullmatch, keys))
    )
    if not is_ordinary:
        return None
    app = resources_of(request.app)
    try:
        body = TurnoCrearRequest.model_validate_json(await request.body())
        claims = app.tokens.read_access(token.removeprefix(_SCHEME))
    except (ValidationError, NotAuthenticated):
        return None
    request.state.principal = claims.principal
    key = keys[0] if keys else None
    return run_in_threadpool(answer, request, app, claims, int(session_id), body.input, key)
