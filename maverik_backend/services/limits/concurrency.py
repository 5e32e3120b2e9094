"""How much is under way at once: in all, and by each of several keys (OWASP API4:2023).

Rates say how often something may begin (services/limits/throttle.py); this says how much of it may be held at a time,
so that one principal or one address cannot take every slot of the process. A refusal comes at once; nothing waits for
a slot here (services/limits/fair_queue.py is for that). The counters live in the process: with several processes or
replicas each one allows its own number.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from maverik_backend.core.principal import Principal
from maverik_backend.errors import MaverikError, Overloaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """At most ``limit`` slots at once for ``key``; ``refusal`` is raised for one more.

    ``kind`` keeps keys of different meanings apart, a user's id and an address for instance.
    """

    kind: str
    key: str
    limit: int
    refusal: type[MaverikError]

    @classmethod
    def of_principal(cls, principal: Principal, *, limit: int, refusal: type[MaverikError]) -> Share:
        """The share of a principal, on whatever surface."""
        return cls(kind="principal", key=principal.key, limit=limit, refusal=refusal)


class ConcurrencyLimiter:
    """Hands out ``total`` slots. Safe to use from several threads."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._lock = threading.Lock()
        self._taken = 0
        self._taken_by: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def slot(self, *shares: Share) -> Iterator[None]:
        """Hold one slot while the block runs.

        Raises:
            Overloaded: when every slot is taken.
            MaverikError: the ``refusal`` of the first of ``shares`` that is used up.
        """
        self._take(shares)
        try:
            yield
        finally:
            self._give_back(shares)

    def _take(self, shares: Sequence[Share]) -> None:
        with self._lock:
            if self._taken >= self._total:
                raise Overloaded
            for share in shares:
                if self._taken_by[share.kind, share.key] >= share.limit:
                    raise share.refusal
            self._taken += 1
            self._taken_by.update((share.kind, share.key) for share in shares)

    def _give_back(self, shares: Sequence[Share]) -> None:
        with self._lock:
            self._taken -= 1
            for share in shares:
                self._taken_by[share.kind, share.key] -= 1
                if not self._taken_by[share.kind, share.key]:
                    del self._taken_by[share.kind, share.key]  # else every address ever seen would be kept
