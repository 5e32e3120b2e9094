"""The life of a turn, of any principal. Read :meth:`TurnEngine.answer` and what it calls from top to bottom.

Accepting is transaction one (``accepting.py``), generating happens outside any transaction and finishing is transaction
two (``generating.py``): a slow service holds a thread but never a database connection, and the message is committed
before anything is asked. What is generated goes into the turn's log (``log.py``), which every reader of it shares.

=====================  ==========================================================================================
Rule                   Value
=====================  ==========================================================================================
Whole turn             ``EXTERNAL_SERVICE_TIMEOUT`` seconds for everything that waits on other services
At once                ``MAX_CONCURRENT_TURNS`` in a process, of which a principal and an address have a share each;
                       another one is refused at once, never queued
In a conversation      one at a time
Quota                  docs/decisions/0016: where there are limits, reserved when a model will be asked; what was used
                       is booked however the turn ends
How often              ``Action.TURN`` of services/limits/throttle.py; a request that was answered before is not
                       counted
Twice                  a request with an ``Idempotency-Key`` that came before gets the answer it got then; where it
                       got none because the process died, the turn is answered now, in its own place
Disconnect             ends no turn; a stream can be resumed on any replica
Stop                   the call that is waited for is cut off; what was generated stays, the turn reads *detenida*
Failure                the turn becomes *respaldo*; such a turn is never sent as history
Process gone           the lease runs out (``heartbeat.py``) and the turn reads *interrumpida*
Database away          at the end: the answer is written as soon as the database is back, if the turn's time lasts
=====================  ==========================================================================================
"""

from __future__ import annotations

import threading
from concurrent.futures import Executor
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection

from maverik_backend.core import plain_text
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import MaverikError, Overloaded
from maverik_backend.models import TurnState
from maverik_backend.services.turns import generating, progress_store, store
from maverik_backend.services.turns.accepting import Acceptance, Accepted, Answered, TurnRequest
from maverik_backend.services.turns.events import Failed, Finished, text_of
from maverik_backend.services.turns.following import Follower
from maverik_backend.services.turns.heartbeat import Heartbeat
from maverik_backend.services.turns.log import TurnLog
from maverik_backend.services.turns.records import Turn
from maverik_backend.services.turns.running import RunningTurns
from maverik_backend.services.usage import Ledger

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """A turn whose events can be read as they come; ``is_replay`` as in :class:`Answered`."""

    turn_id: int
    log: TurnLog
    is_replay: bool = False


