"""Where tries are counted: in memory, in Redis, or in PostgreSQL (``store.py``), as ``RATE_LIMIT_STORAGE`` says."""

from __future__ import annotations

import threading
import time
from typing import cast

from limits.errors import ConfigurationError
from limits.storage import Storage, storage_from_string

from maverik_backend.core.database import TransactionFactory
from maverik_backend.errors import SettingsError
from maverik_backend.services.limits.store import PostgresStorage

# Below so many counters nothing is swept.
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
