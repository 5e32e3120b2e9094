"""Leases, heartbeats and followers against a real database: what other processes learn of running turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from maverik_backend.core.database import Database
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.principal import Principal
from maverik_backend.errors import DatabaseUnavailable, Interrupted, NotFound
from maverik_backend.models import TurnState
from maverik_backend.services.turns import store
from maverik_backend.services.turns.events import Failed, Finished, Started, TextDelta, TurnEvent
from maverik_backend.services.turns.following import Follower
from maverik_backend.services.turns.heartbeat import LEASE, Heartbeat
from maverik_backend.services.turns.running import RunningTurn, RunningTurns

PERSON = "INSERT INTO usuario (email, clave_hash) VALUES ('ana@example.com', 'x') RETURNING id"
SESSION = "INSERT INTO sesion_asesoria (usuario_id) VALUES (:person) RETURNING id"
TURN = """
    INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, proceso_id, vence, fecha_intento)
    VALUES (:session, 'hola', :process, now() + :lease, now() - interval '1 minute') RETURNING id
"""


class Process:
    """A server process as other ones see it: what it runs, and its heartbeat."""

    def __init__(self, database: Database) -> None:
        self.id = uuid4()
        self.running = RunningTurns()
        self.is_cut_off = False
        self.heartbeat = Heartbeat(transaction=self._transaction, process_id=self.id, running=self.running)
        self._database = database

    @contextmanager
    def _transaction(self, principal: Principal | None = None, /) -> Iterator[Connection]:
        if self.is_cut_off:
            raise DatabaseUnavailable("cut off")
        with self._database.transaction(principal) as db:
            yield db


class Rows:
    """Turns of one person's session."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        person = connection.scalar(text(PERSON))
        self.session: int = connection.execute(text(SESSION), {"person": person}).scalar_one()

    def add(self, process: UUID, *, lease: timedelta = LEASE) -> RunningTurn:
        """A pending turn that ``process`` accepted, with ``lease`` of its own left."""
        values = {"session": self.session, "process": process, "lease": lease}
        turn_id = self._connection.execute(text(TURN), values).scalar_one()
        return RunningTurn(turn_id=turn_id, attempt=1, deadline=Deadline.after(60))

    def change(self, turn: RunningTurn, **values: str) -> None:
        """``values`` are SQL."""
        assignments = ", ".join(f"{name} = {value}" for name, value in values.items())
        statement = f"UPDATE sesion_asesoria_detalle SET {assignments} WHERE id = :id"  # noqa: S608 - the test's own
        self._connection.execute(text(statement), {"id": turn.turn_id})

    def state(self, turn: RunningTurn) -> TurnState:
        return store.get_or_raise(self._connection, conversation_id=self.session, turn_id=turn.turn_id).state

    def chunks(self) -> list[Any]:
        query = "SELECT turno_id, intento, numero, jsonb_array_length(eventos) FROM turno_fragmento ORDER BY numero"
        return [tuple(row) for row in self._connection.execute(text(query))]

    def forget(self, what: str) -> None:
        self._connection.execute(text(what))


@pytest.fixture
def rows(connection: Connection) -> Rows:
    return Rows(connection)


@pytest.fixture
def process(database: Database) -> Process:
    return Process(database)


@pytest.fixture
def follow(database: Database) -> Callable[[RunningTurn], tuple[Follower, Callable[[], list[TurnEvent]]]]:
    """``follower, events = follow(turn)``: a follower that polls when it is told to, and what its reader has."""

    def begin(turn: RunningTurn) -> tuple[Follower, Callable[[], list[TurnEvent]]]:
        follower = Follower(transaction=database.transaction, polls_by_itself=False)
        log = follower.follow(turn_id=turn.turn_id, attempt=turn.attempt)
        return follower, lambda: list(log.read())

    return begin


def say(turn: RunningTurn, *words: str) -> None:
    for word in words:
        turn.log.append(TextDelta(text=word))


