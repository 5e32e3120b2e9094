"""All connections of a process: how many there may be, who gives way, and who took too long.

Nothing here knows HTTP; whatever protocol speaks on a connection enters it, and says when nothing is under way on it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from enum import StrEnum
from itertools import islice
from typing import Protocol

import structlog

from maverik_backend.connections.limits import ConnectionLimits
from maverik_backend.core.metrics import Metrics

# How many of the longest idle connections are looked at for one that has no answer left to deliver.
CANDIDATES = 16

_log = structlog.get_logger(__name__)


class Cut(StrEnum):
    """Why the server ended a connection: a label of ``maverik_connections_cut_total``."""

    FULL = "full"
    EVICTED = "evicted"
    MALFORMED = "malformed"
    HEAD_TOO_LARGE = "head_too_large"
    HEAD_TOO_SLOW = "head_too_slow"
    BODY_TOO_LARGE = "body_too_large"
    BODY_TOO_SLOW = "body_too_slow"
    PIPELINED = "pipelined"
    UNREAD = "unread"
    PING_UNANSWERED = "ping_unanswered"
    MESSAGE_TOO_LARGE = "message_too_large"
    TOO_MANY_FRAMES = "too_many_frames"
    BAD_FRAME = "bad_frame"


class Connection(Protocol):
    """What the table knows of a connection."""

    @property
    def unsent_bytes(self) -> int:
        """What of its answers the client has not taken yet."""

    @property
    def unread_since(self) -> float:
        """When the client last took something, by the loop's clock."""

    def check(self, now: float) -> None:
        """End it when it took too long."""

    def abort(self) -> None:
        """End it at once, without delivering anything more."""


class ConnectionTable:
    """Lives on one event loop; not for other threads."""

    def __init__(self, limits: ConnectionLimits, *, metrics: Metrics) -> None:
        self.limits = limits
        self._metrics = metrics
        self._open: dict[Connection, str] = {}
        self._of_address: Counter[str] = Counter()
        self._idle: dict[Connection, None] = {}  # the longest idle first
        self._idle_of_address: defaultdict[str, dict[Connection, None]] = defaultdict(dict)  # as above
        self._unread: dict[Connection, int] = {}  # with what it had not sent when it was last looked at
        self._cuts: Counter[Cut] = Counter()
        self._websockets: set[Connection] = set()

    @property
    def websockets(self) -> int:
        """How many connections were upgraded."""
        return len(self._websockets)

    def __len__(self) -> int:
        return len(self._open)

    def start(self) -> None:
        """From now on, look after the connections each ``sweep_interval_s``; ends with the loop."""
        for cut in Cut:
            self._metrics.count_cut_connections(cut.value, 0)  # Prometheus sees no first one otherwise
        self._schedule_sweep()

    def enter(self, connection: Connection, *, address: str) -> bool:
        """Take a new, idle connection in, for which the longest idle one gives way; whether there was room."""
        idle = self._idle_of_address.get(address, {})
        per_address = self.limits.max_connections_per_address
        if per_address is not None and self._of_address[address] >= per_address and not self._evict(idle):
            return False
        if len(self._open) >= self.limits.max_connections and not self._evict(self._idle):
            return False
        self._open[connection] = address
        self._of_address[address] += 1
        self.set_idle(connection, is_idle=True)
        return True

    def upgrade(self, connection: Connection, *, to: Connection) -> None:
        """Let ``to``, a WebSocket, take the place of ``connection``; it is never idle and gives way to nothing."""
        address = self._open[connection]
        self._open[to] = address
        self._of_address[address] += 1
        self._websockets.add(to)
        self.leave(connection)

    def leave(self, connection: Connection) -> None:
        """Forget a connection; that it is known is not required."""
        self.set_idle(connection, is_idle=False)
        self._websockets.discard(connection)
        address = self._open.pop(connection, None)
        self._unread.pop(connection, None)
        if address is not None:
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def set_idle(self, connection: Connection, *, is_idle: bool) -> None:
        """Whether ``connection`` may give way to a new one: it has no request under way."""
        address = self._open.get(connection)
        if address is None:
            return
        idle_of_address = self._idle_of_address[address]
        for idle in (self._idle, idle_of_address):
            if is_idle:
                idle.setdefault(connection)
            else:
                idle.pop(connection, None)
        if not idle_of_address:
            del self._idle_of_address[address]

    def set_unread(self, connection: Connection, *, is_unread: bool) -> None:
        """Whether more waits in ``connection`` than its transport would buffer unasked.

        Unread answers are held in memory: beyond ``max_unsent_bytes`` those that were not read for longest go.
        """
        if not is_unread:
            self._unread.pop(connection, None)
            return
        self._unread[connection] = connection.unsent_bytes
        if self._unsent_bytes > self.limits.max_unsent_bytes:
            self._unread = {one: one.unsent_bytes for one in self._unread}
        while self._unsent_bytes > self.limits.max_unsent_bytes:
            self._cut(min(self._unread, key=lambda one: one.unread_since), Cut.UNREAD)

    def count(self, cut: Cut) -> None:
        """Note that a connection was ended; told once a sweep, so that floods do not flood the log."""
        self._cuts[cut] += 1

    @property
    def _unsent_bytes(self) -> int:
        """At most: while an answer waits to be read, nothing is added to it."""
        return sum(self._unread.values())

    def _evict(self, idle: Iterable[Connection]) -> bool:
        """End the first of ``idle``, the longest idle one, unless there is none; one with an unread answer last."""
        candidates = list(islice(idle, CANDIDATES))
        if not candidates:
            return False
        self._cut(next((one for one in candidates if not one.unsent_bytes), candidates[0]), Cut.EVICTED)
        return True

    def _cut(self, connection: Connection, cut: Cut) -> None:
        self.count(cut)
        self.leave(connection)
        connection.abort()

    def _schedule_sweep(self) -> None:
        asyncio.get_running_loop().call_later(self.limits.sweep_interval_s, self._sweep)

    def _sweep(self) -> None:
        self._schedule_sweep()
        now = asyncio.get_running_loop().time()
        for connection in list(self._open):
            connection.check(now)
        self._metrics.set_connections(len(self._open))
        self._report()

    def _report(self) -> None:
        if not self._cuts:
            return
        for cut, count in self._cuts.items():
            self._metrics.count_cut_connections(cut.value, count)
        _log.warning("connections_cut", open=len(self._open), **{cut.value: count for cut, count in self._cuts.items()})
        self._cuts.clear()
