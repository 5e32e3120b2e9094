"""How the service is, and what it depends on.

Nothing is asked by the requests themselves: the database in a thread beside them, at most every
:data:`DATABASE_FRESH_FOR_S`, other services at most every :data:`FRESH_FOR_S`, and each one question at a time. So
health checks that come in crowds take one connection and no more, and a service that hangs delays no request.

============  ========================================================================================
Overall       When
============  ========================================================================================
*unhealthy*   the database does not answer, or its tables are older than the code
*degraded*    the RAG service, the optimiser or a provider of language models fails (turns get a fallback, or
              no portfolio) or is busy, or a mail has been waiting for more than :data:`LATE_MAIL`
*healthy*     otherwise
============  ========================================================================================
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Generic, Literal, TypeVar

import structlog

from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.one_off_threads import OneOffThreads
from maverik_backend.errors import DatabaseUnavailable, UpstreamBusy, UpstreamError
from maverik_backend.models import SCHEMA_REVISIONS
from maverik_backend.services import jobs
from maverik_backend.services.jobs import Backlog, MailJob
from maverik_backend.services.operations import store

_log = structlog.get_logger(__name__)

CHECK_TIMEOUT_S = 2.0
FRESH_FOR_S = 10.0
DATABASE_FRESH_FOR_S = 1.0
# How long an answer about health waits for fresh news of a service that it knows something about already.
PATIENCE_S = 0.05
# How many requests may wait so, and with it keep their threads; the others are told what is known.
MAX_WAITING = 8
LATE_MAIL = timedelta(minutes=15)

Status = Literal["healthy", "degraded", "unhealthy"]
Check = Callable[[Deadline], None]
"""Returns when the service answers; raises ``UpstreamError`` when not, ``UpstreamBusy`` when calls get answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyHealth:
    """One thing that the service depends on. ``detail`` is the word for it in the logs."""

    status: Status
    latency_ms: float | None = None
    detail: str | None = None
    backlog: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """Everything at one look. ``jobs`` is what waits by kind; ``None`` while that is unknown."""

    status: Status
    uptime_s: float
    dependencies: Mapping[str, DependencyHealth]
    jobs: Mapping[str, Backlog] | None


T = TypeVar("T")
_UNKNOWN = DependencyHealth(status="unhealthy")
_LATE = DependencyHealth(status="unhealthy", detail="timeout")


@dataclass(frozen=True, slots=True)
class _DatabaseHealth:
    """The database, whether its tables are there, and the jobs that wait in it."""

    database: DependencyHealth
    migrations: DependencyHealth = _UNKNOWN
    jobs: Mapping[str, Backlog] | None = None


class Health:
    """Knows how everything is. Safe to use from several threads."""

    def __init__(
        self, *, transaction: TransactionFactory, upstreams: Mapping[str, Check], fresh_for_s: float = FRESH_FOR_S
    ) -> None:
        self._transaction = transaction
        self._started = time.monotonic()
        self._upstreams = {
            name: _Watched(partial(_ask, check), late=_LATE, fresh_for_s=fresh_for_s, patience_s=PATIENCE_S)
            for name, check in upstreams.items()
        }
        self._database = _Watched(
            self._ask_database,
            late=_DatabaseHealth(_LATE),
            fresh_for_s=DATABASE_FRESH_FOR_S,
            patience_s=CHECK_TIMEOUT_S,  # it answers at once or not at all, and nothing works without it
        )
        self._is_stopping = False

    def report(self) -> HealthReport:
        """The service and each thing that it depends on."""
        found = self._database.latest()
        dependencies = {"database": found.database, "migrations": found.migrations, "mail": _mail(found.jobs)}
        dependencies |= {name: watched.latest() for name, watched in self._upstreams.items()}
        return HealthReport(
            status=_overall(dependencies),
            uptime_s=round(time.monotonic() - self._started, 1),
            dependencies=dependencies,
            jobs=found.jobs,
        )

    def is_ready(self) -> bool:
        """Whether requests should be sent here: the tables are there, and the process is not ending."""
        if self._is_stopping:
            return False
        return self._database.latest().migrations.status == "healthy"

    def needs_migration(self) -> bool:
        """Whether the tables are older than this code, or not there; asked now, whatever is known.

        Raises:
            DatabaseUnavailable: when the database itself cannot be used.
        """
        found = self._ask_database()
        if found.database.status != "healthy":
            raise DatabaseUnavailable(found.database.detail)
        return found.migrations.status == "unhealthy"

    def stop(self) -> None:
        """From now on, requests should be sent elsewhere."""
        self._is_stopping = True

    def _ask_database(self) -> _DatabaseHealth:
        """The database, its tables, and the jobs that wait in it."""
        started = time.perf_counter()
        try:
            with self._transaction() as db:
                store.ping(db)
                latency_ms = round((time.perf_counter() - started) * 1000, 1)
        except DatabaseUnavailable as error:
            return _DatabaseHealth(DependencyHealth(status="unhealthy", detail=str(error)))
        database = DependencyHealth(status="healthy", latency_ms=latency_ms)
        try:
            with self._transaction() as db:
                return _DatabaseHealth(database, _migrations(store.get_revision(db)), jobs.backlogs(db))
        except DatabaseUnavailable:  # a table is missing: the database was never migrated
            return _DatabaseHealth(database, DependencyHealth(status="unhealthy", detail="not migrated"))


