"""A PostgreSQL server over TCP with a password, as `DB_*` configures it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.core import migrations
from maverik_backend.core.database import Database, make_engine
from maverik_backend.errors import DatabaseUnavailable
from maverik_backend.settings import DatabaseSettings, Settings
from tests.support.fixtures.application import local_settings
from tests.support.fixtures.database import connected, rows
from tests.support.fixtures.people import make_profile
from tests.support.postgres import PASSWORD, USER, TcpPostgres
from tests.support.processes import run_maverik
from tests.support.servers import Peer, RawServer
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def server() -> Iterator[TcpPostgres]:
    with TemporaryDirectory(prefix="maverik-test-") as folder, TcpPostgres(Path(folder)) as server:
        yield server


def settings_for(server: TcpPostgres, folder: Path, **changes: Any) -> Settings:
    values = {
        "host": "127.0.0.1",
        "port": server.port,
        "name": "postgres",
        "DB_SCHEMA": "asesoria",
        "username": USER,
        "password": SecretStr(PASSWORD),
        **changes,
    }
    return local_settings(folder).model_copy(update={"database": DatabaseSettings(**values)})


def test_it_is_migrated_and_served_in_its_own_schema(server: TcpPostgres, tmp_path: Path) -> None:
    settings = settings_for(server, tmp_path)
    migrations.upgrade(settings)

    with TestClient(create_app(settings)) as api:
        assert api.get("/health").json()["status"] == "healthy"
        assert api.post("/user/signup", json=make_profile()).status_code == 201


@pytest.mark.parametrize(
    ("wrong", "blamed"),
    [
        ({"password": SecretStr("otra")}, "DB_PASSWORD, SQLSTATE 28P01"),
        ({"name": "nada"}, "DB_NAME, SQLSTATE 3D000"),
        ({"port": 1}, "no connection"),
    ],
)
def test_one_that_does_not_let_us_in_counts_as_unavailable_and_the_setting_is_named(
    server: TcpPostgres, tmp_path: Path, wrong: dict[str, Any], blamed: str
) -> None:
    with pytest.raises(DatabaseUnavailable, match=blamed):
        migrations.upgrade(settings_for(server, tmp_path, **wrong))


def test_a_restart_is_survived(server: TcpPostgres, tmp_path: Path) -> None:
    settings = settings_for(server, tmp_path)
    migrations.upgrade(settings)

    with TestClient(create_app(settings)) as api:
        server.stop()
        down = api.get("/health").status_code
        server.start()
        assert down == 503
        eventually(lambda: api.get("/health").status_code == 200)  # what was found out holds for a while


def test_a_role_that_may_not_create_schemas_migrates_the_one_it_was_given(server: TcpPostgres, tmp_path: Path) -> None:
    rows(settings_for(server, tmp_path), f"CREATE ROLE modesta LOGIN PASSWORD '{PASSWORD}'")
    rows(settings_for(server, tmp_path), "CREATE SCHEMA dada AUTHORIZATION modesta")

    migrations.upgrade(settings_for(server, tmp_path, username="modesta", DB_SCHEMA="dada"))
    with pytest.raises(ProgrammingError, match="permission denied"):
        migrations.upgrade(settings_for(server, tmp_path, username="modesta", DB_SCHEMA="otra"))


def _resets(peer: Peer) -> None:
    peer.reset()


def _closes(_peer: Peer) -> None:
    """The connection ends when this returns."""


def _breaks_the_handshake(peer: Peer) -> None:
    peer.send(b"S")  # "TLS, then": what follows is none


RUDE = [Peer.hang, _resets, _closes, _breaks_the_handshake]
CONNECT_TIMEOUT_S = 0.5
# Far above what it takes, for machines that are busy with tests; one of these servers says nothing for ever.
IN_TIME_S = 20


class TestAServerThatIsRudeWhileWeConnect:
    @pytest.mark.parametrize("behaviour", RUDE)
    def test_health_says_so_in_time(self, tmp_path: Path, behaviour: Callable[[Peer], None]) -> None:
        with RawServer(behaviour) as rude:
            settings = rude_settings(rude, tmp_path)
            with TestClient(create_app(settings)) as api:
                started = time.monotonic()
                status = api.get("/health").status_code
                took_s = time.monotonic() - started

        assert status == 503
        assert took_s < IN_TIME_S

    @pytest.mark.parametrize("behaviour", RUDE)
    def test_a_migration_counts_it_as_unavailable(self, tmp_path: Path, behaviour: Callable[[Peer], None]) -> None:
        with RawServer(behaviour) as rude, pytest.raises(DatabaseUnavailable):
            migrations.upgrade(rude_settings(rude, tmp_path))

    def test_the_command_line_tells_it_in_a_sentence(self, own_folder: Path) -> None:
        with RawServer(Peer.hang) as rude:
            variables = {"DB_HOST": "127.0.0.1", "DB_PORT": str(rude.port), "DB_USERNAME": USER}
            result = run_maverik("migrate", cwd=own_folder, DB_CONNECT_TIMEOUT_S="0.5", **variables)

        assert result.returncode == 2
        assert result.stderr.startswith("The database cannot be used (no connection)")
        assert "Traceback" not in result.stderr


def rude_settings(rude: RawServer, folder: Path) -> Settings:
    database = DatabaseSettings(
        host="127.0.0.1",
        port=rude.port,
        name="postgres",
        username=USER,
        password=None,
        connect_timeout_s=CONNECT_TIMEOUT_S,
    )
    return local_settings(folder).model_copy(update={"database": database})


def test_transactions_in_each_others_way_are_told_to_come_back(server: TcpPostgres, tmp_path: Path) -> None:
    both_hold_one = threading.Barrier(2)

    def lock(database: Database, first: int, second: int) -> str:
        try:
            with database.transaction() as session:
                session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": first})
                both_hold_one.wait()
                session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": second})
        except DatabaseUnavailable as error:
            return str(error)
        return "done"

    with connected(settings_for(server, tmp_path)) as database, ThreadPoolExecutor(2) as pool:
        outcomes = [pool.submit(lock, database, *locks) for locks in ((1, 2), (2, 1))]
        assert sorted(outcome.result() for outcome in outcomes) == ["SQLSTATE 40P01", "done"]


def test_a_statement_may_take_longer_than_connecting(server: TcpPostgres, tmp_path: Path) -> None:
    with (
        closing_engine(settings_for(server, tmp_path, connect_timeout_s=2)) as engine,
        engine.connect() as connection,
    ):
        connection.execute(text("SELECT pg_sleep(2.5)"))


def test_a_connection_that_goes_silent_is_given_up_and_replaced(server: TcpPostgres, tmp_path: Path) -> None:
    with closing_engine(settings_for(server, tmp_path)) as engine:
        database = Database(engine)
        with engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            raw._usock.settimeout(0.2)  # noqa: SLF001 - nobody waits for as long as a server may be silent
        with pytest.raises(DatabaseUnavailable), database.transaction() as session:
            session.execute(text("SELECT pg_sleep(1)"))

        with database.transaction() as session:
            assert session.scalar(text("SELECT 1")) == 1


def test_a_connection_that_networks_may_have_forgotten_is_replaced(server: TcpPostgres, tmp_path: Path) -> None:
    with closing_engine(settings_for(server, tmp_path, pool_size=1)) as engine:
        with engine.connect() as connection:
            first = connection.scalar(text("SELECT pg_backend_pid()"))
            record: Any = connection.connection._connection_record  # noqa: SLF001 - nobody waits for five minutes
            record.starttime -= 301
        with engine.connect() as connection:
            second = connection.scalar(text("SELECT pg_backend_pid()"))
        with engine.connect() as connection:
            third = connection.scalar(text("SELECT pg_backend_pid()"))

    assert first != second
    assert second == third


@pytest.mark.parametrize("for_migrations", [False, True])
def test_only_a_migration_may_wait_for_ever(server: TcpPostgres, tmp_path: Path, *, for_migrations: bool) -> None:
    settings = settings_for(server, tmp_path, statement_timeout_s=7)
    with closing_engine(settings, for_migrations=for_migrations) as engine, engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection

        assert raw._usock.gettimeout() == (None if for_migrations else 12)  # noqa: SLF001 - nobody waits for ever


@contextmanager
def closing_engine(settings: Settings, *, for_migrations: bool = False) -> Iterator[Engine]:
    engine = make_engine(settings, for_migrations=for_migrations)
    yield engine
    engine.dispose()


def test_migrations_at_once_wait_for_each_other(server: TcpPostgres, own_folder: Path) -> None:
    variables = server.variables(schema="a_la_vez")
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(run_maverik, "migrate", cwd=own_folder, **variables) for _ in range(4)]

    assert [(run.result().returncode, run.result().stderr) for run in runs] == [(0, "")] * 4
