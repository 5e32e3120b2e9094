"""Where tries are counted: in memory, in Redis, or in PostgreSQL, which ``limits`` itself does not know."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

from limits.errors import ConfigurationError
from limits.storage import Storage, storage_from_string
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
# So many counters are not worth looking through for windows that have passed.
_SWEEP_FROM = 1000


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


class MemoryStorage(Storage):
    """Counters of this process.

    Instead of the one of ``limits``, which looks through all of its counters, in a new thread, up to a hundred times a
    second: with 10,000 addresses that costs more than the requests that it counts. Here windows that have passed are
    dropped whenever the number of counters has doubled.
    """

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, float]] = {}  # how often, and until when (seconds since 1970)
        self._sweep_at = _SWEEP_FROM

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = time.time()
        with self._lock:
            count, ends = self._windows.get(key, (0, 0.0))
            if ends <= now:
                self._sweep(now)
                count, ends = 0, now + expiry
            self._windows[key] = count + amount, ends
        return count + amount

    def get(self, key: str) -> int:
        count, ends = self._windows.get(key, (0, 0.0))
        return count if ends > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return max(time.time(), self._windows.get(key, (0, 0.0))[1])

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._lock:
            number = len(self._windows)
            self._windows.clear()
        return number

    def clear(self, key: str) -> None:
        with self._lock:
            self._windows.pop(key, None)

    def _sweep(self, now: float) -> None:
        if len(self._windows) < self._sweep_at:
            return
        self._windows = {key: window for key, window in self._windows.items() if window[1] > now}
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self._windows))


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
