"""Running jobs: claim, do, settle; no transaction is open while a job runs.

==========  ==========================================================================================================
Rule        Value
==========  ==========================================================================================================
Lease       the kind's timeout plus :data:`LEASE_MARGIN`; a process that ends meanwhile leaves it to run out
Attempts    at once, then after each of the kind's ``retry_delays``; then the job is dead
Defects     whatever else a handler raises is retried and given up likewise, as *defect*
Crashes     a job whose process ended in every attempt is dead as *abandoned*
Once        at least: see :class:`~maverik_backend.services.jobs.kind.Attempt`
==========  ==========================================================================================================
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from maverik_backend.core import trace
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.core.security import Keyring, Unsealable
from maverik_backend.core.trace import Trace
from maverik_backend.errors import DatabaseUnavailable, UpstreamError
from maverik_backend.services.jobs import store
from maverik_backend.services.jobs.kind import LEASE_MARGIN, Attempt, JobKind
from maverik_backend.services.jobs.store import Claim
from maverik_backend.services.jobs.worker import Worker

_log = structlog.get_logger(__name__)

_SUCCEEDED = "succeeded"
_RETRIED = "retried"
_DIED = "died"
_LEASE_LOST = "lease_lost"


class JobRunner:
    """Runs the jobs of the kinds that it is given. Any number of these may run at once, in any number of processes."""

    def __init__(
        self, *, transaction: TransactionFactory, kinds: Iterable[JobKind[Any]], keyring: Keyring, metrics: Metrics
    ) -> None:
        self._transaction = transaction
        self.kinds: Mapping[str, JobKind[Any]] = {kind.name: kind for kind in kinds}
        self._keyring = keyring
        self._metrics = metrics
        self._process = uuid.uuid4()

    def run_due(self) -> int:
        """Run every job that is due, one after the other; returns how many were done.

        Raises:
            DatabaseUnavailable: when the table cannot be reached; no job is lost by it.
        """
        done = 0
        for kind in self.kinds.values():
            while claim := self._claim(kind):
                done += self._attempt(kind, claim)
        return done

    def run_next(self, name: str | None = None, *, within_s: float = math.inf) -> bool:
        """Run the next due job of the kind ``name``, or of any; whether there was one, so that there may be more.

        Jobs of a kind that may take longer than ``within_s`` seconds are left.

        Raises:
            DatabaseUnavailable: as above.
        """
        kinds = self.kinds.values() if name is None else (self.kinds[name],)
        for kind in (kind for kind in kinds if kind.timeout_s <= within_s):
            if claim := self._claim(kind):
                self._attempt(kind, claim)
                return True
        return False

    def workers(self, *, interval_s: float) -> tuple[Worker, ...]:
        """Threads that look for jobs every ``interval_s`` seconds, as many a kind as it may run at a time."""
        return tuple(
            Worker(f"jobs-{kind.name}", partial(self.run_next, kind.name), interval_s=interval_s)
            for kind in self.kinds.values()
            for _ in range(kind.concurrency)
        )

    def _claim(self, kind: JobKind[Any]) -> Claim | None:
        lease = timedelta(seconds=kind.timeout_s) + LEASE_MARGIN
        with self._transaction() as db:
            return store.claim(db, kind=kind.name, process=self._process, lease=lease)

    def _attempt(self, kind: JobKind[Any], claim: Claim) -> bool:
        """Try it once, as a trace of its own: no request waits for it; whether it is done."""
        with trace.following(Trace.new()):
            return self._try(kind, claim)

    def _try(self, kind: JobKind[Any], claim: Claim) -> bool:
        if claim.attempts > len(kind.retry_delays) + 1:
            return self._failed(kind, claim, "abandoned", is_permanent=True)
        try:
            kind.run(kind.parse(self._open(kind, claim)), _attempt_of(kind, claim))
        except kind.permanent_errors as error:
            return self._failed(kind, claim, _reason(error), is_permanent=True)
        except Unsealable:
            return self._failed(kind, claim, "unsealable", is_permanent=True)
        except (UpstreamError, DatabaseUnavailable) as error:
            return self._failed(kind, claim, _reason(error))
        except Exception as error:  # noqa: BLE001 - a job that is not settled would be leased again and again
            # Without traceback and message: they may quote the payload.
            _log.error("job_defect", job_id=claim.id, kind=kind.name, error=type(error).__name__)
            return self._failed(kind, claim, "defect")
        with self._transaction() as db:
            is_held = store.finish(db, claim)
        self._report(claim, _SUCCEEDED, is_held=is_held)
        return True

    def _open(self, kind: JobKind[Any], claim: Claim) -> str:
        if kind.sealed_as is None:
            return claim.content
        return self._keyring.unseal(claim.content, purpose=kind.sealed_as).decode()

    def _failed(self, kind: JobKind[Any], claim: Claim, error: str, *, is_permanent: bool = False) -> bool:
        """Record a failed attempt. Not when the lease was lost: what the process that has the job says counts then."""
        dies = is_permanent or claim.attempts > len(kind.retry_delays)
        with self._transaction() as db:
            if dies:
                is_held = store.bury(db, claim, error=error)
            else:
                is_held = store.reschedule(db, claim, error=error, delay=kind.retry_delays[claim.attempts - 1])
        self._report(claim, _DIED if dies else _RETRIED, is_held=is_held, error=error)
        return False

    def _report(self, claim: Claim, outcome: str, *, is_held: bool, error: str | None = None) -> None:
        fields = {"job_id": claim.id, "kind": claim.kind, "attempts": claim.attempts}
        if not is_held:
            _log.warning("job_lease_lost", **fields)
        elif outcome == _SUCCEEDED:
            _log.info("job_done", **fields)
        elif outcome == _DIED:
            _log.error("job_dead", **fields, error=error)
        else:
            _log.warning("job_failed", **fields, error=error)
        self._metrics.count_job(kind=claim.kind, outcome=outcome if is_held else _LEASE_LOST)


def _attempt_of(kind: JobKind[Any], claim: Claim) -> Attempt:
    return Attempt(
        job_id=claim.id,
        number=claim.attempts,
        subject=claim.subject,
        idempotency_key=claim.idempotency_key,
        deadline=Deadline.after(kind.timeout_s),
    )


def _reason(error: Exception) -> str:
    """What is stored of an error: the kind of an upstream's with our words about it, else its type."""
    return error.reason if isinstance(error, UpstreamError) else type(error).__name__
