"""The example project's database (examples/dashboard_miempresa) on a real server, and its questions asked for real."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine

from maverik_backend.core.data_sources import DataSources
from maverik_backend.core.deadline import Deadline
from maverik_backend.services import queries
from maverik_backend.settings import DataSourceSettings
from tests.support.paths import ROOT
from tests.support.postgres import PASSWORD, USER, TcpPostgres

EXAMPLE = ROOT / "examples" / "dashboard_miempresa"
READER = "miempresa_reader"
READER_PASSWORD = "sólo leo: @ y /"
PROJECT = "dashboard_miempresa"
OTHER_PROJECT = "otra_empresa"
TODAY = date(2025, 6, 15)
TIMEOUT_S = 60.0


class Dashboard:
    """A server with the example's database in it."""

    def __init__(self, server: TcpPostgres) -> None:
        self._server = server
        self.owner: Engine = create_engine(
            URL.create("postgresql+pg8000", USER, PASSWORD, "127.0.0.1", server.port, "postgres"),
            isolation_level="AUTOCOMMIT",
        )

    def execute(self, sql: str) -> None:
        """Run any number of statements as the owner."""
        with self.owner.connect() as db:
            db.exec_driver_sql(sql)

    def add_reader(self, name: str) -> None:
        """A role with the password of the example's, and no rights yet."""
        self.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{READER_PASSWORD}'")

    def url(self, *, role: str = READER, password: str = READER_PASSWORD, port: int | None = None) -> str:
        return f"postgresql://{role}:{quote(password, safe='')}@127.0.0.1:{port or self._server.port}/postgres"

    @contextmanager
    def sources(self, url: str | None = None) -> Iterator[DataSources]:
        sources = DataSources(DataSourceSettings.isolated(urls={"miempresa": url or self.url()}))
        yield sources
        sources.dispose()


@contextmanager
def running_dashboard() -> Iterator[Dashboard]:
    with TemporaryDirectory(prefix="maverik-test-") as folder, TcpPostgres(Path(folder)) as server:
        dashboard = Dashboard(server)
        for file in ("schema.sql", "data.sql"):
            dashboard.execute((EXAMPLE / file).read_text(encoding="utf-8"))
        dashboard.execute(f"ALTER ROLE {READER} PASSWORD '{READER_PASSWORD}'")
        yield dashboard
        dashboard.owner.dispose()


def example_part() -> dict[str, Any]:
    """What the example's file says."""
    part: dict[str, Any] = tomllib.loads((EXAMPLE / "dashboard_miempresa.toml").read_text(encoding="utf-8"))["queries"]
    return part


def make_part(**changes: Any) -> dict[str, Any]:
    """The smallest definition over the example's table."""
    return {
        "source": "miempresa",
        "may_write_select": True,
        "tables": {
            "data_orders": {
                "description": "Órdenes",
                "columns": {"customer": "Cliente", "warehouse": "Depósito", "order_type": "Tipo", "amount": "Importe"},
            }
        },
        **changes,
    }


def questions(sources: DataSources, part: Mapping[str, Any] | None = None) -> queries.DataQuestions:
    return queries.DataQuestions(queries.read(part or example_part()), sources=sources, today=lambda: TODAY)


def asker(project: str = PROJECT) -> queries.Asker:
    return queries.Asker(project=project)


def deadline() -> Deadline:
    return Deadline.after(TIMEOUT_S)