def text_of(events: list[TurnEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


class TestLease:
    def test_a_turn_runs_as_long_as_its_own_lease_or_that_of_its_process(self, rows: Rows, process: Process) -> None:
        over = timedelta(seconds=-1)
        fresh, unknown = rows.add(process.id), rows.add(uuid4(), lease=over)
        assert (rows.state(fresh), rows.state(unknown)) == (TurnState.PENDING, TurnState.INTERRUPTED)

    def test_a_beat_keeps_what_its_process_runs(self, rows: Rows, process: Process) -> None:
        turn = rows.add(process.id, lease=timedelta(seconds=0))
        with process.running.registered(turn):
            process.heartbeat.beat()

        rows.change(turn, vence="fecha_intento")
        assert rows.state(turn) is TurnState.PENDING

    def test_a_beat_does_not_keep_what_its_process_does_not_run(self, rows: Rows, process: Process) -> None:
        lost, running = rows.add(process.id), rows.add(process.id)
        rows.change(lost, vence="now() - interval '1 second'", fecha_intento="now() - interval '9 seconds'")

        with process.running.registered(running):
            process.heartbeat.beat()

        assert (rows.state(lost), rows.state(running)) == (TurnState.INTERRUPTED, TurnState.PENDING)

    def test_a_turn_that_a_release_without_leases_retries_counts_as_running(self, rows: Rows, process: Process) -> None:
        turn = rows.add(process.id)
        rows.change(turn, vence="now() - interval '1 hour'", fecha_intento="now()", intento="intento + 1")

        assert rows.state(turn) is TurnState.PENDING


class TestEnding:
    @pytest.mark.parametrize(
        "change",
        [{"detener": "now()"}, {"intento": "2"}, {"estado": "'completada'", "texto_sistema": "'x'"}],
        ids=["stopped by its owner", "superseded by a later attempt", "answered"],
    )
    def test_what_is_to_end_is_cancelled_with_the_next_beat(
        self, rows: Rows, process: Process, change: dict[str, str]
    ) -> None:
        turn, other = rows.add(process.id), rows.add(process.id)
        rows.change(turn, **change)

        with process.running.registered(turn), process.running.registered(other):
            process.heartbeat.beat()

        assert (turn.deadline.is_cancelled, other.deadline.is_cancelled) == (True, False)

    def test_a_deleted_one_too_and_nothing_it_said_is_left(self, rows: Rows, process: Process) -> None:
        turn = rows.add(process.id)
        with process.running.registered(turn):
            say(turn, "uno ")
            process.heartbeat.beat()
            rows.forget("DELETE FROM sesion_asesoria_detalle")
            process.heartbeat.beat()
            assert turn.deadline.is_cancelled
        process.heartbeat.stop()

        assert rows.chunks() == []


class TestEvents:
    def test_a_beat_stores_what_is_new(self, rows: Rows, process: Process) -> None:
        turn = rows.add(process.id)
        with process.running.registered(turn):
            for words in (["uno ", "dos "], [], ["tres"]):
                say(turn, *words)
                process.heartbeat.beat()

            assert rows.chunks() == [(turn.turn_id, 1, 0, 2), (turn.turn_id, 1, 2, 1)]

    def test_a_turn_that_says_nothing_costs_no_chunk(self, rows: Rows, process: Process) -> None:
        turn = rows.add(process.id)
        with process.running.registered(turn):
            process.heartbeat.beat()

        assert rows.chunks() == []

    def test_those_of_an_ended_attempt_are_removed_and_no_others(self, rows: Rows, process: Process) -> None:
        ended, running = rows.add(process.id), rows.add(process.id)
        with process.running.registered(running):
            say(running, "sigo")
            with process.running.registered(ended):
                say(ended, "uno")
                process.heartbeat.beat()
            process.heartbeat.beat()

            assert rows.chunks() == [(running.turn_id, 1, 0, 1)]

    def test_after_a_beat_that_failed_everything_is_stored_again(self, rows: Rows, process: Process) -> None:
        turn = rows.add(process.id)
        with process.running.registered(turn):
            say(turn, "uno ")
            process.heartbeat.beat()
            rows.forget("DELETE FROM turno_fragmento")  # as a crash of PostgreSQL does
            process.is_cut_off = True
            with pytest.raises(DatabaseUnavailable):
                process.heartbeat.beat()
            process.is_cut_off = False
            say(turn, "dos")
            process.heartbeat.beat()

            assert rows.chunks() == [(turn.turn_id, 1, 0, 2)]


class TestFollowing:
    def test_it_begins_at_once(self, rows: Rows, process: Process, follow: Any) -> None:
        turn = rows.add(process.id)
        _, events = follow(turn)

        assert events() == [Started(turn_id=turn.turn_id, attempt=1)]

    def test_it_goes_on_with_each_beat_and_ends_with_what_is_stored(
        self, rows: Rows, process: Process, follow: Any
    ) -> None:
        turn = rows.add(process.id)
        follower, events = follow(turn)
        with process.running.registered(turn):
            say(turn, "uno ", "dos ")
            process.heartbeat.beat()
            follower.poll()
            assert text_of(events()) == "uno dos "
            say(turn, "tres")
        rows.change(turn, estado="'completada'", texto_sistema="'uno dos tres'", fuentes="'[\"Ahorro\"]'")
        follower.poll()

        assert text_of(events()) == "uno dos tres"
        assert isinstance(events()[-1], Finished)

    def test_it_shows_nothing_behind_a_gap(self, rows: Rows, process: Process, follow: Any) -> None:
        turn = rows.add(process.id)
        follower, events = follow(turn)
        with process.running.registered(turn):
            say(turn, "uno ")
            process.heartbeat.beat()
            rows.forget("DELETE FROM turno_fragmento")
            say(turn, "dos ")
            process.heartbeat.beat()
            follower.poll()
            assert text_of(events()) == ""
        rows.change(turn, estado="'completada'", texto_sistema="'uno dos tres'")
        follower.poll()

        assert text_of(events()) == "uno dos tres"

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"vence": "fecha_intento", "proceso_id": "NULL"}, Interrupted),
            ({"intento": "2"}, Interrupted),
        ],
        ids=["its lease ran out", "a later attempt began"],
    )
    def test_its_readers_are_told_when_it_is_over(
        self, rows: Rows, process: Process, follow: Any, change: dict[str, str], error: type[Exception]
    ) -> None:
        turn = rows.add(process.id)
        follower, events = follow(turn)
        rows.change(turn, **change)
        rows.change(turn, vence="vence - interval '1 minute'", fecha_intento="fecha_intento - interval '1 minute'")

        follower.poll()

        last = events()[-1]
        assert isinstance(last, Failed)
        assert isinstance(last.error, error)

    def test_a_deleted_one_is_not_found(self, rows: Rows, process: Process, follow: Any) -> None:
        turn = rows.add(process.id)
        follower, events = follow(turn)
        rows.forget("DELETE FROM sesion_asesoria_detalle")

        follower.poll()

        last = events()[-1]
        assert isinstance(last, Failed)
        assert isinstance(last.error, NotFound)

    def test_one_of_a_release_without_leases_goes_on(self, rows: Rows, process: Process, follow: Any) -> None:
        turn = rows.add(process.id)
        rows.change(turn, vence="NULL", proceso_id="NULL")
        follower, events = follow(turn)

        follower.poll()

        assert events() == [Started(turn_id=turn.turn_id, attempt=1)]

    def test_a_later_attempt_has_a_log_of_its_own(self, rows: Rows, process: Process, follow: Any) -> None:
        turn = rows.add(process.id)
        follower, events = follow(turn)
        rows.change(turn, intento="2")
        later = follower.follow(turn_id=turn.turn_id, attempt=2)

        follower.poll()

        assert isinstance(events()[-1], Failed)
        assert list(later.read()) == [Started(turn_id=turn.turn_id, attempt=2)]
