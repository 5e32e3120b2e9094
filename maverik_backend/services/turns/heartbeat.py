"""One thread a process that tells the database, for all turns that the process runs, that they run and how far.

Each beat is one transaction of one statement (:func:`~maverik_backend.services.turns.progress_store.beat`): it renews
the lease of the process, stores the events that were added since the last beat, so that other replicas can follow,
removes those of turns that have ended, and reads which turns are to be stopped.

A turn that ends between two beats leaves nothing behind and costs none. The thread starts with a turn and ends when
none runs any more: nothing is written then, and a turn that is accepted later has a short lease of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from maverik_backend.core.database import TransactionFactory
from maverik_backend.errors import DatabaseUnavailable
from maverik_backend.services.turns import progress_store
from maverik_backend.services.turns.events import Failed, Finished, encode
from maverik_backend.services.turns.progress_store import Chunk
from maverik_backend.services.turns.running import RunningTurn, RunningTurns

INTERVAL_S = 0.4
LEASE = timedelta(seconds=6)
"""How long after its process's last beat a turn still counts as running: fifteen beats may be lost."""

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
        self._stored: dict[RunningTurn, int] = {}
        self._left: set[RunningTurn] = set()
        self._lock = threading.Lock()
        self._is_beating = False
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def ensure_beating(self) -> None:
        """Start the thread unless it runs; to be called once a turn is registered as running."""
        with self._lock:
            is_needed = not (self._is_beating or self._stopping.is_set())
            self._is_beating = self._is_beating or is_needed
        if is_needed:
            self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Let the beat that is under way finish, then beat no more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def leave(self, turn: RunningTurn) -> None:
        """Let a turn read as interrupted whose end could not be written, as soon as the database is back.

        It would be kept alive by this process's lease otherwise.
        """
        with self._lock:
            self._left.add(turn)
        self.ensure_beating()

    def beat(self) -> None:
        """One beat.

        Raises:
            DatabaseUnavailable: when it could not be written; the next beat stores what this one would have.
        """
        running = self._running.all()
        ended = [turn.turn_id for turn in self._stored if turn not in running]
        chunks, stored = self._new_chunks(running)
        with self._lock:
            left = tuple(self._left)
        with self._transaction() as db:
            to_stop = progress_store.beat(
                db,
                process_id=self.process_id,
                lease=self.lease,
                chunks=chunks,
                ended=ended,
                left=[(turn.turn_id, turn.attempt) for turn in left],
            )
        self._stored = stored
        with self._lock:
            self._left.difference_update(left)
        for turn_id in to_stop:
            self._running.stop(turn_id)

    def _new_chunks(self, running: Sequence[RunningTurn]) -> tuple[list[Chunk], dict[RunningTurn, int]]:
        """What each log grew by, and how much of each is stored then."""
        chunks: list[Chunk] = []
        stored: dict[RunningTurn, int] = {}
        for turn in running:
            after = self._stored.get(turn, 0)
            encoded = [encode(event) for event in turn.log.read(after) if not isinstance(event, Finished | Failed)]
            if encoded:
                chunks.append(Chunk(turn_id=turn.turn_id, attempt=turn.attempt, number=after, events=encoded))
            stored[turn] = after + len(encoded)
        return chunks, stored

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            if self._has_work():
                self._beat_or_log()
            elif self._may_end():
                return

    def _has_work(self) -> bool:
        return bool(len(self._running) or self._stored or self._left)

    def _may_end(self) -> bool:
        """End unless a turn was registered meanwhile: the flag is read after a turn is registered, and reset before."""
        with self._lock:
            self._is_beating = self._has_work()
            return not self._is_beating

    def _beat_or_log(self) -> None:
        try:
            self.beat()
        except DatabaseUnavailable:
            _log.warning("heartbeat_database_unavailable", running_turns=len(self._running))
        except Exception:  # noqa: BLE001 - the thread must outlive a defect: without it every lease runs out
            _log.exception("heartbeat_failed")
