"""Errors as HTTP answers: ``application/problem+json`` (RFC 9457) with Spanish texts.

:data:`PROBLEMS` is the one place where an error kind meets a status. ``error`` in the body is a stable English name
for programs; ``errores`` lists the fields of a refused body, and ``detail`` says the same in words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maverik_backend import errors
from maverik_backend.texts import problems as texts
from maverik_backend.texts import validation
from maverik_backend.texts.problems import ProblemText

MEDIA_TYPE = "application/problem+json"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """How a kind of error is answered. ``has_next_step`` says that pages look at ``error`` to know what to ask for."""

    status: int
    error: str
    text: ProblemText
    headers: Mapping[str, str] = field(default_factory=dict)
    has_next_step: bool = False

    @property
    def slug(self) -> str:
        """``error`` as it stands in the problem's ``type``."""
        return self.error.replace(" ", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error as it is told: its problem, the fields that are wrong, and the headers of the answer."""

    problem: Problem
    fields: Sequence[errors.FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


# Kinds of our own validators, whose messages are Spanish already.
OUR_FINDINGS = frozenset({"nul", "blank", "age", "amount", "key_length", "email", "repeated"})

# What the frontend in production shows of a refused request: the page of its form for signing in puts ``error``, and
# nothing else, into a notice (``useSignIn.js`` of fliquinuade/maverik-react). Every other page ignores the body.
_ERROR_IS_SHOWN = frozenset({("POST", "/user/login")})

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="maverik"'}
_SOON = {"Retry-After": "5"}

PROBLEMS: dict[type[errors.MaverikError], Problem] = {
    errors.InvalidInput: Problem(422, "invalid input", texts.INVALID_INPUT),
    errors.WrongCredentials: Problem(401, "wrong credentials", texts.WRONG_CREDENTIALS, _CHALLENGE),
    errors.SecondFactorRequired: Problem(
        401, "second factor required", texts.SECOND_FACTOR_REQUIRED, _CHALLENGE, has_next_step=True
    ),
    errors.WrongSecondFactor: Problem(
        401, "wrong second factor", texts.WRONG_SECOND_FACTOR, _CHALLENGE, has_next_step=True
    ),
    errors.SecondFactorActive: Problem(409, "second factor active", texts.SECOND_FACTOR_ACTIVE),
    errors.SecondFactorInactive: Problem(409, "second factor inactive", texts.SECOND_FACTOR_INACTIVE),
    errors.NotAuthenticated: Problem(401, "not authenticated", texts.NOT_AUTHENTICATED, _CHALLENGE),
    errors.OperatorsOnly: Problem(403, "operators only", texts.OPERATORS_ONLY),
    errors.OperatorWithoutSecondFactor: Problem(
        403, "operator without second factor", texts.OPERATOR_WITHOUT_SECOND_FACTOR
    ),
    errors.TooManyTries: Problem(429, "too many requests", texts.TOO_MANY_TRIES),
    errors.TooManyAtOnce: Problem(429, "too many at once", texts.TOO_MANY_AT_ONCE, _SOON),
    errors.AddressBusy: Problem(429, "address busy", texts.ADDRESS_BUSY, _SOON),
    errors.QuotaUsedUp: Problem(429, "quota used up", texts.QUOTA_USED_UP),
    errors.TooManySessions: Problem(409, "too many sessions", texts.TOO_MANY_SESSIONS),
    errors.TooManyDocuments: Problem(409, "too many documents", texts.TOO_MANY_DOCUMENTS),
    errors.ReadOnly: Problem(403, "read only", texts.READ_ONLY),
    errors.NotFound: Problem(404, "not found", texts.NOT_FOUND),
    errors.TurnInProgress: Problem(409, "turn in progress", texts.TURN_IN_PROGRESS),
    errors.IdempotencyKeyReused: Problem(422, "idempotency key reused", texts.KEY_REUSED),
    errors.NothingToRetry: Problem(409, "nothing to retry", texts.NOTHING_TO_RETRY),
    errors.Interrupted: Problem(503, "interrupted", texts.INTERRUPTED),
    errors.Overloaded: Problem(503, "overloaded", texts.OVERLOADED, {"Retry-After": "2"}),
    errors.DatabaseUnavailable: Problem(503, "service unavailable", texts.DATABASE_UNAVAILABLE, _SOON),
    errors.UpstreamError: Problem(503, "upstream unavailable", texts.UPSTREAM, _SOON),
}
# Their errors say when it may be tried again.
_TIMED = (errors.TooManyTries, errors.QuotaUsedUp, errors.TurnInProgress)
_NOT_FOUND = PROBLEMS[errors.NotFound]
_FRAMEWORK_PROBLEMS: dict[int, Problem] = {
    400: Problem(400, "malformed request", texts.MALFORMED),
    404: _NOT_FOUND,
    405: Problem(405, "method not allowed", texts.METHOD_NOT_ALLOWED),
    408: Problem(408, "request timeout", texts.TOO_SLOW),
    413: Problem(413, "too large", texts.TOO_LARGE),
    431: Problem(431, "headers too large", texts.HEADERS_TOO_LARGE),
}
_UNSUPPORTED = Problem(415, "unsupported media type", texts.UNSUPPORTED_MEDIA_TYPE)
INTERNAL = Problem(500, "internal error", texts.INTERNAL)
_OTHER = Problem(400, "request refused", texts.OTHER)

OF_A_BODY = (*(_FRAMEWORK_PROBLEMS[status] for status in (400, 408, 413)), _UNSUPPORTED)
"""What can be wrong with any body before its fields are looked at."""


def by_name() -> dict[str, Problem]:
    """Every problem that there is, by the ``error`` in its body, in alphabetical order."""
    found = (*PROBLEMS.values(), *_FRAMEWORK_PROBLEMS.values(), _UNSUPPORTED, INTERNAL, _OTHER)
    return {problem.error: problem for problem in sorted(found, key=lambda problem: problem.error)}


def header_names(problem: Problem) -> list[str]:
    """The headers that every answer with ``problem`` has of its own."""
    is_timed = problem in [PROBLEMS[kind] for kind in _TIMED]
    return [*problem.headers, *(["Retry-After"] if is_timed else [])]


def body_of(problem: Problem) -> dict[str, Any]:
    """The members that every answer with ``problem`` has (RFC 9457, section 3.1)."""
    return {
        "type": f"urn:maverik:problem:{problem.slug}",
        "title": problem.text.title,
        "status": problem.status,
        "detail": problem.text.detail,
        "error": problem.error,
    }


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem."""
    app.add_exception_handler(errors.MaverikError, _on_maverik_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(WebSocketRequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


class UnexpectedErrors:
    """Middleware: logs an exception that no handler takes and answers it as a problem, inside the others."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            _log.exception("unexpected_error", kind=type(error).__name__)
            await response_of(INTERNAL)(scope, receive, send)


def _on_maverik_error(_request: Request, error: Exception) -> JSONResponse:
    return response_for_error(error)


def response_for_error(error: Exception) -> JSONResponse:
    """The problem for one of the kinds in :data:`PROBLEMS`; any other error is raised again."""
    refusal = refusal_of(error)
    return response_of(refusal.problem, fields=refusal.fields, extra_headers=refusal.headers)


def refusal_of(error: Exception) -> Refusal:
    """How one of the kinds in :data:`PROBLEMS` is told; any other error is raised again."""
    problem = next((PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS), None)
    if problem is None:
        raise error
    if problem.status >= 500:  # noqa: PLR2004 - the class of server errors
        _log.warning("unavailable", kind=type(error).__name__, detail=str(error))
    if isinstance(error, errors.TooManyTries):
        problem = replace(problem, text=texts.too_many_tries(math.ceil(error.retry_after_s / 60)))
    elif isinstance(error, errors.QuotaUsedUp):
        problem = replace(problem, text=texts.quota_used_up(error.ends, is_month=error.is_month))
    fields = error.fields if isinstance(error, errors.InvalidInput) else ()
    wait = {"Retry-After": str(error.retry_after_s)} if isinstance(error, _TIMED) else {}
    return Refusal(problem=problem, fields=fields, headers={**problem.headers, **wait})


def refusal_of_shape(details: Sequence[Mapping[str, Any]], *, part: str) -> Refusal:
    """How findings of pydantic are told; ``part`` of the request is what they are about as a whole."""
    fields = [errors.FieldError(_field_name((part, *detail["loc"])), _message(detail)) for detail in details]
    return Refusal(problem=PROBLEMS[errors.InvalidInput], fields=fields)


def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    of_requests = (RequestValidationError, WebSocketRequestValidationError)
    details = error.errors() if isinstance(error, of_requests) else []
    if any(detail["loc"][:1] == ("path",) for detail in details):
        # An id that cannot exist is an id that does not exist.
        return response_of(_NOT_FOUND)
    if details and details[0]["loc"] == ("body",) and not _is_json(request):
        return response_of(_UNSUPPORTED)
    fields = [errors.FieldError(_field_name(detail["loc"]), _message(detail)) for detail in details]
    return response_of(PROBLEMS[errors.InvalidInput], fields=fields)


def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else INTERNAL.status
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if "Allow" in headers:
        headers["Allow"] = ", ".join(_allowed_methods(request))
    return response_for_status(status, headers)


def _allowed_methods(request: Request) -> list[str]:
    """Every method that the path takes; the framework names those of the first route that has it."""
    return [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]


def response_for_status(status: int, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The problem for what was refused before any of our code could say why."""
    return response_of(of_status(status), extra_headers=headers)


def of_status(status: int) -> Problem:
    """What a status means that the framework, or the server below it, chose."""
    return _FRAMEWORK_PROBLEMS.get(status, replace(_OTHER, status=status))


def response_of(
    problem: Problem,
    *,
    fields: Sequence[errors.FieldError] = (),
    extra_headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """``problem`` as an answer; ``fields`` are those of a refused body."""
    body = body_of(problem)
    if fields:
        body["errores"] = [_field_body(item) for item in fields]
        body["detail"] = validation.summary([(item.field, item.message) for item in fields])
    headers = {**problem.headers, **(extra_headers or {})}
    return _ProblemResponse(body, problem, headers)


class _ProblemResponse(JSONResponse):
    """A problem; what ``error`` says depends on whom it goes to."""

    media_type = MEDIA_TYPE

    def __init__(self, body: Mapping[str, Any], problem: Problem, headers: Mapping[str, str]) -> None:
        super().__init__(body, status_code=problem.status, headers=headers)
        shown = body if problem.has_next_step else {**body, "error": body["detail"]}
        self._shown = partial(JSONResponse, shown, problem.status, headers, self.media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _shows_error(scope):
            await self._shown()(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _shows_error(scope: Scope) -> bool:
    """Whether ``error`` ends up before a person: in a web page, whose ``POST`` names its ``Origin`` (Fetch, 3.2)."""
    return (scope.get("method"), scope.get("path")) in _ERROR_IS_SHOWN and "origin" in Headers(scope=scope)


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _field_body(item: errors.FieldError) -> dict[str, Any]:
    allowed = {} if item.allowed is None else {"permitidos": list(item.allowed)}
    return {"campo": item.field, "mensaje": item.message, **allowed}


def _field_name(loc: Sequence[Any]) -> str:
    """``("body", "fecha_nacimiento")`` -> ``fecha_nacimiento``; the body as a whole is ``body``."""
    inside = [str(part) for part in loc[1:]]
    return ".".join(inside) if inside and not str(loc[-1]).isdigit() else str(loc[0])


def _message(detail: Mapping[str, Any]) -> str:
    """Pydantic's finding in Spanish; our own validators speak Spanish already."""
    kind = detail["type"]
    if kind in OUR_FINDINGS:
        return str(detail["msg"])
    template = validation.MESSAGES.get(kind, validation.DEFAULT)
    return template.format(**detail.get("ctx", {}))
