"""Statements on the wire: how often PostgreSQL is waited for, and that nothing else about pg8000 changed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import pytest
from sqlalchemy import Connection, CursorResult, Engine, event, text
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.clients.registry import Clients
from maverik_backend.core import postgres_driver
from maverik_backend.core.database import Database, commit_with_next, make_engine
from maverik_backend.core.postgres_driver import Numbered
from maverik_backend.core.principal import Principal, PrincipalKind
from maverik_backend.core.security import PasswordHasher
from maverik_backend.settings import Settings
from maverik_backend.web.resources import resources_of
from tests.support.fixtures.application import ScriptedAdvisor, ScriptedOptimizer
from tests.support.fixtures.people import delivering, sign_up_and_in


class CountingStream:
    """Counts how often something was sent: each time, the answer is waited for."""

    def __init__(self, stream: Any, count: Callable[[], None]) -> None:
        self.read, self.write = stream.read, stream.write
        self._stream = stream
        self._count = count

    def flush(self) -> None:
        self._count()
        self._stream.flush()


class RoundTrips:
    """How often PostgreSQL was waited for since it was last asked."""

    def __init__(self, engine: Engine) -> None:
        self._number = 0
        event.listen(engine, "checkout", self._watch)

    def take(self) -> int:
        number, self._number = self._number, 0
        return number

    def _watch(self, connection: Any, *_: object) -> None:
        if not isinstance(connection._sock, CountingStream):  # noqa: SLF001 - the wire itself
            connection._sock = CountingStream(connection._sock, self._count)  # noqa: SLF001

    def _count(self) -> None:
        self._number += 1


@pytest.fixture
def engine(own_database: Settings) -> Iterator[Engine]:
    engine = make_engine(own_database)
    yield engine
    engine.dispose()


@pytest.fixture
def real(engine: Engine) -> Database:
    """A database that really commits."""
    database = Database(engine)
    with database.transaction() as session:  # SQLAlchemy's own first questions
        session.execute(text("SELECT 1"))
    return database


@pytest.fixture
def trips(engine: Engine, real: Database) -> RoundTrips:
    del real
    return RoundTrips(engine)


class TestRoundTrips:
    def test_a_transaction_takes_one_for_each_statement_and_one_to_commit(
        self, real: Database, trips: RoundTrips
    ) -> None:
        with real.transaction() as session:
            session.execute(text("SELECT :n"), {"n": 1})
            session.execute(text("SELECT :n"), {"n": 2})

        assert trips.take() == 3

    def test_one_without_a_statement_takes_none(self, real: Database, trips: RoundTrips) -> None:
        with real.transaction():
            pass

        assert trips.take() == 0

    def test_one_that_fails_takes_one_more_to_go_back(self, real: Database, trips: RoundTrips) -> None:
        with pytest.raises(DBAPIError), real.transaction() as session:
            session.execute(text("SELECT :n FROM nowhere WHERE"), {"n": 1})

        assert trips.take() == 2

    def test_a_turn_takes_what_conversation_py_says(
        self,
        own_database: Settings,
        real: Database,
        trips: RoundTrips,
        mailbox: LocalMailbox,
        cheap_hasher: PasswordHasher,
    ) -> None:
        clients = Clients(advisor=ScriptedAdvisor(), optimizer=ScriptedOptimizer(), mail=mailbox)
        app = create_app(own_database, clients=clients, database=real, hasher=cheap_hasher)
        user = sign_up_and_in(TestClient(app), delivering(resources_of(app), mailbox))
        user.say(user.open_session(), "hola")  # what a process reads once
        session = user.open_session()["id"]

        def trips_of(**extra: str) -> int:
            trips.take()
            url = f"/copilot/sessions/{session}"
            assert user.post(url, {"input": "hola"}, headers=extra).status_code == 200
            return trips.take()

        assert trips_of() == 2 + 3
        assert trips_of() == 2 + 1
        assert trips_of(**{"Idempotency-Key": "una"}) == 3 + 6 + 1


def principal_seen(db: Connection) -> tuple[str | None, str | None]:
    """What a row-level-security policy would read."""
    row = db.execute(
        text("SELECT current_setting('app.principal_id', true), current_setting(:name, true)"),
        {"name": "app.principal_tipo"},
    ).one()
    return row[0], row[1]


class TestThePrincipalOfATransaction:
    OPERATOR = Principal(id=7, kind=PrincipalKind.OPERATOR)

    def test_is_read_inside_and_gone_after(self, real: Database) -> None:
        with real.transaction(self.OPERATOR) as db:
            assert principal_seen(db) == ("7", "operador")

        with real.transaction() as db:
            assert set(principal_seen(db)) <= {None, ""}

    def test_costs_no_round_trip(self, real: Database, trips: RoundTrips) -> None:
        with real.transaction(self.OPERATOR) as db:
            assert db.scalar(text("SELECT CAST(:n AS int)"), {"n": 1}) == 1

        assert trips.take() == 2

    def test_costs_none_before_a_statement_without_parameters(self, real: Database, trips: RoundTrips) -> None:
        with real.transaction() as db:
            db.execute(text("SELECT 1"))
        without = trips.take()

        with real.transaction(self.OPERATOR) as db:
            assert db.scalar(text("SELECT current_setting('app.principal_id')")) == "7"

        assert trips.take() == without

    def test_does_not_change_how_many_rows_a_statement_counts(self, real: Database) -> None:
        with real.transaction() as db:
            db.execute(text("CREATE TABLE counted AS SELECT generate_series(1, 3) AS n"))

        with real.transaction(self.OPERATOR) as db:
            result = db.execute(text("DELETE FROM counted WHERE n > :n"), {"n": 1})

        assert cast("CursorResult[Any]", result).rowcount == 2

    def test_is_not_left_to_the_next_by_one_without_a_statement(self, real: Database) -> None:
        with real.transaction(self.OPERATOR):
            pass

        with real.transaction() as db:
            assert set(principal_seen(db)) <= {None, ""}

    def test_is_not_left_to_the_next_by_one_that_fails(self, real: Database) -> None:
        with pytest.raises(DBAPIError), real.transaction(self.OPERATOR) as db:
            db.execute(text("SELECT 1 / :n"), {"n": 0})

        with real.transaction() as db:
            assert set(principal_seen(db)) <= {None, ""}

    def test_holds_for_a_connection_whose_outer_transaction_is_rolled_back(self, database: Database) -> None:
        with database.transaction(self.OPERATOR) as db:
            assert principal_seen(db) == ("7", "operador")


class Numbers:
    """A table of numbers."""

    def __init__(self, real: Database) -> None:
        self._real = real
        with real.transaction() as db:
            db.execute(text("CREATE TABLE numbers (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))

    def add(self, db: Connection, n: int, *, returning: str = "n") -> list[int]:
        """``returning`` is an SQL expression."""
        return list(db.scalars(text(f"INSERT INTO numbers VALUES (:n) RETURNING {returning}"), {"n": n}))  # noqa: S608 - ours

    def add_and_fail(self, *numbers: int, commits_with: int | None = None) -> None:
        """Add all in one transaction that ends with an error."""
        with suppress(RuntimeError), self._real.transaction() as db:
            for n in numbers:
                if n == commits_with:
                    commit_with_next(db)
                self.add(db, n)
            raise RuntimeError

    @property
    def stored(self) -> list[int]:
        with self._real.transaction() as db:
            return list(db.scalars(text("SELECT n FROM numbers ORDER BY n")))


class TestCommittingWithTheNextStatement:
    @pytest.fixture
    def numbers(self, real: Database) -> Numbers:
        return Numbers(real)

    def test_costs_no_round_trip_of_its_own(self, real: Database, numbers: Numbers, trips: RoundTrips) -> None:
        trips.take()

        with real.transaction(TestThePrincipalOfATransaction.OPERATOR) as db:
            numbers.add(db, 1)
            commit_with_next(db)
            said = numbers.add(db, 2, returning="current_setting('app.principal_id')::int + n")

        assert (trips.take(), said, numbers.stored) == (2, [7 + 2], [1, 2])

    def test_is_done_once_the_statement_is(self, numbers: Numbers) -> None:
        numbers.add_and_fail(1, 2, commits_with=2)

        assert numbers.stored == [1, 2]

    def test_commits_nothing_when_the_statement_fails(self, real: Database, numbers: Numbers) -> None:
        with suppress(DBAPIError), real.transaction() as db:
            numbers.add(db, 1)
            commit_with_next(db)
            numbers.add(db, 2, returning="n / 0")

        assert numbers.stored == []

    def test_a_commit_that_fails_is_an_error_of_the_statement(self, real: Database, numbers: Numbers) -> None:
        found: list[str] = []

        with suppress(DBAPIError), real.transaction() as db:
            numbers.add(db, 1)
            commit_with_next(db)
            try:
                numbers.add(db, 1)
            except DBAPIError as error:
                found.append(str(error.orig))
                raise

        assert len(found) == 1
        assert "23505" in found[0]
        assert numbers.stored == []

    def test_does_not_go_with_a_statement_without_parameters(self, real: Database, numbers: Numbers) -> None:
        with suppress(RuntimeError), real.transaction() as db:
            commit_with_next(db)
            db.execute(text("INSERT INTO numbers VALUES (1)"))
            numbers.add(db, 2)
            raise RuntimeError

        assert numbers.stored == []

    @pytest.mark.parametrize("error", [None, RuntimeError()], ids=["committed", "rolled back"])
    def test_is_not_left_to_the_next_transaction(
        self, real: Database, numbers: Numbers, error: Exception | None
    ) -> None:
        with suppress(RuntimeError), real.transaction() as db:
            commit_with_next(db)
            if error:
                raise error

        numbers.add_and_fail(1)

        assert numbers.stored == []

    def test_leaves_a_transaction_inside_another_one_to_that(self, database: Database) -> None:
        with database.transaction() as db:
            began = db.scalar(text("SELECT now()"))
            commit_with_next(db)
            db.execute(text("SELECT CAST(:n AS int)"), {"n": 1})

            assert db.scalar(text("SELECT now()")) == began


class TestReadOnlyTransactions:
    """What databases of other systems are read in."""

    @staticmethod
    def begin(db: Connection, settings: dict[str, str]) -> None:
        driver_connection: Any = db.connection.driver_connection
        driver_connection.read_only_with(settings)

    @contextmanager
    def reading(self, engine: Engine) -> Iterator[Connection]:
        with engine.begin() as db:
            self.begin(db, {"app.project_id": "uno"})
            yield db

    def test_refuse_to_write(self, engine: Engine) -> None:
        with pytest.raises(DBAPIError, match="25006"), self.reading(engine) as db:  # read_only_sql_transaction
            db.execute(text("CREATE TABLE written AS SELECT CAST(:n AS int) AS n"), {"n": 1})

    def test_have_their_settings_at_no_round_trip(self, real: Database, engine: Engine, trips: RoundTrips) -> None:
        with real.transaction() as db:
            db.scalar(text("SELECT CAST(:n AS int)"), {"n": 1})
        trips.take()

        with engine.begin() as db:
            self.begin(db, {"app.project_id": "uno", "statement_timeout": "1234"})
            name = {"name": "app.project_id"}
            assert db.scalar(text("SELECT current_setting(:name)"), name) == "uno"

        assert trips.take() == 2

    def test_leave_nothing_to_the_next(self, engine: Engine) -> None:
        with engine.begin() as db:
            self.begin(db, {"app.project_id": "uno"})
            db.scalar(text("SELECT CAST(:n AS int)"), {"n": 1})

        with engine.begin() as db:
            found = db.execute(
                text("SELECT current_setting(:name, true), current_setting('transaction_read_only')"),
                {"name": "app.project_id"},
            ).one()
        assert (found[0] or "", found[1]) == ("", "off")

    def test_that_have_no_statement_leave_nothing_to_the_next(self, engine: Engine) -> None:
        with engine.begin() as db:
            self.begin(db, {"app.project_id": "uno"})

        with engine.begin() as db:
            assert db.scalar(text("SELECT current_setting('transaction_read_only')")) == "off"

    @pytest.mark.parametrize("value", ["a'b", "a\\", "a;b", "ñ", "x" * 201, "a\nb"])
    def test_take_no_value_that_would_have_to_be_escaped(self, engine: Engine, value: str) -> None:
        with engine.begin() as db, pytest.raises(ValueError, match="cannot be set"):
            self.begin(db, {"app.project_id": value})

    def test_take_no_name_that_is_none(self, engine: Engine) -> None:
        with engine.begin() as db, pytest.raises(ValueError, match="cannot be set"):
            self.begin(db, {"app.x = 'y'; --": "z"})


class TestNumberedStatements:
    def test_are_sent_to_the_letter(self, engine: Engine) -> None:
        with engine.begin() as db:
            row = db.exec_driver_sql(Numbered("SELECT '%s %% :x' , 7 % CAST($1 AS int), '--'"), (4,)).one()

        assert tuple(row) == ("%s %% :x", 3, "--")

    def test_can_be_one_statement_only(self, engine: Engine) -> None:
        with pytest.raises(DBAPIError, match="42601"), engine.begin() as db:
            db.exec_driver_sql(Numbered("SELECT CAST($1 AS int); SELECT 2"), (1,))


class TestStatements:
    @pytest.mark.parametrize("value", ["ñ 🤔 % %s $1 '\"\\", "", "x" * 100_000, None], ids=["odd", "", "long", "null"])
    def test_any_text_arrives_as_it_was_sent(self, real: Database, value: str | None) -> None:
        with real.transaction() as session:
            assert session.scalar(text("SELECT CAST(:value AS text)"), {"value": value}) == value

    def test_one_that_fails_leaves_a_connection_that_works(self, real: Database, engine: Engine) -> None:
        with pytest.raises(DBAPIError), real.transaction() as session:
            session.execute(text("SELECT 1 / :n"), {"n": 0})

        with real.transaction() as session:
            assert session.scalar(text("SELECT 2")) == 2
        assert engine.pool.checkedin() == 1  # type: ignore[attr-defined] # a QueuePool

    def test_a_failed_transaction_is_not_committed_by_the_next(self, real: Database) -> None:
        def fail() -> None:
            with real.transaction() as session:
                session.execute(text("CREATE TABLE rest (n int)"))
                session.execute(text("SELECT 1 / :n"), {"n": 0})

        with pytest.raises(DBAPIError):
            fail()

        with real.transaction() as session:
            assert session.scalar(text("SELECT to_regclass('rest')")) is None

    def test_columns_of_one_name_and_other_types_are_told_apart(self, real: Database) -> None:
        with real.transaction() as session:
            assert session.scalar(text("SELECT CAST(:v AS int) AS x"), {"v": 1}) == 1
            assert session.scalar(text("SELECT CAST(:v AS text) AS x"), {"v": "1"}) == "1"
            assert session.execute(text("SELECT 1 AS x WHERE :no"), {"no": False}).all() == []

    def test_more_kinds_of_answers_than_are_remembered_are_read(self, real: Database) -> None:
        with real.transaction() as session:
            for number in range(200):
                assert session.execute(text(f"SELECT CAST(:n AS int) AS c{number}"), {"n": number}).one()._mapping == {  # noqa: SLF001
                    f"c{number}": number
                }

    def test_a_copy_is_read_as_pg8000_does(self, engine: Engine) -> None:
        connection, stream = engine.raw_connection(), io.BytesIO()

        connection.cursor().execute("COPY (SELECT 1, 'ñ') TO STDOUT", stream=stream)  # type: ignore[call-arg]
        connection.close()

        assert stream.getvalue().decode() == "1\tñ\n"


class TestAutocommit:
    def test_turning_it_on_commits_the_transaction_that_is_open(self, real: Database, engine: Engine) -> None:
        with engine.connect() as connection:
            connection.get_isolation_level()  # asks the server, which begins a transaction
            own = connection.execution_options(isolation_level="AUTOCOMMIT")
            process_id = own.scalar(text("SELECT pg_backend_pid()"))

            with real.transaction() as other:
                query = text("SELECT xact_start IS NULL FROM pg_stat_activity WHERE pid = :pid")
                assert other.scalar(query, {"pid": process_id})

    def test_turning_it_off_lets_the_next_statement_begin_one(self, engine: Engine) -> None:
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("SELECT 1"))
        with engine.connect() as connection:  # the pool turned it off
            connection.execute(text("SELECT pg_current_xact_id()"))
            assert connection.scalar(text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL"))


class TestAConnectionThatTheServerEnded:
    def test_is_replaced_before_it_is_used(self, real: Database, engine: Engine) -> None:
        with engine.connect() as other:
            with real.transaction() as session:
                pid = session.scalar(text("SELECT pg_backend_pid()"))
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

        with real.transaction() as session:
            assert session.scalar(text("SELECT pg_backend_pid()")) != pid


class TestAnswersThatAreNotReadToTheirEnd:
    def test_a_statement_is_passed_over_when_the_transaction_cannot_begin(
        self, real: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with real.transaction() as session:
            session.execute(text("CREATE TABLE noted (n int)"))
        impossible = postgres_driver._parse_message("begin nonsense", ()) + postgres_driver._EXECUTE  # noqa: SLF001
        with monkeypatch.context() as broken:
            broken.setattr(postgres_driver, "_BEGIN", impossible)
            with pytest.raises(DBAPIError), real.transaction() as session:
                session.execute(text("INSERT INTO noted VALUES (:n)"), {"n": 1})

        with real.transaction() as session:
            assert session.scalar(text("SELECT count(*) FROM noted WHERE n = :n"), {"n": 1}) == 0

    def test_the_next_statement_does_not_get_the_rest_of_one(self, real: Database) -> None:
        def fail() -> None:
            with real.transaction() as session:
                session.execute(text("SELECT time '24:00', :n FROM generate_series(1, 3)"), {"n": 1})

        with pytest.raises(ValueError, match="24:00"):
            fail()

        with real.transaction() as session:
            assert session.scalar(text("SELECT CAST(:n AS int)"), {"n": 2}) == 2
