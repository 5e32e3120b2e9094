"""What the calls of a service taught about it, beside what it says when asked how it is.

================  ====================================================================================
Learned           From
================  ====================================================================================
Wrong address     an answer in :data:`WRONG_ADDRESS_STATUSES`, until a call succeeds or
                  :data:`REMEMBERED_S` pass: no question of ours will be answered there
Works             a call under way, or one that succeeded in the last :data:`WORKS_FOR_S`, unless one
                  failed since: what does not answer a probe in time is busy then, not broken
================  ====================================================================================

Each process learns from its own calls.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeGuard

from maverik_backend.clients.breaker import is_refusal
from maverik_backend.errors import UpstreamError, UpstreamRejected, UpstreamUnknownModel

# Redirections, which are not followed, and what says "not here" or "not you" whatever was asked (RFC 9110, section 15).
WRONG_ADDRESS_STATUSES = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405, 410})
REMEMBERED_S = 600.0
WORKS_FOR_S = 60.0


class CallRecord:
    """The outcomes of the calls of one service that matter to its health. Safe to use from several threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way = 0
        self._failed_last = False
        self._succeeded_at: float | None = None
        self._refused: UpstreamRejected | None = None
        self._refused_at = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Note that a call is under way, and how it ends."""
        with self._lock:
            self._under_way += 1
        try:
            yield
        except UpstreamError as error:
            self._note_failure(error)
            raise
        else:
            self._note_success()
        finally:
            with self._lock:
                self._under_way -= 1

    @property
    def refusal(self) -> UpstreamRejected | None:
        """The answer that shows that calls go to a wrong address, if the latest ones got such a one."""
        with self._lock:
            is_recent = self._clock() - self._refused_at < REMEMBERED_S
            return self._refused if is_recent else None

    @property
    def works(self) -> bool:
        """Whether calls get answers, as far as is known."""
        with self._lock:
            if self._failed_last:
                return False
            answered = self._succeeded_at is not None and self._clock() - self._succeeded_at < WORKS_FOR_S
            return answered or self._under_way > 0

    def _note_success(self) -> None:
        with self._lock:
            self._failed_last, self._refused = False, None
            self._succeeded_at = self._clock()

    def _note_failure(self, error: UpstreamError) -> None:
        with self._lock:
            if _shows_wrong_address(error):
                self._refused, self._refused_at = error, self._clock()
            self._failed_last = not is_refusal(error)


def _shows_wrong_address(error: UpstreamError) -> TypeGuard[UpstreamRejected]:
    """Whether no other call would fare better; a provider that lacks one model has others."""
    is_refusal_of_all = isinstance(error, UpstreamRejected) and error.status in WRONG_ADDRESS_STATUSES
    return is_refusal_of_all and not isinstance(error, UpstreamUnknownModel)
