"""Turns that another process runs: their logs, copied to this process for its readers.

One thread polls for all of them together (:func:`~maverik_backend.services.turns.progress_store.follow`) while one is
read. What the running process stored with its last beat is appended to a log of this process; once the turn's row has
its answer, the rest of the text is taken from there. A turn whose lease has run out ends its log as interrupted.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.threads import start_daemon
from maverik_backend.errors import DatabaseUnavailable, Interrupted, NotFound
from maverik_backend.models import TurnState
from maverik_backend.services.turns import progress_store, store
from maverik_backend.services.turns.events import Failed, Finished, Started, remaining_events
from maverik_backend.services.turns.log import TurnLog
from maverik_backend.services.turns.progress_store import Cursor, Progress
from maverik_backend.services.turns.records import Turn

POLL_INTERVAL_S = 0.4
UNREAD_GRACE_S = 10.0
"""How long a turn is followed for a reader that has asked for it and is not listening yet."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class _Followed:
    """A turn of another process: its log here, and how much of the process's log was read."""

    turn_id: int
    attempt: int
    number: int = 0
    keep_until: float = 0.0
    log: TurnLog = field(default_factory=TurnLog)

    def is_wanted(self) -> bool:
        """Whether it goes on and is read, or was asked for a moment ago."""
        return not self.log.is_complete and (self.log.listener_count > 0 or time.monotonic() < self.keep_until)

    def advance(self, steps: Sequence[Progress], turn: Turn | None) -> None:
        """Append what a poll found: rows of one attempt that differ only in their chunk; ``turn`` once it has ended."""
        if not steps:
            self.log.append(Failed(error=NotFound("turn")))
            return
        for step in steps:
            self._take(step)
        self._end(steps[-1], turn)

    def _take(self, progress: Progress) -> None:
        """Append what ``progress`` brought and was not there yet.

        Not behind a gap, which a crash of PostgreSQL leaves: the running process stores everything again.
        """
        if progress.number is None or progress.events is None or progress.number > self.number:
            return
        for event in progress_store.decoded(progress.events[self.number - progress.number :]):
            self.log.append(event)
        self.number = max(self.number, progress.number + len(progress.events))

    def _end(self, progress: Progress, turn: Turn | None) -> None:
        """Append what was not stored as chunks and the end, once there is one."""
        if progress.is_superseded or not (progress.has_ended or progress.is_alive):
            self.log.append(Failed(error=Interrupted()))
        elif turn is not None and turn.attempt == self.attempt and turn.state is not TurnState.PENDING:
            for event in remaining_events(turn, self.log.read()):
                self.log.append(event)
            self.log.append(Finished(turn=turn))


class Follower:
    """Follows turns of other processes. Safe to use from several threads."""

    def __init__(
        self, *, transaction: TransactionFactory, interval_s: float = POLL_INTERVAL_S, polls_by_itself: bool = True
    ) -> None:
        """Without ``polls_by_itself`` there is no thread: :meth:`poll` is called instead."""
        self._transaction = transaction
        self._interval_s = interval_s
        self._changed = threading.Condition()
        self._followed: dict[tuple[int, int], _Followed] = {}
        self._polls_by_itself = polls_by_itself
        self._thread: threading.Thread | None = None
        self._is_asked = False
        self._is_stopping = False

    def stop(self) -> None:
        """Let the poll under way finish, then end."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def follow(self, *, turn_id: int, attempt: int) -> TurnLog:
        """The log of a turn that another process runs, from its beginning; the poller is asked at once.

        Raises:
            Overloaded: when no thread can be started.
        """
        with self._changed:
            self._ensure_polling()
            followed = self._followed.get((turn_id, attempt))
            if followed is None or followed.log.is_complete:
                followed = self._followed[turn_id, attempt] = _Followed(turn_id=turn_id, attempt=attempt)
                followed.log.append(Started(turn_id=turn_id, attempt=attempt))
            followed.keep_until = time.monotonic() + UNREAD_GRACE_S
            self._is_asked = True
            self._changed.notify_all()
        return followed.log

    def _ensure_polling(self) -> None:
        if self._thread is None and self._polls_by_itself:
            self._thread = start_daemon(self._run, name="follower")

    def poll(self) -> None:
        """Read on in every turn that is read here.

        Raises:
            DatabaseUnavailable: when it could not be asked; nothing is lost by it.
        """
        with self._changed:
            self._followed = {key: turn for key, turn in self._followed.items() if turn.is_wanted()}
            wanted = tuple(self._followed.values())
        if not wanted:
            return
        cursors = [Cursor(turn_id=turn.turn_id, attempt=turn.attempt, number=turn.number) for turn in wanted]
        with self._transaction() as db:
            progress = progress_store.follow(db, cursors)
            ended = store.get_many(db, [step.turn_id for step in progress if step.has_ended])
        steps: dict[tuple[int, int], list[Progress]] = defaultdict(list)
        for step in progress:
            steps[step.turn_id, step.attempt].append(step)
        for turn in wanted:
            _advance(turn, steps[turn.turn_id, turn.attempt], ended.get(turn.turn_id))

    def _run(self) -> None:
        while self._wait():
            try:
                self.poll()
            except DatabaseUnavailable:
                _log.warning("follower_database_unavailable", followed_turns=len(self._followed))
            except Exception:  # noqa: BLE001 - a defect with one turn must not end the thread that reads for all
                _log.exception("follower_failed")

    def _wait(self) -> bool:
        """Until the next poll is due, at once when a subscriber has just come; false when the process ends."""
        with self._changed:
            self._changed.wait_for(self._has_work)
            if not self._is_asked:
                self._changed.wait_for(lambda: self._is_asked or self._is_stopping, timeout=self._interval_s)
            self._is_asked = False
            return not self._is_stopping

    def _has_work(self) -> bool:
        return self._is_stopping or bool(self._followed)


def _advance(followed: _Followed, steps: Sequence[Progress], turn: Turn | None) -> None:
    """Let one turn advance; a defect with it must not keep the others from it, nor its readers waiting."""
    try:
        followed.advance(steps, turn)
    except Exception:  # noqa: BLE001 - as above
        _log.exception("follower_failed", turn_id=followed.turn_id)
        followed.log.append(Failed(error=None))
