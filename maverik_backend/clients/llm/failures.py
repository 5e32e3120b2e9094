"""What a provider's error means: its status, and the words in it, as one of our kinds.

Providers say the same under different statuses (a wrong key is a 400 at Google), and after a 200 there is no status at
all, so words are looked up first. One table serves all: their words do not contradict each other. What a provider
writes for people is matched against a few phrases where it is all there is, and never quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from maverik_backend.clients.policy import retry_after_s
from maverik_backend.errors import (
    UpstreamError,
    UpstreamInputTooLong,
    UpstreamOverloaded,
    UpstreamQuotaExhausted,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamStreamFailed,
    UpstreamUnknownModel,
    UpstreamWrongKey,
)

Kind = type[UpstreamRejected]

_BAD_REQUEST = 400
_BY_WORD: Mapping[str, Kind] = {
    # OpenAI: `code`, `type`
    "invalid_api_key": UpstreamWrongKey,
    "model_not_found": UpstreamUnknownModel,
    "insufficient_quota": UpstreamQuotaExhausted,
    "billing_hard_limit_reached": UpstreamQuotaExhausted,
    "billing_not_active": UpstreamQuotaExhausted,
    "rate_limit_exceeded": UpstreamRateLimited,
    "context_length_exceeded": UpstreamInputTooLong,
    "server_overloaded": UpstreamOverloaded,
    # Anthropic: `type`
    "authentication_error": UpstreamWrongKey,
    "permission_error": UpstreamWrongKey,
    "not_found_error": UpstreamUnknownModel,
    "billing_error": UpstreamQuotaExhausted,
    "rate_limit_error": UpstreamRateLimited,
    "overloaded_error": UpstreamOverloaded,
    "request_too_large": UpstreamInputTooLong,
    "enforced_spend_limit_reached": UpstreamQuotaExhausted,
    "contract_spend_limit_reached": UpstreamQuotaExhausted,
    "linked_organization_spend_limit_reached": UpstreamQuotaExhausted,
    # Google: `status`, `reason`
    "API_KEY_INVALID": UpstreamWrongKey,
    "UNAUTHENTICATED": UpstreamWrongKey,
    "PERMISSION_DENIED": UpstreamWrongKey,
    "NOT_FOUND": UpstreamUnknownModel,
    "RESOURCE_EXHAUSTED": UpstreamRateLimited,
    "UNAVAILABLE": UpstreamOverloaded,
}
_BY_STATUS: Mapping[int, Kind] = {
    401: UpstreamWrongKey,
    402: UpstreamQuotaExhausted,
    403: UpstreamWrongKey,
    404: UpstreamUnknownModel,
    413: UpstreamInputTooLong,
    429: UpstreamRateLimited,
    503: UpstreamOverloaded,
    529: UpstreamOverloaded,
}
_STATUS_OF: Mapping[Kind, int] = {
    UpstreamWrongKey: 401,
    UpstreamUnknownModel: 404,
    UpstreamQuotaExhausted: 429,
    UpstreamRateLimited: 429,
    UpstreamOverloaded: 529,
    UpstreamInputTooLong: 400,
}
_BY_PHRASE: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (
        re.compile(r"context (length|window)|prompt is too long|token count.* exceeds", re.IGNORECASE),
        UpstreamInputTooLong,
    ),
    (re.compile(r"credit balance|spend limit", re.IGNORECASE), UpstreamQuotaExhausted),
)
_WORDS_IN = ("code", "type", "status", "reason", "error_code")
_PER_DAY = re.compile(r"PerDay", re.IGNORECASE)
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")


def failure_of(
    service: str,
    body: Any,  # noqa: ANN401 - decoded JSON
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> UpstreamError:
    """The error that the decoded ``body`` tells, if any; ``status`` is ``None`` for one within an answer."""
    if isinstance(body, list) and body:  # Google's, of a stream that did not begin
        body = body[0]
    error = body.get("error", body) if isinstance(body, Mapping) else body
    error = error if isinstance(error, Mapping) else {"message": error}
    if status is None and isinstance(error.get("code"), int):  # OpenRouter, Google
        status = error["code"]
    kind = _kind_of(error, status)
    if kind is None:
        return UpstreamStreamFailed(service) if status is None else UpstreamRejected(service, status)
    return kind(service, status or _STATUS_OF[kind], retry_after_s=_wait_s(error, headers or {}))


def _kind_of(error: Mapping[str, Any], status: int | None) -> Kind | None:
    known = [_BY_WORD[word] for word in _words(error) if word in _BY_WORD]
    if UpstreamQuotaExhausted in known or (UpstreamRateLimited in known and _is_used_up_for_today(error)):
        return UpstreamQuotaExhausted  # also where the general word beside it says something milder
    return next(iter(known), None) or _kind_by_phrase(error, status) or _BY_STATUS.get(status or 0)


def _kind_by_phrase(error: Mapping[str, Any], status: int | None) -> Kind | None:
    message = error.get("message")
    if status not in {None, _BAD_REQUEST} or not isinstance(message, str):
        return None
    return next((kind for phrase, kind in _BY_PHRASE if phrase.search(message)), None)


def _words(error: Mapping[str, Any]) -> Iterator[str]:
    for part in (error, *_details(error)):
        yield from (part[name] for name in _WORDS_IN if isinstance(part.get(name), str))


def _details(error: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Google's (google.rpc.ErrorInfo, QuotaFailure, RetryInfo), or Anthropic's, which is one."""
    details = error.get("details")
    details = details if isinstance(details, list) else [details]
    return [detail for detail in details if isinstance(detail, Mapping)]


def _is_used_up_for_today(error: Mapping[str, Any]) -> bool:
    return any(_PER_DAY.search(str(detail.get("violations", ""))) for detail in _details(error))


def _wait_s(error: Mapping[str, Any], headers: Mapping[str, str]) -> float | None:
    """Seconds that the provider asks to be left alone: ``retry-after-ms``, ``retry-after``, Google's ``retryDelay``."""
    milliseconds = headers.get("retry-after-ms", "")
    if milliseconds.isdecimal():
        return float(milliseconds[:12]) / 1000
    if (wait_s := retry_after_s(headers.get("retry-after"))) is not None:
        return wait_s
    delays = (_SECONDS.fullmatch(str(detail.get("retryDelay", ""))) for detail in _details(error))
    return next((float(delay[1]) for delay in delays if delay), None)
