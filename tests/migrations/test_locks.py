"""Migrations beside a system that is running: they wait for nobody for long, and new ones are told what to mind."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from mako.template import Template  # type: ignore[import-untyped] # it has no types
from sqlalchemy import Engine, text

from maverik_backend.core import migrations
from maverik_backend.core.database import make_engine
from maverik_backend.errors import SettingsError
from maverik_backend.models import SCHEMA_REVISIONS
from maverik_backend.settings import Settings
from tests.support.fixtures.database import Alembic, rows
from tests.support.paths import ROOT

PREVIOUS = "b7d93e04a1f6"  # the one after it alters the turns
GIVES_UP_WITHIN_S = 30.0  # five, and a busy machine


@pytest.fixture
def behind(own_database: Settings, alembic: Callable[[Settings], Alembic]) -> Settings:
    """An installation that the migrations from there on still have to reach."""
    alembic(own_database)("downgrade", PREVIOUS)
    return own_database


@pytest.fixture
def engine(behind: Settings) -> Iterator[Engine]:
    engine = make_engine(behind, for_migrations=True)
    yield engine
    engine.dispose()


@contextmanager
def long_transaction(engine: Engine) -> Iterator[None]:
    """Somebody who read the turns, and went away for a coffee."""
    with engine.begin() as connection:
        connection.execute(text("SELECT FROM sesion_asesoria_detalle"))
        yield


def test_a_table_that_is_in_use_stops_them_before_everybody_waits_and_run_again_they_go_on(
    behind: Settings, engine: Engine
) -> None:
    began = time.monotonic()
    with long_transaction(engine), pytest.raises(SettingsError, match=r"^A table was in use .* run it again"):
        migrations.upgrade(behind)

    assert time.monotonic() - began < GIVES_UP_WITHIN_S
    assert rows(behind, "SELECT version_num FROM alembic_version") == [{"version_num": PREVIOUS}]

    migrations.upgrade(behind)

    assert rows(behind, "SELECT version_num FROM alembic_version") == [{"version_num": SCHEMA_REVISIONS[-1]}]


def test_one_that_comes_free_in_time_is_waited_for(behind: Settings, engine: Engine) -> None:
    with ThreadPoolExecutor(1) as pool:
        with long_transaction(engine):
            upgrade = pool.submit(migrations.upgrade, behind)
            wait_until_somebody_waits(engine)
        upgrade.result()


def test_a_new_revision_is_told_what_to_mind() -> None:
    revision = Template(filename=str(ROOT / "alembic" / "script.py.mako")).render(  # noqa: S702 - no HTML
        message="Add a table",
        up_revision="abcdef123456",
        down_revision=PREVIOUS,
        branch_labels=None,
        depends_on=None,
        imports="",
        upgrades="",
        downgrades="",
        comma=lambda text: text,
    )

    advice = ast.get_docstring(ast.parse(revision)) or ""
    assert [word for word in ("expand", "contract", "CONCURRENTLY", "batches") if word not in advice] == []


def wait_until_somebody_waits(engine: Engine) -> None:
    deadline = time.monotonic() + GIVES_UP_WITHIN_S
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'")
    waiting = 0
    while not waiting:
        assert time.monotonic() < deadline
        with engine.connect() as connection:
            waiting = connection.scalar(query) or 0
        time.sleep(0.02)
