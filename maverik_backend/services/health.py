"""Whether the service can do its job."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import text

from maverik_backend.core.database import TransactionFactory
from maverik_backend.errors import DatabaseUnavailable
from maverik_backend.models import SCHEMA_REVISIONS


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """``latency_ms`` is ``None`` when the database did not answer; ``is_migrated``: its tables are as new as this code.

    Newer tables are fine: while a release rolls out, the old processes go on working on the tables that it expanded.
    """

    latency_ms: float | None
    is_migrated: bool


def check_database(transaction: TransactionFactory) -> DatabaseHealth:
    """Ask the database for the revision of its tables."""
    started = time.perf_counter()
    try:
        with transaction() as session:
            session.execute(text("SELECT 1"))
    except DatabaseUnavailable:
        return DatabaseHealth(latency_ms=None, is_migrated=False)
    latency_ms = round((time.perf_counter() - started) * 1000, 1)
    revision = _revision(transaction)
    return DatabaseHealth(latency_ms=latency_ms, is_migrated=revision not in (None, *SCHEMA_REVISIONS[:-1]))


def _revision(transaction: TransactionFactory) -> str | None:
    try:
        with transaction() as session:
            revision: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
            return revision
    except DatabaseUnavailable:  # there is no such table: the database was never migrated
        return None
