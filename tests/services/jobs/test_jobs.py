"""Jobs of any kind: claimed once, in order within a subject, retried, dead, and what operators do with them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import structlog
from pydantic import BaseModel
from sqlalchemy import Connection, Engine, text

from maverik_backend.core.database import Database, make_engine
from maverik_backend.core.metrics import Metrics
from maverik_backend.core.security import Keyring, Purpose, generate_paserk
from maverik_backend.errors import DatabaseUnavailable, UpstreamTimeout
from maverik_backend.models import JobState
from maverik_backend.services.jobs import (
    OPEN,
    Attempt,
    Backlog,
    Job,
    JobKind,
    JobRunner,
    backlogs,
    discard,
    enqueue,
    find,
    retry,
)
from maverik_backend.settings import Settings
from tests.support.scrape import value


class Note(BaseModel):
    said: str


class NoteJob(JobKind[Note]):
    """Remembers what it ran; raises what it is told to, in order."""

    name = "nota"
    sealed_as: ClassVar[Purpose | None] = None
    retry_delays: ClassVar[Sequence[timedelta]] = (timedelta(seconds=10), timedelta(minutes=5))
    permanent_errors = (KeyError,)

    def __init__(self, *failures: Exception | None, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.timeout_s = 5.0
        self.failures = list(failures)
        self.ran: list[str] = []
        self.attempts: list[Attempt] = []
        self.meanwhile = meanwhile

    def parse(self, content: str) -> Note:
        return Note.model_validate_json(content)

    def run(self, payload: Note, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        self.meanwhile()
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        self.ran.append(payload.said)


class SealedJob(NoteJob):
    name = "sellado"
    sealed_as = Purpose.MAIL


MakeRunner = Callable[..., JobRunner]


@pytest.fixture(scope="module")
def keyring() -> Keyring:
    return Keyring([generate_paserk()])


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def make_runner(database: Database, keyring: Keyring, metrics: Metrics) -> MakeRunner:
    def make(*kinds: NoteJob, database: Database = database) -> JobRunner:
        return JobRunner(transaction=database.transaction, kinds=kinds, keyring=keyring, metrics=metrics)

    return make


@pytest.fixture
def add(database: Database, keyring: Keyring) -> Callable[..., None]:
    """``add("one", "two", subject="s")``: a job each, in one transaction each."""

    def enqueue_each(*said: str, kind: type[NoteJob] = NoteJob, database: Database = database, **options: Any) -> None:
        for one in said:
            with database.transaction() as db:
                enqueue(db, kind, Note(said=one), keyring=keyring, **options)

    return enqueue_each


Add = Callable[..., None]


@pytest.fixture
def own_engine(own_database: Settings) -> Iterator[Engine]:
    engine = make_engine(own_database)
    yield engine
    engine.dispose()


@pytest.fixture
def shared_database(own_engine: Engine) -> Database:
    """A database that several connections see."""
    return Database(own_engine)


def jobs_of(database: Database, *states: JobState) -> tuple[Job, ...]:
    with database.transaction() as db:
        return find(db, kind=None, states=states or tuple(JobState), limit=1000)


def only_job(database: Database) -> Job:
    (job,) = jobs_of(database)
    return job


def make_due(connection: Connection) -> None:
    connection.execute(text("UPDATE trabajo SET proximo_intento = now(), vence = NULL, proceso = NULL"))


class TestEnqueue:
    def test_it_is_due_at_once(self, add: Add, make_runner: MakeRunner, database: Database) -> None:
        add("hola")
        kind = NoteJob()

        assert make_runner(kind).run_due() == 1
        assert kind.ran == ["hola"]
        assert only_job(database).state is JobState.DONE

    def test_a_sealed_kind_is_not_readable_at_rest(
        self, add: Add, make_runner: MakeRunner, connection: Connection
    ) -> None:
        add("mi secreto", kind=SealedJob)
        kind = SealedJob()

        assert "secreto" not in str(connection.execute(text("SELECT * FROM trabajo")).one())
        make_runner(kind).run_due()
        assert kind.ran == ["mi secreto"]

    def test_a_payload_is_erased_once_the_job_is_done(
        self, add: Add, make_runner: MakeRunner, connection: Connection
    ) -> None:
        add("hola")

        make_runner(NoteJob()).run_due()

        assert connection.scalar(text("SELECT carga FROM trabajo")) is None

    def test_it_is_deleted_with_its_principal(self, add: Add, database: Database, connection: Connection) -> None:
        person = connection.scalar(text("INSERT INTO usuario (email, clave_hash) VALUES ('a@b.ar', 'x') RETURNING id"))
        add("suyo", principal_id=person)
        add("de nadie")

        connection.execute(text("DELETE FROM usuario WHERE id = :id"), {"id": person})

        (left,) = jobs_of(database)
        assert left.state is JobState.PENDING

    def test_a_principal_that_was_deleted_concurrently_is_stored_as_none(
        self, add: Add, connection: Connection
    ) -> None:
        add("hola", principal_id=2**40)

        assert connection.execute(text("SELECT principal_id FROM trabajo")).one() == (None,)


class TestAttempts:
    def test_the_idempotency_key_is_the_same_in_each_attempt_and_unique_to_the_job(
        self, add: Add, make_runner: MakeRunner, connection: Connection
    ) -> None:
        add("uno", "dos")
        kind = NoteJob(UpstreamTimeout("x"), UpstreamTimeout("x"))
        for _ in range(2):
            make_runner(kind).run_due()
            make_due(connection)

        keys = [(attempt.job_id, attempt.idempotency_key) for attempt in kind.attempts]
        assert len(keys) == 4
        assert len(set(keys)) == len({key for _, key in keys}) == 2
        assert sorted(attempt.number for attempt in kind.attempts) == [1, 1, 2, 2]

    @pytest.mark.parametrize(
        ("failure", "state", "error"),
        [
            (UpstreamTimeout("x"), JobState.PENDING, "timeout"),
            (DatabaseUnavailable(), JobState.PENDING, "DatabaseUnavailable"),
            (RuntimeError("mi secreto"), JobState.PENDING, "defect"),
            (KeyError("mi secreto"), JobState.DEAD, "KeyError"),
        ],
        ids=lambda one: type(one).__name__,
    )
    def test_what_a_handler_raises_decides_whether_it_is_retried(
        self, add: Add, make_runner: MakeRunner, database: Database, failure: Exception, state: JobState, error: str
    ) -> None:
        add("hola")
        with structlog.testing.capture_logs() as lines:
            assert make_runner(NoteJob(failure)).run_due() == 0

        job = only_job(database)
        assert (job.state, job.error, job.attempts) == (state, error, 1)
        assert "secreto" not in str(lines)

    def test_each_failure_waits_as_the_kind_says_and_the_last_one_kills(
        self, add: Add, make_runner: MakeRunner, database: Database, connection: Connection
    ) -> None:
        add("hola")
        runner = make_runner(NoteJob(*[UpstreamTimeout("x")] * 3))
        for delay in NoteJob.retry_delays:
            runner.run_due()
            wait = only_job(database).next_attempt - datetime.now(UTC)
            assert abs(wait - delay) < timedelta(seconds=9)
            make_due(connection)
        runner.run_due()

        assert (only_job(database).state, only_job(database).attempts) == (JobState.DEAD, 3)

    def test_no_connection_is_held_while_a_job_runs(
        self, add: Add, make_runner: MakeRunner, shared_database: Database, own_engine: Engine
    ) -> None:
        held: list[int] = []
        kind = NoteJob(meanwhile=lambda: held.append(own_engine.pool.checkedout()))  # type: ignore[attr-defined]
        add("hola", database=shared_database)

        make_runner(kind, database=shared_database).run_due()

        assert held == [0]

    def test_jobs_of_kinds_that_a_process_does_not_know_are_left_alone(
        self, add: Add, make_runner: MakeRunner, database: Database
    ) -> None:
        add("hola", kind=SealedJob)

        assert make_runner(NoteJob()).run_due() == 0
        assert only_job(database).attempts == 0

    def test_they_are_counted_by_kind_and_outcome(self, add: Add, make_runner: MakeRunner, metrics: Metrics) -> None:
        add("uno", "dos", "tres")

        make_runner(NoteJob(UpstreamTimeout("x"), KeyError(), None)).run_due()

        page = metrics.render().decode()
        for outcome in ("succeeded", "retried", "died"):
            assert value(page, "maverik_job_attempts_total", kind="nota", outcome=outcome) == 1


class TestOrder:
    def test_a_later_job_of_a_subject_waits_for_an_earlier_one_that_failed(
        self, add: Add, make_runner: MakeRunner, connection: Connection
    ) -> None:
        add("a1", "a2", subject="a")
        add("b1", subject="b")
        add("sin orden")
        kind = NoteJob(UpstreamTimeout("x"))
        runner = make_runner(kind)

        runner.run_due()
        assert kind.ran == ["b1", "sin orden"]

        make_due(connection)
        runner.run_due()
        assert kind.ran == ["b1", "sin orden", "a1", "a2"]

    def test_it_does_not_wait_for_one_that_is_dead(self, add: Add, make_runner: MakeRunner) -> None:
        add("a1", "a2", subject="a")
        kind = NoteJob(KeyError())

        make_runner(kind).run_due()

        assert kind.ran == ["a2"]

    def test_it_waits_for_one_of_another_kind(self, add: Add, make_runner: MakeRunner) -> None:
        add("a1", subject="a", kind=SealedJob)
        add("a2", subject="a")
        kind, sealed = NoteJob(), SealedJob()

        assert make_runner(kind).run_due() == 0
        make_runner(sealed).run_due()
        assert make_runner(kind).run_due() == 1

    def test_it_waits_for_one_that_another_process_runs(
        self, add: Add, make_runner: MakeRunner, shared_database: Database
    ) -> None:
        other = NoteJob()
        ran_meanwhile: list[int] = []
        add("a1", "a2", subject="a", database=shared_database)
        other_runner = make_runner(other, database=shared_database)
        kind = NoteJob(meanwhile=lambda: ran_meanwhile.append(other_runner.run_due()))

        make_runner(kind, database=shared_database).run_next()

        assert ran_meanwhile == [0]
        assert other_runner.run_due() == 1
        assert (kind.ran, other.ran) == (["a1"], ["a2"])

    def test_ids_of_a_subject_follow_the_order_of_commits(
        self, shared_database: Database, make_runner: MakeRunner, keyring: Keyring, own_engine: Engine
    ) -> None:
        """The second transaction waits for the first; else its job could commit, and run, before an earlier id."""

        def enqueue_second() -> None:
            with shared_database.transaction() as db:
                enqueue(db, NoteJob, Note(said="segundo"), keyring=keyring, subject="a")

        second = threading.Thread(target=enqueue_second)
        with shared_database.transaction() as db:
            enqueue(db, NoteJob, Note(said="primero"), keyring=keyring, subject="a")
            second.start()
            wait_for_advisory_lock(own_engine)
            kind = NoteJob()
            assert make_runner(kind, database=shared_database).run_due() == 0
        second.join()

        make_runner(kind, database=shared_database).run_due()
        assert kind.ran == ["primero", "segundo"]

    def test_many_workers_keep_the_order_of_every_subject(
        self, add: Add, make_runner: MakeRunner, shared_database: Database
    ) -> None:
        for number in range(8):
            for subject in "abcd":
                add(f"{subject}{number}", subject=subject, database=shared_database)
        ran: list[str] = []
        lock = threading.Lock()

        class SharedJob(NoteJob):
            def run(self, payload: Note, attempt: Attempt) -> None:
                del attempt
                with lock:
                    ran.append(payload.said)

        stop = threading.Event()

        def work() -> None:
            runner = make_runner(SharedJob(), database=shared_database)
            while not stop.is_set():
                runner.run_next()
                if len(ran) == 32:
                    stop.set()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        stop.set()

        assert len(ran) == 32
        for subject in "abcd":
            assert [one for one in ran if one[0] == subject] == [f"{subject}{number}" for number in range(8)]


def wait_for_advisory_lock(engine: Engine) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")
    waiting = 0
    while not waiting:
        assert datetime.now(UTC) < deadline
        with engine.connect() as connection:
            waiting = connection.scalar(query) or 0


class TestOperators:
    @pytest.fixture
    def dead(self, add: Add, make_runner: MakeRunner, database: Database) -> Job:
        add("hola", description="Una nota")
        make_runner(NoteJob(KeyError())).run_due()
        return only_job(database)

    def test_a_dead_job_is_done_when_it_is_retried(
        self, dead: Job, database: Database, make_runner: MakeRunner
    ) -> None:
        kind = NoteJob()
        with database.transaction() as db:
            assert retry(db, ids=[dead.id], kind=None) == (dead.id,)

        assert make_runner(kind).run_due() == 1
        assert kind.ran == ["hola"]
        assert [attempt.number for attempt in kind.attempts] == [1]

    def test_a_waiting_job_is_due_when_it_is_retried(
        self, add: Add, make_runner: MakeRunner, database: Database
    ) -> None:
        add("hola")
        runner = make_runner(NoteJob(UpstreamTimeout("x")))
        assert [runner.run_due(), runner.run_due()] == [0, 0]
        with database.transaction() as db:
            retry(db, ids=[only_job(database).id], kind=None)

        assert runner.run_due() == 1

    def test_a_discarded_job_is_never_done_and_its_payload_is_erased(
        self, dead: Job, database: Database, make_runner: MakeRunner, connection: Connection
    ) -> None:
        with database.transaction() as db:
            assert discard(db, ids=[dead.id], kind=None) == (dead.id,)
            assert retry(db, ids=[dead.id], kind=None) == ()

        assert make_runner(NoteJob()).run_due() == 0
        assert connection.execute(text("SELECT estado, carga FROM trabajo")).one() == ("descartado", None)

    def test_a_kind_means_its_dead_jobs(self, dead: Job, add: Add, database: Database) -> None:
        add("espera")
        add("de otro tipo", kind=SealedJob)

        with database.transaction() as db:
            assert discard(db, ids=[], kind="sellado") == ()
            assert discard(db, ids=[], kind="nota") == (dead.id,)

    def test_a_running_job_is_left_alone(self, add: Add, make_runner: MakeRunner, database: Database) -> None:
        changed: list[tuple[int, ...]] = []

        def try_both() -> None:
            job = only_job(database)
            assert job.is_running
            with database.transaction() as db:
                changed.extend([retry(db, ids=[job.id], kind=None), discard(db, ids=[job.id], kind=None)])

        add("hola")
        make_runner(NoteJob(meanwhile=try_both)).run_due()

        assert changed == [(), ()]

    def test_they_see_jobs_by_kind_and_state_and_no_payload(self, dead: Job, add: Add, database: Database) -> None:
        add("mi secreto")
        with database.transaction() as db:
            both = find(db, kind="nota", states=OPEN, limit=10)
            assert find(db, kind="nota", states=[JobState.DEAD], limit=10) == (dead,)
            assert find(db, kind="sellado", states=OPEN, limit=10) == ()
            assert find(db, kind=None, states=OPEN, limit=1) == (dead,)

        assert len(both) == 2
        assert dead.description == "Una nota"
        assert "secreto" not in str(both)

    def test_backlogs_are_counted_by_kind(
        self, dead: Job, add: Add, database: Database, connection: Connection
    ) -> None:
        del dead
        add("espera", "espera también")
        connection.execute(text("UPDATE trabajo SET fecha_creacion = now() - interval '90 seconds'"))
        add("reciente", kind=SealedJob)

        with database.transaction() as db:
            found = backlogs(db)

        assert found["nota"] == Backlog(waiting=2, dead=1, oldest_waiting_s=90)
        assert (found["sellado"].waiting, found["sellado"].dead) == (1, 0)
