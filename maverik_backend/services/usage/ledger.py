"""The ledger as turns use it: reserve in transaction one, book in transaction two.

====================  ================================================================================================
Estimate              Value
====================  ================================================================================================
Reserved for a turn   one request to its model: services/assistants/model.py; of a limit at most what remains
Reservation lasts     until transaction two, or ``hold`` from its making when there is none
Reserved, without     nothing: no limit is set, no model is asked (:class:`Demand` is ``None``)
====================  ================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection

from maverik_backend.core.metrics import Metrics
from maverik_backend.services.usage import store
from maverik_backend.services.usage.limits import Limits
from maverik_backend.services.usage.prices import Prices
from maverik_backend.services.usage.records import Bill, Demand, Line, Usage

_KEY = attrgetter("assistant", "model")


class Ledger:
    """Prices, reserves and books what is used of language models. Safe to use from several threads at once."""

    def __init__(self, *, prices: Prices, limits: Limits, metrics: Metrics, hold: timedelta) -> None:
        """``hold`` is how long a turn may take at most: a reservation that was not ended by then does not count."""
        self._prices = prices
        self._limits = limits
        self._metrics = metrics
        self._hold = hold

    @property
    def has_limits(self) -> bool:
        """Whether anything is reserved at all."""
        return self._limits.are_set

    def reserve(self, db: Connection, *, principal_id: int, demand: Demand) -> int:
        """Reserve what a turn demands, at most what remains; returns the reservation's id.

        Other reservations of the principal wait until ``db`` ends.

        Raises:
            QuotaUsedUp: when a limit is used up.
            TooManyAtOnce: when running turns of the principal have reserved what remains.
        """
        store.lock(db, principal_id=principal_id)
        reservation_id, spent = store.reserve(
            db,
            principal_id=principal_id,
            limits=self._limits,
            tokens=demand.input_tokens + demand.output_tokens,
            cost_microusd=self._prices.cost_microusd(
                demand.model,
                input_tokens=demand.input_tokens,
                cached_tokens=0,
                output_tokens=demand.output_tokens,
            ),
            hold=self._hold,
        )
        if reservation_id is None:
            self._limits.refuse(spent)
        return reservation_id

    def bill(self, used: Iterable[Usage], *, principal_id: int, reservation_id: int | None = None) -> Bill | None:
        """What is to be booked; ``None`` when nothing was used or reserved, so that no statement is needed."""
        lines = tuple(self._line(list(same)) for _, same in groupby(sorted(used, key=_KEY), key=_KEY))
        if not lines and reservation_id is None:
            return None
        return Bill(principal_id=principal_id, lines=lines, reservation_id=reservation_id)

    def book(self, db: Connection, bill: Bill) -> None:
        """Add ``bill`` to the ledger of today, unless its principal is gone, and end its reservation."""
        store.book(db, bill)

    def count(self, used: Iterable[Usage]) -> None:
        """Tell the metrics what was used, whether or not it can be booked."""
        for usage in used:
            self._metrics.count_tokens(
                model=usage.model,
                input_tokens=usage.input_tokens,
                cached_tokens=usage.cached_tokens,
                output_tokens=usage.output_tokens,
                reasoning_tokens=usage.reasoning_tokens,
                cost_usd=self._line([usage]).cost_microusd / 1e6,
            )

    def _line(self, used: Sequence[Usage]) -> Line:
        """The sum of requests to one model for one assistant."""
        model = used[0].model
        input_tokens = sum(usage.input_tokens for usage in used)
        cached_tokens = sum(usage.cached_tokens for usage in used)
        output_tokens = sum(usage.output_tokens for usage in used)
        cost_microusd = self._prices.cost_microusd(
            model, input_tokens=input_tokens, cached_tokens=cached_tokens, output_tokens=output_tokens
        )
        return Line(
            assistant=used[0].assistant,
            model=model,
            requests=len(used),
            input_tokens=input_tokens,
            cached_tokens=cached_tokens,
            output_tokens=output_tokens,
            reasoning_tokens=sum(usage.reasoning_tokens for usage in used),
            cost_microusd=cost_microusd,
        )
