"""The way of an ordinary turn past the framework's solving of dependencies, which costs a seventh of the turn.

FastAPI documents the route and answers every request that is not ordinary: what is taken here is only what the route
would take as well, with the same result. ``tests/api/test_direct_turns.py`` sends the same requests both ways.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import Field, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool

from maverik_backend.core.tokens import AccessClaims
from maverik_backend.errors import NotAuthenticated
from maverik_backend.schemas.base import Id
from maverik_backend.schemas.session import TurnoCrearRequest
from maverik_backend.services.turns import MAX_KEY_CHARS
from maverik_backend.web.resources import Resources, resources_of

KeyText = Annotated[str, Field(min_length=1, max_length=MAX_KEY_CHARS, pattern=r"^[\x21-\x7e]+$")]
"""What an ``Idempotency-Key`` may be."""

_SESSION_ID = TypeAdapter[int](Id)
_KEY = TypeAdapter[str](KeyText)
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
    headers = request.headers
    token = headers.get("Authorization", "")
    keys = headers.getlist("Idempotency-Key")
    if headers.getlist("Content-Type") != _JSON or not token.startswith(_SCHEME) or len(keys) > 1:
        return None
    app = resources_of(request.app)
    try:
        session_id = _SESSION_ID.validate_python(request.path_params["session_id"])
        key = _KEY.validate_python(keys[0]) if keys else None
        body = TurnoCrearRequest.model_validate_json(await request.body())
        claims = app.tokens.read_access(token.removeprefix(_SCHEME))
    except (ValidationError, NotAuthenticated):
        return None
    request.state.principal = claims.principal
    return run_in_threadpool(answer, request, app, claims, session_id, body.input, key)
