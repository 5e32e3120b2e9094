"""A PostgreSQL server over TCP with a password, as `DB_*` configures it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.core import migrations
from maverik_backend.errors import DatabaseUnavailable
from maverik_backend.settings import DatabaseSettings, Settings
from tests.fixtures.application import local_settings
from tests.fixtures.people import make_profile
from tests.postgres import PASSWORD, USER, TcpPostgres


@pytest.fixture(scope="module")
def server() -> Iterator[TcpPostgres]:
    with TemporaryDirectory(prefix="maverik-test-") as folder, TcpPostgres(Path(folder)) as server:
        yield server


def settings_for(server: TcpPostgres, folder: Path, **changes: Any) -> Settings:
    values = {
        "host": "127.0.0.1",
        "port": server.port,
        "name": "postgres",
        "schema_name": "asesoria",
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


@pytest.mark.parametrize("wrong", [{"password": SecretStr("otra")}, {"name": "nada"}, {"port": 1}], ids=str)
def test_one_that_does_not_let_us_in_counts_as_unavailable(
    server: TcpPostgres, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(DatabaseUnavailable):
        migrations.upgrade(settings_for(server, tmp_path, **wrong))


def test_a_restart_is_survived(server: TcpPostgres, tmp_path: Path) -> None:
    settings = settings_for(server, tmp_path)
    migrations.upgrade(settings)

    with TestClient(create_app(settings)) as api:
        server.stop()
        down = api.get("/health").status_code
        server.start()
        up = api.get("/health").status_code

    assert (down, up) == (503, 200)
