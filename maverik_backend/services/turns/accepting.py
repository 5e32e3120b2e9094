"""Transaction one of a turn: who may, what was asked before, and the message on record with a lease.

Everything that can refuse a turn refuses it here, before anything is generated or streamed.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import NoReturn

from sqlalchemy import Connection

from maverik_backend.core.database import TransactionFactory, commit_with_next
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.principal import Principal
from maverik_backend.errors import AddressBusy, SameRequestRunning, TooManyAtOnce, TurnInProgress
from maverik_backend.models import TurnState
from maverik_backend.services.limits import Action, ConcurrencyLimiter, Share, Throttle
from maverik_backend.services.turns import idempotency_store, store
from maverik_backend.services.turns.adapter import ConversationAdapter
from maverik_backend.services.turns.idempotency_store import RequestKey
from maverik_backend.services.turns.records import Attempt, Turn
from maverik_backend.services.turns.running import RunningTurn
from maverik_backend.services.turns.store import Lease
from maverik_backend.services.usage import Demand, Ledger
from maverik_backend.settings import AdviceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """Who writes what, where. Limits count by ``principal`` and by ``network``.

    ``text`` may be ``None`` where the kind of conversation has a message of its own. With ``retried_turn_id`` nothing
    new is written: that turn is answered again, in its own place.
    """

    adapter: ConversationAdapter
    principal: Principal
    network: str
    conversation_id: int
    text: str | None = None
    retried_turn_id: int | None = None
    idempotency_key: str | None = field(default=None, repr=False)

    @property
    def key(self) -> RequestKey:
        """What makes this request the same as an earlier one."""
        return RequestKey.of(
            principal_id=self.principal.id,
            key=self.idempotency_key,
            conversation_id=self.conversation_id,
            text=self.text,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A turn with its answer; ``is_replay`` when the very same request had got it before."""

    turn: Turn
    is_replay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A turn that is on record as pending, and what is needed to run it."""

    running: RunningTurn
    principal: Principal
    adapter: ConversationAdapter
    attempt: Attempt


class Acceptance:
    """Puts turns on record. Safe to use from every request thread at once."""

    def __init__(
        self,
        *,
        transaction: TransactionFactory,
        throttle: Throttle,
        settings: AdviceSettings,
        lease: Lease,
        ledger: Ledger,
    ) -> None:
        self._transaction = transaction
        self._throttle = throttle
        self._settings = settings
        self._lease = lease
        self._ledger = ledger
        self._concurrency = ConcurrencyLimiter(settings.max_concurrent_turns)

    def accept(self, request: TurnRequest, held: ExitStack) -> Accepted | Answered:
        """Put the turn on record, its slot held until ``held`` is closed; or what the same request got before.

        Raises:
            MaverikError: as :meth:`~maverik_backend.services.turns.engine.TurnEngine.answer`.
        """
        request.adapter.prepare()
        if replay := self._replay(request):
            return replay
        held.enter_context(self._concurrency_slot(request))
        self._throttle.count(Action.TURN, request.principal.key)
        deadline = Deadline.after(self._settings.external_service_timeout)
        recorded = self._retry(request) if request.retried_turn_id else self._record(request)
        if isinstance(recorded, Answered):
            return recorded
        running = RunningTurn(turn_id=recorded.turn_id, attempt=recorded.number, deadline=deadline)
        return Accepted(running=running, principal=request.principal, adapter=request.adapter, attempt=recorded)

    def _concurrency_slot(self, request: TurnRequest) -> AbstractContextManager[None]:
        """One of the turns that may run at once, within the shares of the principal and of its address."""
        settings = self._settings
        return self._concurrency.slot(
            Share.of_principal(
                request.principal, limit=settings.max_concurrent_turns_per_person, refusal=TooManyAtOnce
            ),
            Share(kind="address", key=request.network, limit=settings.turns_per_address, refusal=AddressBusy),
        )

    def _replay(self, request: TurnRequest) -> Answered | None:
        """The answer that this request got before. Transaction one looks again, under the conversation's lock."""
        if request.idempotency_key is None:
            return None
        with self._transaction(request.principal) as db:
            request.adapter.authenticate(db)
            known = _find_replay(db, request)
        return None if known is None or known.turn.state is TurnState.INTERRUPTED else known

    def _record(self, request: TurnRequest) -> Attempt | Answered:
        """A new turn, or another attempt at the one that the same request left without an answer."""
        adapter, key = request.adapter, request.key
        reservation_id = None
        with self._transaction(request.principal) as db:
            if key.key is not None:  # its row refers to the principal, which is locked before the conversation
                adapter.authenticate(db, for_key_share=True)
            context = adapter.lock(db, request.conversation_id)
            if known := _find_replay(db, request):
                interrupted = known.turn.state is TurnState.INTERRUPTED
                return self._new_attempt(db, request, context, turn_id=known.turn.id) if interrupted else known
            message = adapter.message_of(context, request.text)
            demand = self._demand(request, context, message)
            if key.key is None and demand is None:
                commit_with_next(db)
            added = store.add(
                db,
                conversation_id=request.conversation_id,
                message=message,
                lease=self._lease,
                max_turns=self._settings.history_max_turns,
            )
            if added is not None:
                reservation_id = self._reserve(db, request, demand)
                idempotency_store.remember(db, key, turn_id=added[0])
        turn_id, history = added or self._refuse(request)
        return Attempt(
            turn_id=turn_id,
            number=1,
            conversation_id=request.conversation_id,
            message=message,
            history=history,
            context=context,
            reservation_id=reservation_id,
        )

    def _demand(self, request: TurnRequest, context: object, message: str) -> Demand | None:
        return request.adapter.demand(context, message) if self._ledger.has_limits else None

    def _reserve(self, db: Connection, request: TurnRequest, demand: Demand | None) -> int | None:
        """Reserve last of all, as everything that the principal reserves waits for the end of ``db`` from then on."""
        if demand is None:
            return None
        return self._ledger.reserve(db, principal_id=request.principal.id, demand=demand)

    def _refuse(self, request: TurnRequest) -> NoReturn:
        """Say until when the turn that is in the way may take."""
        with self._transaction(request.principal) as db:
            store.require_idle(db, conversation_id=request.conversation_id)
        raise TurnInProgress(retry_after_s=1)  # it has ended since

    def _retry(self, request: TurnRequest) -> Attempt:
        with self._transaction(request.principal) as db:
            context = request.adapter.lock(db, request.conversation_id)
            return self._new_attempt(db, request, context, turn_id=request.retried_turn_id or 0)

    def _new_attempt(self, db: Connection, request: TurnRequest, context: object, *, turn_id: int) -> Attempt:
        """Another attempt at a turn of a locked conversation: it is pending again, from now."""
        turn = store.retry(db, conversation_id=request.conversation_id, turn_id=turn_id, lease=self._lease)
        history = store.get_history(
            db,
            conversation_id=request.conversation_id,
            before=turn_id,
            max_turns=self._settings.history_max_turns,
        )
        return Attempt(
            turn_id=turn_id,
            number=turn.attempt,
            conversation_id=request.conversation_id,
            message=turn.message,
            history=history,
            context=context,
            reservation_id=self._reserve(db, request, self._demand(request, context, turn.message)),
        )


def _find_replay(db: Connection, request: TurnRequest) -> Answered | None:
    """What this request got when it came before: its answer, or the turn that was left without one."""
    turn_id = idempotency_store.find_turn_id(db, request.key)
    if turn_id is None:
        return None
    turn = store.get_or_raise(db, conversation_id=request.conversation_id, turn_id=turn_id)
    if turn.state is TurnState.PENDING:
        raise SameRequestRunning(retry_after_s=1)
    return Answered(turn=turn, is_replay=True)
