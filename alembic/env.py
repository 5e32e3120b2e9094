"""Runs migrations against the configured database; `maverik migrate` and the tests hand their own connection in.

Imports only models, settings and ``core.database``: the last, so that one place alone knows how a connection is made
(schema, time zone, the embedded PostgreSQL when no host is configured).
"""

from __future__ import annotations

import sys

from alembic import context
from sqlalchemy import Connection

from maverik_backend.core.database import make_engine
from maverik_backend.errors import SettingsError
from maverik_backend.models import Base
from maverik_backend.settings import Settings, load_config


def run(connection: Connection, settings: Settings) -> None:
    """Bring the schema named in the settings to the revision asked for, all of it or nothing."""
    schema = connection.dialect.identifier_preparer.quote(settings.database.schema_name)
    with connection.begin():
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    """Use the connection that a caller handed in, or make one."""
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
    with engine.connect() as own_connection:
        run(own_connection, settings)
    engine.dispose()


main()
