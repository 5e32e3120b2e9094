"""Where tries are counted: in memory, in Redis, or in PostgreSQL, which ``limits`` itself does not know."""

from __future__ import annotations

import time
from typing import Any, cast

from limits.errors import ConfigurationError
from limits.storage import MemoryStorage, Storage, storage_from_string
from sqlalchemy import text

from maverik_backend.core.database import TransactionFactory
from maverik_backend.errors import DatabaseUnavailable, SettingsError

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


def make_storage(kind: str, transaction: TransactionFactory) -> Storage:
    """The storage that ``RATE_LIMIT_STORAGE`` names.

    Raises:
        SettingsError: when Redis is asked for and its library is not installed, or does not take the address.
    """
    if kind == "memory":
        return MemoryStorage()
    if kind == "postgres":
        return PostgresStorage(transaction)
    try:
        return cast("Storage", storage_from_string(kind, wrap_exceptions=True))
    except ConfigurationError:
        raise SettingsError(
            ["RATE_LIMIT_STORAGE names Redis but its library is not installed: `pip install redis`."]
        ) from None
    except ValueError:  # of an option in the address; may quote it
        raise SettingsError(["RATE_LIMIT_STORAGE cannot be used: Redis' library does not take its options."]) from None


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
        with self._transaction() as session:
            return len(session.execute(_RESET).all())

    def clear(self, key: str) -> None:
        with self._transaction() as session:
            session.execute(_CLEAR, {"key": key})

    def _one(self, statement: Any, **parameters: Any) -> Any:  # noqa: ANN401 - one value of one row
        with self._transaction() as session:
            return session.scalar(statement, parameters)
