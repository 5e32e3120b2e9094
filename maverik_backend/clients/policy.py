"""How often another service is asked, and when no more: the same for every transport.

======================  =============================================================================
Rule                    Value
======================  =============================================================================
Retries                 at most 2, after a refused or reset connection or a status of the service's table; jittered
                        (:data:`BACKOFFS_S`), the wait that the service asked for honoured, none that the deadline would
                        not outlast, none once a part of the answer was used
Breaker                 one a service (``clients/breaker.py``)
Health                  a probe that costs nothing, and what calls taught (``clients/call_record.py``)
Metrics                 every attempt, every failure by its kind, whether the breaker is open
======================  =============================================================================
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import structlog

from maverik_backend.clients.breaker import BreakerState, CircuitBreaker
from maverik_backend.clients.call_record import CallRecord
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import (
    UpstreamBusy,
    UpstreamCircuitOpen,
    UpstreamError,
    UpstreamQuotaExhausted,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnreachable,
)

T = TypeVar("T")

RETRIED_STATUSES = frozenset({429, 502, 503, 504})
BACKOFFS_S = (0.3, 1.0)
_MAX_WAIT_DIGITS = 10
_UNAVAILABLE = 503

_log = structlog.get_logger(__name__)


class CallPolicy:
    """The policy of one service. Safe to use from several threads."""

    def __init__(
        self, name: str, *, metrics: Metrics | None = None, retried_statuses: Collection[int] = RETRIED_STATUSES
    ) -> None:
        """``name`` is how errors, logs and metrics call the service."""
        self.name = name
        self._metrics = metrics or Metrics()
        self._retried_statuses = retried_statuses
        self._note_breaker(is_open=False)
        self.breaker = CircuitBreaker(name, on_change=lambda is_open: self._note_breaker(is_open=is_open))
        self._record = CallRecord()

    def attempt(self) -> AbstractContextManager[None]:
        """Measure the block as one attempt."""
        return self._metrics.upstream_attempt(self.name)

    def failures(self) -> AbstractContextManager[None]:
        """Count the failure that ends the block, if one does."""
        return self._metrics.upstream_failures(self.name)

    def repeat(self, call: Callable[[], T], *, deadline: Deadline, may_repeat: Callable[[], bool] = lambda: True) -> T:
        """What ``call`` returns, which is called again as the table above says, while ``may_repeat``.

        Raises:
            UpstreamError: as ``call`` did at last; ``UpstreamCircuitOpen`` instead of calling.
        """
        for backoff_s in (*BACKOFFS_S, None):
            try:
                with self.failures(), self.breaker.guard(), self._record.call():
                    return call()
            except UpstreamError as error:
                wait_s = self._wait_before_retry(error, backoff_s) if may_repeat() else None
                if wait_s is None or wait_s >= deadline.remaining_s():
                    raise
                _log.info("upstream_retry", service=self.name, kind=error.kind, detail=error.detail)
            deadline.sleep(wait_s)
        raise AssertionError("the last try returns or raises")

    def check(self, probe: Callable[[], None]) -> None:
        """Let ``probe`` see whether the service is there, if calls did not show already that it is of no use.

        Raises:
            UpstreamBusy: when the probe gets no answer in time, or a 503, while calls get theirs.
            UpstreamError: when the service is not there, or does not answer what it is asked: its breaker is open, or
                calls were told lately that this is the wrong address.
        """
        if self.breaker.state is BreakerState.OPEN:
            raise UpstreamCircuitOpen(self.name)
        if refusal := self._record.refusal:
            raise type(refusal)(self.name, refusal.status)
        try:
            probe()
        except UpstreamError as error:
            if _may_be_busy(error) and self._record.works:
                raise UpstreamBusy(self.name, error.reason) from None
            raise

    def _note_breaker(self, *, is_open: bool) -> None:
        self._metrics.set_breaker(self.name, is_open=is_open)

    def _wait_before_retry(self, error: UpstreamError, backoff_s: float | None) -> float | None:
        """Seconds to wait before another try, ``None`` when there is to be none."""
        asked_s = 0.0
        if isinstance(error, UpstreamRejected):
            may_help = error.status in self._retried_statuses and not isinstance(error, UpstreamQuotaExhausted)
            asked_s = error.retry_after_s or 0.0
        else:
            may_help = isinstance(error, UpstreamUnreachable)
        if backoff_s is None or not may_help:
            return None
        return max(asked_s, random.uniform(backoff_s / 2, backoff_s))  # noqa: S311 - spreads load, guards nothing


def retry_after_s(header: str | None) -> float | None:
    """Seconds that ``Retry-After`` asks for, as a number or a date (RFC 9110, section 10.2.3)."""
    if not header:
        return None
    if header.strip().isdecimal():  # isdigit() takes "²" too, which is no number to float()
        return float(header.strip()[:_MAX_WAIT_DIGITS])
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _may_be_busy(error: UpstreamError) -> bool:
    is_unavailable = isinstance(error, UpstreamRejected) and error.status == _UNAVAILABLE
    return is_unavailable or isinstance(error, UpstreamTimeout)
