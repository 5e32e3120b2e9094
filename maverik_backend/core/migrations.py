"""Running Alembic from code: the command line and the tests use the same way in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maverik_backend.core.database import make_engine, unavailability_reported
from maverik_backend.errors import SettingsError
from maverik_backend.settings import Settings

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script
    from sqlalchemy import Connection

ALEMBIC_INI = Path(__file__).resolve().parents[2] / "alembic.ini"


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Bring the configured database to ``revision``, all of the way or not at all.

    Raises:
        DatabaseUnavailable: when it cannot be reached.
        SettingsError: when there is no such revision, or the database is at a newer one, or the migrations are not
            where the package was installed from.
    """
    from alembic import command  # noqa: PLC0415 - 0.3 s that the web path must not pay
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    if not ALEMBIC_INI.exists():
        raise SettingsError([f"The migrations are not at {ALEMBIC_INI.parent}: run from a checkout or the image."])
    engine = make_engine(settings, for_migrations=True)
    try:
        with unavailability_reported(), engine.connect() as connection:
            config = Config(ALEMBIC_INI)
            config.attributes.update(connection=connection, settings=settings)
            try:
                command.upgrade(config, revision)
                _check_is_at(connection, config, revision)
            except CommandError as error:
                raise SettingsError([f"{error}."]) from None
    finally:
        engine.dispose()


def _check_is_at(connection: Connection, config: Config, revision: str) -> None:
    """Alembic does nothing, and says so nowhere, when it is to upgrade to an older revision."""
    from alembic.migration import MigrationContext  # noqa: PLC0415 - as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    if "+" in revision:  # steps from where the database was: never an older revision
        return
    wanted: Script | None = ScriptDirectory.from_config(config).get_revision(revision)
    reached = MigrationContext.configure(connection).get_current_revision()
    if reached != (wanted.revision if wanted else None):
        raise SettingsError(
            [f"The database is at {reached}, newer than {revision}: going down is `alembic downgrade {revision}`."]
        )
