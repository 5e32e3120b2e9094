"""What it costs that other replicas know of running turns, and how late they and the owner's stop are.

Two replicas in one process, each with connections of its own, over PostgreSQL that waits for the disk: one runs
:data:`STREAMS` turns whose logs grow by :data:`PIECES_PER_S` pieces a second, the other one follows some of them.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from uuid import UUID, uuid4

from sqlalchemy import text

from maverik_backend.core.database import Database
from maverik_backend.core.deadline import Deadline
from maverik_backend.services.turns import store
from maverik_backend.services.turns.events import TextDelta, text_of
from maverik_backend.services.turns.following import Follower
from maverik_backend.services.turns.heartbeat import INTERVAL_S, Heartbeat
from maverik_backend.services.turns.running import RunningTurn, RunningTurns
from tests.bench.figures import Figure, Result
from tests.bench.stage import Stage

STREAMS = 400
PIECES_PER_S = 20
PIECE = TextDelta(text="presupuesto ")
BEATS = 100
TRIES = 100
PATIENCE_S = 20.0
# Shares of a beat's interval, spread evenly (multiples of the golden ratio): a request comes at any moment of a beat.
_moments = (0.618034 * number % 1 for number in count(1))

_ADD_TURNS = """
    INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, proceso_id, vence)
    SELECT id, 'hola', :process, now() + interval '10 minutes' FROM sesion_asesoria
    WHERE id = ANY(:sessions) RETURNING id
"""
_REMOVE_TURNS = "DELETE FROM sesion_asesoria_detalle WHERE id = ANY(:ids)"


class _Replica:
    """Turns that a process runs, and its heartbeat."""

    def __init__(self, database: Database) -> None:
        self.process_id = uuid4()
        self.running = RunningTurns()
        self.heartbeat = Heartbeat(transaction=database.transaction, process_id=self.process_id, running=self.running)


def progress(stage: Stage) -> Result:
    with ExitStack() as stack:
        here, elsewhere = (stack.enter_context(stage.database()) for _ in range(2))
        replica = _Replica(here)
        turns = [
            stack.enter_context(_registered(replica.running, turn_id))
            for turn_id in _add_turns(here, stage, process_id=replica.process_id)
        ]
        beats = _measure_beats(replica.heartbeat, turns, rounds=stage.rounds(BEATS))
        replica.heartbeat.ensure_beating()
        stack.callback(replica.heartbeat.stop)
        follower = Follower(transaction=elsewhere.transaction)
        stack.callback(follower.stop)
        followed = _measure_following(follower, turns, tries=stage.rounds(TRIES))
        stopped = _measure_stopping(elsewhere, turns, tries=stage.rounds(TRIES))
        _remove_turns(elsewhere, turns)
    return Result(
        figures=[
            Figure(
                title=f"a heartbeat at {STREAMS} streams, processor",
                value=statistics.median(beats),
                unit="ms",
                at_most=10,
            ),
            Figure(title="heartbeats a second, one statement each", value=1 / INTERVAL_S, at_most=4),
            Figure(
                title="text of a turn on another replica, after subscribing, p95",
                value=_p95(followed),
                unit="ms",
                at_most=400,
            ),
            Figure(title="a stop asked of another replica, p95", value=_p95(stopped), unit="ms", at_most=500),
        ],
        details={"beats_ms": beats, "followed_ms": followed, "stopped_ms": stopped},
    )


def _add_turns(database: Database, stage: Stage, *, process_id: UUID) -> Sequence[int]:
    """Pending turns of so many sessions, as accepting them leaves them."""
    sessions = [person.session_id for person in stage.people[:STREAMS]]
    with database.transaction() as db:
        return db.execute(text(_ADD_TURNS), {"process": process_id, "sessions": sessions}).scalars().all()


def _remove_turns(database: Database, turns: Sequence[RunningTurn]) -> None:
    """Leave the sessions idle for what is measured next."""
    with database.transaction() as db:
        db.execute(text(_REMOVE_TURNS), {"ids": [turn.turn_id for turn in turns]})


@contextmanager
def _registered(running: RunningTurns, turn_id: int) -> Iterator[RunningTurn]:
    turn = RunningTurn(turn_id=turn_id, attempt=1, deadline=Deadline.after(600))
    with running.registered(turn):
        yield turn


def _measure_beats(heartbeat: Heartbeat, turns: Sequence[RunningTurn], *, rounds: int) -> list[float]:
    """Milliseconds of this thread's processor time for each beat, when every log has grown."""
    took: list[float] = []
    for _ in range(rounds):
        for turn in turns:
            for _ in range(int(PIECES_PER_S * INTERVAL_S)):
                turn.log.append(PIECE)
        began = time.thread_time()
        heartbeat.beat()
        took.append((time.thread_time() - began) * 1000)
    return took


def _measure_following(follower: Follower, turns: Sequence[RunningTurn], *, tries: int) -> list[float]:
    """Milliseconds from the subscription on another replica to the text that the turn has so far."""
    took: list[float] = []
    for turn in turns[:tries]:
        time.sleep(INTERVAL_S * next(_moments))
        began = time.monotonic()
        log = follower.follow(turn_id=turn.turn_id, attempt=turn.attempt)
        until = began + PATIENCE_S
        while not text_of(log.read()):
            assert time.monotonic() < until
            time.sleep(0.001)
        took.append((time.monotonic() - began) * 1000)
    return took


def _measure_stopping(elsewhere: Database, turns: Sequence[RunningTurn], *, tries: int) -> list[float]:
    """Milliseconds from the request on another replica to the cancellation in the one that runs the turn."""
    took: list[float] = []
    for turn in turns[:tries]:
        stopped = threading.Event()
        time.sleep(INTERVAL_S * next(_moments))
        with turn.deadline.cancellation.calling(stopped.set):
            began = time.monotonic()
            with elsewhere.transaction() as db:
                store.request_stop(db, turn_id=turn.turn_id)
            assert stopped.wait(PATIENCE_S)
            took.append((time.monotonic() - began) * 1000)
    return took


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
