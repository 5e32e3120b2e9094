"""How the service is, and what it depends on.

The database is asked each time: without it nothing works. Other services are asked beside the requests, one question a
service at a time and at most every :data:`FRESH_FOR_S`, so a service that hangs slows nobody down and health checks
that come in crowds do not pile up on it.

============  ========================================================================================
Overall       When
============  ========================================================================================
*unhealthy*   the database does not answer, or its tables are older than the code
*degraded*    the RAG service or the optimiser fails (turns get a fallback, or no portfolio) or is busy, or
              a mail has been waiting for more than :data:`LATE_MAIL`
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
from typing import Literal

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.one_off_threads import OneOffThreads
from maverik_backend.errors import DatabaseUnavailable, UpstreamBusy, UpstreamError
from maverik_backend.models import SCHEMA_REVISIONS, CorreoSaliente, MailState

_log = structlog.get_logger(__name__)

CHECK_TIMEOUT_S = 2.0
FRESH_FOR_S = 10.0
# How long an answer about health waits for fresh news of a service that it knows something about already.
PATIENCE_S = 0.05
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
    """Everything at one look."""

    status: Status
    uptime_s: float
    dependencies: Mapping[str, DependencyHealth]


class Health:
    """Knows how everything is. Safe to use from several threads."""

    def __init__(
        self, *, transaction: TransactionFactory, upstreams: Mapping[str, Check], fresh_for_s: float = FRESH_FOR_S
    ) -> None:
        self._transaction = transaction
        self._started = time.monotonic()
        self._upstreams = {name: _Watched(check, fresh_for_s=fresh_for_s) for name, check in upstreams.items()}
        self._is_stopping = False

    def report(self) -> HealthReport:
        """The service and each thing that it depends on."""
        database, migrations, mail = self._database()
        dependencies = {"database": database, "migrations": migrations, "mail": mail}
        dependencies |= {name: watched.latest() for name, watched in self._upstreams.items()}
        return HealthReport(
            status=_overall(dependencies),
            uptime_s=round(time.monotonic() - self._started, 1),
            dependencies=dependencies,
        )

    def is_ready(self) -> bool:
        """Whether requests should be sent here: the tables are there, and the process is not ending."""
        if self._is_stopping:
            return False
        _, migrations, _ = self._database()
        return migrations.status == "healthy"

    def stop(self) -> None:
        """From now on, requests should be sent elsewhere."""
        self._is_stopping = True

    def _database(self) -> tuple[DependencyHealth, DependencyHealth, DependencyHealth]:
        """The database, its tables, and the mails that wait in it."""
        started = time.perf_counter()
        unknown = DependencyHealth(status="unhealthy")
        try:
            with self._transaction() as session:
                session.execute(text("SELECT 1"))
                latency_ms = round((time.perf_counter() - started) * 1000, 1)
        except DatabaseUnavailable as error:
            return DependencyHealth(status="unhealthy", detail=str(error)), unknown, unknown
        database = DependencyHealth(status="healthy", latency_ms=latency_ms)
        try:
            with self._transaction() as session:
                return database, _migrations(session), _mail(session)
        except DatabaseUnavailable:  # a table is missing: the database was never migrated
            return database, DependencyHealth(status="unhealthy", detail="not migrated"), unknown


class _Watched:
    """One service: what is known of it, renewed beside the requests."""

    def __init__(self, check: Check, *, fresh_for_s: float) -> None:
        self._check = check
        self._fresh_for_s = fresh_for_s
        self._threads = OneOffThreads()
        self._lock = threading.Lock()
        self._known: DependencyHealth | None = None
        self._asked_at = 0.0
        self._asking: Future[DependencyHealth] | None = None

    def latest(self) -> DependencyHealth:
        """What was found out last; only when nothing is known yet does the caller wait for it."""
        asking = self._ask_when_stale()
        try:
            return asking.result(timeout=CHECK_TIMEOUT_S if self._known is None else PATIENCE_S)
        except FutureTimeoutError:
            return self._known or DependencyHealth(status="unhealthy", detail="timeout")

    def _ask_when_stale(self) -> Future[DependencyHealth]:
        with self._lock:
            is_stale = time.monotonic() - self._asked_at >= self._fresh_for_s
            if self._asking is None or (is_stale and self._asking.done()):
                self._asked_at = time.monotonic()
                self._asking = self._threads.submit(self._ask)
            return self._asking

    def _ask(self) -> DependencyHealth:
        started = time.perf_counter()
        try:
            self._check(Deadline.after(CHECK_TIMEOUT_S))
        except UpstreamError as error:
            status: Status = "degraded" if isinstance(error, UpstreamBusy) else "unhealthy"
            self._known = DependencyHealth(status=status, detail=error.reason)
        except Exception:  # noqa: BLE001 - a defect in one check must not cost the news of all the others
            _log.exception("health_check_failed")
            self._known = DependencyHealth(status="unhealthy", detail="unexpected")
        else:
            latency_ms = round((time.perf_counter() - started) * 1000, 1)
            self._known = DependencyHealth(status="healthy", latency_ms=latency_ms)
        return self._known


def _migrations(session: Session) -> DependencyHealth:
    """Whether the tables are as new as this code.

    Newer tables are fine: while a release rolls out, the old processes go on working on the tables that it expanded.
    """
    revision: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    is_migrated = revision not in (None, *SCHEMA_REVISIONS[:-1])
    return DependencyHealth(status="healthy" if is_migrated else "unhealthy", detail=revision)


def _mail(session: Session) -> DependencyHealth:
    is_late = func.min(CorreoSaliente.fecha_creacion) < func.now() - LATE_MAIL
    waiting = CorreoSaliente.estado == MailState.PENDING
    backlog, late = session.execute(select(func.count(), is_late).where(waiting)).one()
    return DependencyHealth(status="degraded" if late else "healthy", backlog=backlog)


def _overall(dependencies: Mapping[str, DependencyHealth]) -> Status:
    if "unhealthy" in (dependencies["database"].status, dependencies["migrations"].status):
        return "unhealthy"
    return "healthy" if all(one.status == "healthy" for one in dependencies.values()) else "degraded"
