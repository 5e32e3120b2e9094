"""A circuit breaker: while a service keeps failing, calls fail at once instead of waiting for it.

==========  ===============================================================================================
Rule        Value
==========  ===============================================================================================
Opens       when at least half of the last :data:`WINDOW` calls failed, once there were :data:`MIN_CALLS`
Open        calls fail at once for :data:`OPEN_S`
Probes      then at most :data:`MAX_PROBES` calls at a time are let through; a success closes it, a failure
            keeps it open for as long again
==========  ===============================================================================================

The lock guards a few assignments, never a call. A call that began before the breaker opened still counts when it
ends, but only the outcome of a probe closes it or opens it again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from maverik_backend.errors import Cancelled, UpstreamCircuitOpen, UpstreamError, UpstreamRejected

WINDOW = 20
MIN_CALLS = 10
FAILURE_SHARE = 0.5
OPEN_S = 30.0
MAX_PROBES = 3


class BreakerState(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """One for each service. Safe to use from several threads."""

    def __init__(
        self,
        service: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[bool], None] = lambda _is_open: None,
    ) -> None:
        """``on_change`` is told when it opens (``True``) and closes, in order: it must be quick."""
        self._service = service
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.Lock()
        self._outcomes: deque[bool] = deque(maxlen=WINDOW)
        self._opened_at: float | None = None
        self._probes = 0

    @property
    def state(self) -> BreakerState:
        """What the next call would meet."""
        with self._lock:
            return self._state()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Let one call through and note how it ends.

        Failures are ``UpstreamError``s, except a refusal of this one request (a 4xx status but 429); whatever else is
        raised is not the service's doing. A cancelled call is neither a failure nor a success.

        Raises:
            UpstreamCircuitOpen: instead of calling, while the service is given a rest.
        """
        is_probe = self._admit()
        succeeded: bool | None = True
        try:
            yield
        except UpstreamError as error:
            succeeded = is_refusal(error)
            raise
        except Cancelled:
            succeeded = None
            raise
        finally:
            self._note(succeeded=succeeded, is_probe=is_probe)

    def _admit(self) -> bool:
        """Whether the call that may start now is a probe."""
        with self._lock:
            state = self._state()
            if state is BreakerState.CLOSED:
                return False
            if state is BreakerState.OPEN or self._probes >= MAX_PROBES:
                raise UpstreamCircuitOpen(self._service)
            self._probes += 1
            return True

    def _note(self, *, succeeded: bool | None, is_probe: bool) -> None:
        with self._lock:
            self._probes -= is_probe
            if succeeded is None:
                return
            if is_probe:
                self._settle_probe(succeeded=succeeded)
                return
            self._outcomes.append(succeeded)
            if self._opened_at is None and self._is_failing():
                self._opened_at = self._clock()
                self._on_change(True)

    def _settle_probe(self, *, succeeded: bool) -> None:
        if self._opened_at is None:
            return  # another probe closed it meanwhile
        if succeeded:
            self._opened_at = None
            self._outcomes.clear()
            self._on_change(False)
        else:
            self._opened_at = self._clock()

    def _is_failing(self) -> bool:
        failures = self._outcomes.count(False)
        return len(self._outcomes) >= MIN_CALLS and failures >= FAILURE_SHARE * len(self._outcomes)

    def _state(self) -> BreakerState:
        if self._opened_at is None:
            return BreakerState.CLOSED
        rested = self._clock() - self._opened_at >= OPEN_S
        return BreakerState.HALF_OPEN if rested else BreakerState.OPEN


def is_refusal(error: UpstreamError) -> bool:
    """Whether the service works and only says no to this request (RFC 9110, section 15.5)."""
    return isinstance(error, UpstreamRejected) and 400 <= error.status < 500 and error.status != 429  # noqa: PLR2004
