"""The counters' SQL, as a storage of the ``limits`` library, which has none for PostgreSQL."""

from __future__ import annotations

import time
from typing import Any

from limits.storage import Storage
from sqlalchemy import text

from maverik_backend.core.database import TransactionFactory
from maverik_backend.errors import DatabaseUnavailable

# One statement counts exactly, however many processes count at once. A window that has passed starts anew.
_INCREMENT = text("""
    INSERT INTO limite_uso AS l (clave, cuenta, vence)
    VALUES (:key, :amount, now() + make_interval(secs => :expiry))
    ON CONFLICT (clave) DO UPDATE SET
        cuenta = CASE WHEN l.vence <= now() THEN excluded.cuenta ELSE l.cuenta + excluded.cuenta END,
        vence = CASE WHEN l.vence <= now() THEN excluded.vence ELSE l.vence END
    RETURNING cuenta
""")
_GET = text("SELECT cuenta FROM limite_uso WHERE clave = :key AND vence > now()")
_GET_EXPIRY = text("SELECT extract(epoch FROM vence)::float8 FROM limite_uso WHERE clave = :key AND vence > now()")
_CLEAR = text("DELETE FROM limite_uso WHERE clave = :key")
_RESET = text("DELETE FROM limite_uso RETURNING clave")


class PostgresStorage(Storage):
    """Counters in ``limite_uso``. Each call is a transaction of its own, so a try counts whatever happens after it."""

    STORAGE_SCHEME = None

    def __init__(self, transaction: TransactionFactory) -> None:
        super().__init__()
        self._transaction = transaction

    @property
    def base_exceptions(self) -> type[Exception]:
        return DatabaseUnavailable

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        return int(self._one(_INCREMENT, key=key, expiry=expiry, amount=amount))

    def get(self, key: str) -> int:
        return int(self._one(_GET, key=key) or 0)

    def get_expiry(self, key: str) -> float:
        return float(self._one(_GET_EXPIRY, key=key) or time.time())

    def check(self) -> bool:
        return bool(self._one(text("SELECT true")))

    def reset(self) -> int | None:
        with self._transaction() as db:
            return len(db.execute(_RESET).all())

    def clear(self, key: str) -> None:
        with self._transaction() as db:
            db.execute(_CLEAR, {"key": key})

    def _one(self, statement: Any, **parameters: Any) -> Any:  # noqa: ANN401 - one value of one row
        with self._transaction() as db:
            return db.scalar(statement, parameters)