class _Watched(Generic[T]):
    """What is known of one thing, renewed beside the requests: one question at a time, at most each ``fresh_for_s``."""

    def __init__(self, ask: Callable[[], T], *, late: T, fresh_for_s: float, patience_s: float) -> None:
        """``late`` is what is said when the answer to a question takes longer than :data:`CHECK_TIMEOUT_S`."""
        self._ask = ask
        self._late = late
        self._fresh_for_s = fresh_for_s
        self._patience_s = patience_s
        self._threads = OneOffThreads()
        self._lock = threading.Lock()
        self._waiting_slots = threading.BoundedSemaphore(MAX_WAITING)
        self._known: T | None = None
        self._asked_at = 0.0
        self._asking: Future[T] | None = None

    def latest(self) -> T:
        """What was found out last, or is within moments; only when nothing is known yet do all requests wait for it."""
        asking, left_s = self._ask_when_stale()
        try:
            self._known = self._answer(asking, left_s)
        except FutureTimeoutError:
            if self._known is None or time.monotonic() - self._asked_at >= CHECK_TIMEOUT_S:
                self._known = self._late
        return self._known

    def _answer(self, asking: Future[T], left_s: float) -> T:
        if asking.done() or self._known is None:
            return asking.result(timeout=left_s)
        if not self._waiting_slots.acquire(blocking=False):
            return asking.result(timeout=0)
        try:
            return asking.result(timeout=min(self._patience_s, left_s))
        finally:
            self._waiting_slots.release()

    def _ask_when_stale(self) -> tuple[Future[T], float]:
        """The latest question, and how long its answer may still take."""
        with self._lock:
            now = time.monotonic()
            is_stale = now - self._asked_at >= self._fresh_for_s
            if self._asking is None or (is_stale and self._asking.done()):
                self._asked_at = now
                self._asking = self._threads.submit(self._ask)
            return self._asking, max(0.0, self._asked_at + CHECK_TIMEOUT_S - now)


def _ask(check: Check) -> DependencyHealth:
    started = time.perf_counter()
    try:
        check(Deadline.after(CHECK_TIMEOUT_S))
    except UpstreamError as error:
        return DependencyHealth(
            status="degraded" if isinstance(error, UpstreamBusy) else "unhealthy", detail=error.reason
        )
    except Exception:  # noqa: BLE001 - a defect in one check must not cost the news of all the others
        _log.exception("health_check_failed")
        return DependencyHealth(status="unhealthy", detail="unexpected")
    return DependencyHealth(status="healthy", latency_ms=round((time.perf_counter() - started) * 1000, 1))


def _migrations(revision: str | None) -> DependencyHealth:
    """Whether the tables are as new as this code.

    Newer tables are fine: while a release rolls out, the old processes go on working on the tables that it expanded.
    """
    is_migrated = revision not in (None, *SCHEMA_REVISIONS[:-1])
    return DependencyHealth(status="healthy" if is_migrated else "unhealthy", detail=revision)


def _mail(backlogs: Mapping[str, Backlog] | None) -> DependencyHealth:
    if backlogs is None:
        return _UNKNOWN
    mails = backlogs.get(MailJob.name, Backlog())
    is_late = mails.oldest_waiting_s > LATE_MAIL.total_seconds()
    return DependencyHealth(status="degraded" if is_late else "healthy", backlog=int(mails.waiting))


def _overall(dependencies: Mapping[str, DependencyHealth]) -> Status:
    if "unhealthy" in (dependencies["database"].status, dependencies["migrations"].status):
        return "unhealthy"
    return "healthy" if all(one.status == "healthy" for one in dependencies.values()) else "degraded"
