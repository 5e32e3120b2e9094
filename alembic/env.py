"""Runs migrations against the configured database; `maverik migrate` and the tests hand their own connection in.

Imports only models, settings and ``core.database``: the last, so that one place alone knows how a connection is made
(schema, time zone, the embedded PostgreSQL when no host is configured). Whether the server could start afterwards is
checked by `maverik migrate`, not here: Alembic's own command works without the application.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from maverik_backend.core.database import make_engine, unavailability_reported
from maverik_backend.errors import DatabaseUnavailable, SettingsError
from maverik_backend.models import Base
from maverik_backend.settings import Settings, load_config

# The key of the advisory lock: any number that no other program locks in the same database.
_LOCK = 6_283_185_307
# A statement that waits for a table lock holds up all that ask for the table after it, so it must not wait for long.
_LOCK_TIMEOUT_S = 5
_LOCK_NOT_AVAILABLE = "55P03"
_TRY_AGAIN = (
    f"A table was in use for more than {_LOCK_TIMEOUT_S} s, so what was not committed yet was undone and no request "
    "had to wait longer: run it again, and if that does not help, end the long transaction that pg_stat_activity shows "
    "(docs/OPERATIONS.md)"
)


def run(connection: Connection, settings: Settings) -> None:
    """Bring the schema named in the settings to the revision asked for, all of it or nothing.

    Raises:
        CommandError: when a table did not come free in time.
        DatabaseUnavailable: when the connection was lost; what was committed before stays.
    """
    with _loss_reported(connection), _locked(connection):
        _create_schema(connection, settings.database.schema_name)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_server_default=True,
        )
        with _lock_timeout(connection), context.begin_transaction():
            context.run_migrations()


@contextmanager
def _loss_reported(connection: Connection) -> Iterator[None]:
    """Tell a lost connection from what fails because of it: the clean-up on the way out fails on it, and hides it."""
    try:
        yield
    except SQLAlchemyError as error:
        if connection.invalidated:
            raise DatabaseUnavailable("the connection was lost") from error
        raise


@contextmanager
def _locked(connection: Connection) -> Iterator[None]:
    """Hold an advisory lock, so that one process migrates at a time: two could not both create what they find missing.

    The lock belongs to the session, as it spans transactions; it also ends with the connection.
    """
    with connection.begin():
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
    try:
        yield
    finally:
        connection.rollback()  # what failed may have left a transaction open in which nothing more can be said
        if not connection.invalidated:
            with connection.begin():
                connection.exec_driver_sql("RESET lock_timeout")
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})


@contextmanager
def _lock_timeout(connection: Connection) -> Iterator[None]:
    """Give up when a table does not come free in time.

    Raises:
        CommandError: when one did not; it says what to do.
    """
    with connection.begin():
        connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_TIMEOUT_S}s'")
    try:
        yield
    except DBAPIError as error:
        details = error.orig.args[0] if error.orig and error.orig.args else None
        if isinstance(details, dict) and details.get("C") == _LOCK_NOT_AVAILABLE:
            raise CommandError(_TRY_AGAIN) from error
        raise


def _create_schema(connection: Connection, name: str) -> None:
    """Create the schema unless it exists; looked up first, as IF NOT EXISTS demands the right to create even then."""
    quoted = connection.dialect.identifier_preparer.quote(name)
    with connection.begin():
        if not connection.scalar(text("SELECT 1 FROM pg_namespace WHERE nspname = :name"), {"name": name}):
            connection.exec_driver_sql(f"CREATE SCHEMA {quoted}")


def main() -> None:
    """Use the connection in ``config.attributes`` (:mod:`maverik_backend.core.migrations`), or make one."""
    if context.is_offline_mode():
        sys.exit("Migrations look at the data they carry forward, so they cannot be written out as plain SQL.")
    connection = context.config.attributes.get("connection")
    if connection is not None:
        run(connection, context.config.attributes["settings"])
        return
    try:
        settings = load_config()
        engine = make_engine(settings, for_migrations=True)
    except SettingsError as error:
        sys.exit("\n".join(error.problems))
    try:
        with unavailability_reported(), engine.connect() as own_connection:
            run(own_connection, settings)
    except DatabaseUnavailable as error:
        sys.exit(f"The database cannot be used ({error}): check the DB_ settings, and run this again.")
    finally:
        engine.dispose()


main()
