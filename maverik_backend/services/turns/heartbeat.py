"""One thread a process that tells the database, for all turns that the process runs, that they run and how far.

Each beat is one transaction of one statement (:func:`~maverik_backend.services.turns.progress_store.beat`), on a
connection of its own with short timeouts, since all leases of the process depend on it: it renews the lease of the
process, stores the events that were added since the last beat, so that other replicas can follow, removes those of
turns that have ended, takes the lease from pending turns that the process does not run, and reads which of its turns
are to end: stopped by their owner, deleted, or superseded by a later attempt elsewhere.

A turn that ends between two beats leaves nothing behind and costs none. The thread starts with a turn and ends when
none runs any more: nothing is written then, and a turn that is accepted later has a short lease of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import structlog

from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.threads import start_daemon
from maverik_backend.errors import DatabaseUnavailable
from maverik_backend.services.turns import progress_store
from maverik_backend.services.turns.events import StoredEvent, encode
from maverik_backend.services.turns.progress_store import Chunk, RunningAttempt
from maverik_backend.services.turns.running import RunningTurn, RunningTurns

INTERVAL_S = 0.4
LEASE = timedelta(seconds=6)
"""How long after its process's last beat a turn still counts as running."""

THREAD_NAME = "heartbeat"

_log = structlog.get_logger(__name__)


class Heartbeat:
    """Beats while turns run. ``process_id`` is this process's own, new at each start."""

    def __init__(
        self,
        *,
        transaction: TransactionFactory,
        process_id: UUID,
        running: RunningTurns,
        interval_s: float = INTERVAL_S,
        lease: timedelta = LEASE,
    ) -> None:
        self.process_id = process_id
        self.lease = lease
        self._transaction = transaction
        self._running = running
        self._interval_s = interval_s
        # How much of each turn's log is stored, and whose events may be: a beat may be written and not acknowledged.
        self._stored: dict[RunningTurn, int] = {}
        self._written: set[RunningTurn] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def ensure_beating(self) -> None:
        """Start the thread unless it runs; to be called once a turn is registered as running.

        Raises:
            Overloaded: when no thread can be started.
        """
        with self._lock:
            if self._thread is None and not self._stopping.is_set():
                self._thread = start_daemon(self._run, name=THREAD_NAME)

    def stop(self) -> None:
        """Let the beat that is under way finish, remove what is left of ended turns, then beat no more."""
        self._stopping.set()
        if (thread := self._thread) is not None:
            thread.join()
        if self._written:
            with suppress(DatabaseUnavailable):
                self.beat()

    def beat(self, *, stores_events: bool = True) -> None:
        """One beat. Turns that are to end are cancelled.

        Raises:
            DatabaseUnavailable: when it could not be written; the next beat stores everything again.
        """
        running = self._running.all()
        ended = self._written.difference(running)
        chunks, stored = self._new_chunks(running) if stores_events else ([], dict(self._stored))
        # Before the first event can be followed, and after a beat that failed, everything is stored from the start: a
        # crash of PostgreSQL empties the unlogged table.
        self._stored = {}
        self._written.update(turn for turn in running if turn in stored)
        with self._transaction() as db:
            to_end = progress_store.beat(
                db,
                process_id=self.process_id,
                lease=self.lease,
                running=_attempts(running),
                chunks=chunks,
                ended=_attempts(ended),
            )
        self._stored = stored
        self._written -= ended
        for turn in running:
            if (turn.turn_id, turn.attempt) in to_end:
                turn.deadline.cancellation.cancel()

    def _new_chunks(self, running: Sequence[RunningTurn]) -> tuple[list[Chunk], dict[RunningTurn, int]]:
        """What each log grew by, and how much of each is stored then."""
        chunks: list[Chunk] = []
        stored: dict[RunningTurn, int] = {}
        for turn in running:
            after = self._stored.get(turn, 0)
            # Started, the first event, is not stored; the last one may be there and its turn about to be removed.
            events = [event for event in turn.log.read(1 + after) if isinstance(event, StoredEvent)]
            if events:
                encoded = [encode(event) for event in events]
                chunks.append(Chunk(turn_id=turn.turn_id, attempt=turn.attempt, number=after, events=encoded))
                stored[turn] = after + len(events)
            elif after:
                stored[turn] = after
        return chunks, stored

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            if self._has_work():
                self._beat_or_log()
            elif self._may_end():
                return

    def _has_work(self) -> bool:
        return bool(len(self._running) or self._written)

    def _may_end(self) -> bool:
        """End unless a turn was registered meanwhile: the thread is looked for after a turn is registered."""
        with self._lock:
            if self._has_work():
                return False
            self._thread = None
            return True

    def _beat_or_log(self) -> None:
        try:
            self.beat()
        except DatabaseUnavailable:
            _log.warning("heartbeat_database_unavailable", running_turns=len(self._running))
        except Exception:  # noqa: BLE001 - the thread must outlive a defect: without it every lease runs out
            _log.exception("heartbeat_failed")
            self._beat_without_events()

    def _beat_without_events(self) -> None:
        """Renew the leases where the events of some turn cannot be stored."""
        try:
            self.beat(stores_events=False)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("heartbeat_failed")


def _attempts(turns: Sequence[RunningTurn] | set[RunningTurn]) -> list[RunningAttempt]:
    return [RunningAttempt(turn_id=turn.turn_id, attempt=turn.attempt) for turn in turns]
