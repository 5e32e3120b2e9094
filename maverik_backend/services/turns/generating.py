"""Running an accepted turn without a transaction, and transaction two, which writes down how it ended."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial

import structlog

from maverik_backend.core import plain_text
from maverik_backend.core.database import TransactionFactory, commit_with_next
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import Cancelled, DatabaseUnavailable, NotFound
from maverik_backend.models import TurnState
from maverik_backend.services.turns import store
from maverik_backend.services.turns.accepting import Accepted
from maverik_backend.services.turns.events import (
    Data,
    Finished,
    Started,
    StoredEvent,
    TextDelta,
    remaining_events,
)
from maverik_backend.services.turns.log import TurnLog
from maverik_backend.services.turns.records import Ending, Outcome, Source, Turn
from maverik_backend.services.turns.running import RunningTurn
from maverik_backend.services.usage import Bill, Ledger

MAX_TEXT_CHARS = 200_000
"""A turn's text; what follows is cut off, and whatever generates it is cancelled."""
WRITE_AGAIN_AFTER_S = 1.0

_log = structlog.get_logger(__name__)


def generate(accepted: Accepted, *, ledger: Ledger) -> Outcome:
    """Have the turn answered; each event goes into its log as it comes. What was used is counted, however it ends."""
    running = accepted.running
    collector = _Collector(running)
    ending: Ending | None = None
    try:
        with suppress(Cancelled):
            ending = accepted.adapter.respond(accepted.attempt, emit=collector.emit, deadline=running.deadline)
    finally:
        ledger.count(running.used)
    return collector.outcome(ending)


def finish(accepted: Accepted, outcome: Outcome, *, transaction: TransactionFactory, ledger: Ledger) -> Turn:
    """Write the outcome down and book what was used, again while the turn has time left.

    So no answer is lost to a database that restarts.

    Once more in any case, also when all the time was used up.

    Raises:
        NotFound: when the conversation was deleted, or a later attempt has begun.
        DatabaseUnavailable: when it could not be written.
    """
    plain = plain_text.of(outcome.text)
    write = partial(_write, accepted, outcome, plain, transaction=transaction, ledger=ledger)
    last_try = Deadline(max(accepted.running.deadline.at, time.monotonic() + WRITE_AGAIN_AFTER_S))
    while not last_try.passed:
        with suppress(DatabaseUnavailable):
            return write()
        time.sleep(WRITE_AGAIN_AFTER_S)
    return write()


def book(accepted: Accepted, *, transaction: TransactionFactory, ledger: Ledger) -> None:
    """Book what was used by a turn whose outcome cannot be written; without the database, log that it is not."""
    bill = _bill(accepted, ledger)
    if bill is None:
        return
    try:
        with transaction(accepted.principal) as db:
            ledger.book(db, bill)
    except DatabaseUnavailable:
        _log.warning("usage_not_booked", turn_id=accepted.running.turn_id)


def log_of(turn: Turn) -> TurnLog:
    """The complete log of a turn that was answered before."""
    log = TurnLog()
    log.append(Started(turn_id=turn.id, attempt=turn.attempt))
    for event in remaining_events(turn):
        log.append(event)
    log.append(Finished(turn=turn))
    return log


def _write(
    accepted: Accepted, outcome: Outcome, plain: str, *, transaction: TransactionFactory, ledger: Ledger
) -> Turn:
    bill = _bill(accepted, ledger)
    with transaction(accepted.principal) as db:
        # The conversation before the turn, and that before the ledger: the order in which everything locks them.
        if not accepted.adapter.settle(db, accepted.attempt, outcome) and bill is None:
            commit_with_next(db)
        turn = store.write_answer(db, accepted.attempt, outcome, plain_text=plain)
        if turn is None:  # raised here, so that what was settled is rolled back
            raise NotFound("turn")
        if bill is not None:
            commit_with_next(db)
            ledger.book(db, bill)
    return turn


def _bill(accepted: Accepted, ledger: Ledger) -> Bill | None:
    return ledger.bill(
        accepted.running.used,
        principal_id=accepted.principal.id,
        reservation_id=accepted.attempt.reservation_id,
    )


class _Collector:
    """Appends events to a turn's log and keeps what is stored of them."""

    def __init__(self, running: RunningTurn) -> None:
        self._running = running
        self._text: list[str] = []
        self._remaining_chars = MAX_TEXT_CHARS
        self._sources: list[Source] = []
        self._data: dict[str, object] = {}

    def emit(self, event: StoredEvent) -> None:
        """Append ``event``, a text no further than :data:`MAX_TEXT_CHARS` of the turn."""
        match event:
            case TextDelta():
                if not (event := TextDelta(text=event.text[: self._remaining_chars])).text:
                    return
                self._text.append(event.text)
                self._remaining_chars -= len(event.text)
            case Source():
                self._sources.append(event)
            case Data():
                self._data[event.name] = event.value
        self._running.log.append(event)
        if not self._remaining_chars:
            self._running.deadline.cancellation.cancel()

    def outcome(self, ending: Ending | None) -> Outcome:
        """What is stored; without an ``ending`` the turn was stopped, or cut off at its longest."""
        return Outcome(
            state=TurnState.COMPLETED if ending is None else ending.state,
            text="".join(self._text),
            origin=ending.origin if ending else None,
            failure=ending.failure if ending else None,
            answered_by=ending.answered_by if ending else None,
            sources=tuple(self._sources),
            data=self._data,
            is_stopped=ending is None and self._remaining_chars > 0,
        )
