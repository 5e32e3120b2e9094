"""The turns that this process runs: found by id to be subscribed to, stopped, or marked when the process ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from maverik_backend.core.deadline import Deadline
from maverik_backend.services.turns.events import Started, Usage, text_of
from maverik_backend.services.turns.log import TurnLog


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunningTurn:
    """One attempt at a turn in this process: its log, which begins with :class:`Started`, and its deadline.

    Cancelling the deadline stops the attempt.
    """

    turn_id: int
    attempt: int
    deadline: Deadline
    log: TurnLog = field(default_factory=TurnLog)

    def __post_init__(self) -> None:
        self.log.append(Started(turn_id=self.turn_id, attempt=self.attempt))

    @property
    def used(self) -> list[Usage]:
        """What was used of language models so far."""
        return [event for event in self.log.read() if isinstance(event, Usage)]

    @property
    def text(self) -> str:
        """What was generated so far."""
        return text_of(self.log.read())


class RunningTurns:
    """A registry of :class:`RunningTurn`, at most one a turn. Safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._by_id: dict[int, RunningTurn] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    @contextmanager
    def registered(self, turn: RunningTurn) -> Iterator[None]:
        """Hold ``turn`` while the block runs. A later attempt replaces an earlier one that has not returned yet."""
        with self._changed:
            self._by_id[turn.turn_id] = turn
        try:
            yield
        finally:
            with self._changed:
                if self._by_id.get(turn.turn_id) is turn:
                    del self._by_id[turn.turn_id]
                    self._changed.notify_all()

    def get(self, turn_id: int) -> RunningTurn | None:
        """The running attempt at a turn; ``None`` when this process runs none."""
        return self._by_id.get(turn_id)

    def all(self) -> tuple[RunningTurn, ...]:
        """Every turn that runs now."""
        with self._changed:
            return tuple(self._by_id.values())

    def stop(self, turn_id: int) -> bool:
        """Cancel a turn that runs here; whether one did."""
        turn = self.get(turn_id)
        if turn is not None:
            turn.deadline.cancellation.cancel()
        return turn is not None

    def wait_for_none(self, *, timeout_s: float) -> bool:
        """Block until no turn runs, at most ``timeout_s``; whether none does."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._by_id, timeout=timeout_s)