class TurnEngine:
    """Accepts, runs and finishes turns. Safe to use from every request thread at once."""

    def __init__(
        self,
        *,
        transaction: TransactionFactory,
        acceptance: Acceptance,
        running: RunningTurns,
        heartbeat: Heartbeat,
        follower: Follower,
        executor: Executor,
        metrics: Metrics,
        ledger: Ledger,
    ) -> None:
        """``executor`` runs the turns that are streamed; it must have a thread for each of them."""
        self._transaction = transaction
        self._acceptance = acceptance
        self._running = running
        self._heartbeat = heartbeat
        self._follower = follower
        self._executor = executor
        self._metrics = metrics
        self._ledger = ledger

    def answer(self, request: TurnRequest) -> Answered:
        """Record the message, have it answered in this thread, record the answer.

        Raises:
            Overloaded: when too many turns run in this process.
            TooManyAtOnce: when the principal, or (``AddressBusy``) its address, has too many of them.
            TooManyTries: when the principal had too many turns lately.
            QuotaUsedUp: when the principal used what it may of language models, and one would be asked.
            NotAuthenticated: when the principal may not act any more.
            NotFound: when the conversation is not the principal's, or was deleted meanwhile, or the turn to retry is
                not the conversation's.
            InvalidInput: when there is no message.
            TurnInProgress: when the conversation is answering something else, or (``SameRequestRunning``) this request.
            IdempotencyKeyReused: when the key came before with another request.
            NothingToRetry: when the turn to retry has its answer.
        """
        with ExitStack() as held:
            accepted = self._accept(request, held)
            return accepted if isinstance(accepted, Answered) else Answered(turn=self._run(accepted))

    def stream(self, request: TurnRequest) -> Streamed:
        """Record the message and have it answered in another thread; an earlier answer comes as a complete log.

        Raises:
            MaverikError: as :meth:`answer`, before anything is streamed.
        """
        with ExitStack() as held:
            accepted = self._accept(request, held)
            if isinstance(accepted, Answered):
                turn = accepted.turn
                return Streamed(turn_id=turn.id, log=generating.log_of(turn), is_replay=True)
            slot = held.pop_all()
        running = accepted.running
        unclaimed = threading.Lock()  # taken by the thread that runs the turn, or by this one to give it up
        try:
            self._executor.submit(copy_context().run, self._run_apart, unclaimed, slot, accepted)
        except RuntimeError:  # no thread can be started; another one of the executor's may have taken the turn
            if unclaimed.acquire(blocking=False):
                with slot:
                    self._interrupt([running.turn_id])
                raise Overloaded from None
        return Streamed(turn_id=running.turn_id, log=running.log)

    def stop(self, db: Connection, *, conversation_id: int, turn_id: int) -> Turn:
        """Ask for a turn to be stopped, wherever it runs, in a conversation that is known to be the principal's.

        Raises:
            NotFound: when the conversation has no such turn.
        """
        turn = store.get_or_raise(db, conversation_id=conversation_id, turn_id=turn_id)
        if turn.state is TurnState.PENDING and not self._running.stop(turn_id):
            store.request_stop(db, turn_id=turn_id)
        return self._with_progress(db, turn)

    def follow(self, db: Connection, *, conversation_id: int) -> Streamed | None:
        """The turn of a conversation that runs now, here or in another process; ``None`` when none does."""
        turn = store.get_running(db, conversation_id=conversation_id)
        if turn is None:
            return None
        here = self._running.get(turn.id)
        log = here.log if here else self._follower.follow(turn_id=turn.id, attempt=turn.attempt)
        return Streamed(turn_id=turn.id, log=log)

    def get(self, db: Connection, *, conversation_id: int, turn_id: int) -> Turn:
        """A turn of a conversation that is known to be the principal's; of a running one what there is so far.

        Raises:
            NotFound: when the conversation has no such turn.
        """
        return self._with_progress(db, store.get_or_raise(db, conversation_id=conversation_id, turn_id=turn_id))

    @property
    def running(self) -> int:
        """How many turns this process is working on."""
        return len(self._running)

    def interrupt_running(self) -> int:
        """Mark the turns that run in this process as interrupted, since it ends now; returns how many.

        Raises:
            DatabaseUnavailable: when it cannot be written; they will read so once their lease has run out.
        """
        running = [turn.turn_id for turn in self._running.all()]
        self._interrupt(running)
        return len(running)

    def close(self, *, timeout_s: float) -> None:
        """Let running turns finish, at most ``timeout_s``, then end the threads beside them."""
        self._running.wait_for_none(timeout_s=timeout_s)
        self._heartbeat.stop()
        self._follower.stop()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _accept(self, request: TurnRequest, held: ExitStack) -> Accepted | Answered:
        """A turn that is on record and registered as running until ``held`` is closed; or its earlier answer."""
        accepted = self._acceptance.accept(request, held)
        if isinstance(accepted, Accepted):
            held.enter_context(self._running.registered(accepted.running))
            self._heartbeat.ensure_beating()
        return accepted

    def _run(self, accepted: Accepted) -> Turn:
        """Generate and write down; the log's last event tells readers how it ended."""
        log = accepted.running.log
        try:
            outcome = generating.generate(accepted, ledger=self._ledger)
            turn = generating.finish(accepted, outcome, transaction=self._transaction, ledger=self._ledger)
        except BaseException as error:
            log.append(Failed(error=error if isinstance(error, MaverikError) else None))
            generating.book(accepted, transaction=self._transaction, ledger=self._ledger)
            raise
        log.append(Finished(turn=turn))
        self._metrics.count_turn(state=turn.state, origin=turn.origin or "")
        return turn

    def _run_apart(self, unclaimed: threading.Lock, slot: ExitStack, accepted: Accepted) -> None:
        """Run a streamed turn. How it ends is told in its log: no request is there to answer."""
        if not unclaimed.acquire(blocking=False):
            return
        with slot:
            try:
                self._run(accepted)
            except MaverikError as error:
                _log.warning("turn_failed", turn_id=accepted.running.turn_id, kind=type(error).__name__)
            except Exception:  # noqa: BLE001 - as above
                _log.exception("turn_failed", turn_id=accepted.running.turn_id)

    def _interrupt(self, turn_ids: list[int]) -> None:
        with self._transaction() as db:
            store.interrupt(db, turn_ids, process_id=self._heartbeat.process_id)

    def _with_progress(self, db: Connection, turn: Turn) -> Turn:
        """``turn``; while it runs, with the text that was generated so far."""
        if turn.state is not TurnState.PENDING:
            return turn
        if here := self._running.get(turn.id):
            text = here.text
        else:
            text = text_of(progress_store.get_events(db, turn_id=turn.id, attempt=turn.attempt))
        return replace(turn, markdown=text, plain_text=plain_text.of(text)) if text else turn
