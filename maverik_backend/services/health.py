"""Whether the service can do its job."""

from __future__ import annotations

import time

from sqlalchemy import text

from maverik_backend.core.database import TransactionFactory
from maverik_backend.errors import DatabaseUnavailable


def database_latency_ms(transaction: TransactionFactory) -> float | None:
    """How long the database took to answer, ``None`` when it did not."""
    started = time.perf_counter()
    try:
        with transaction() as session:
            session.execute(text("SELECT 1"))
    except DatabaseUnavailable:
        return None
    return round((time.perf_counter() - started) * 1000, 1)
