"""Running Alembic from code: the command line and the tests use the same way in."""

from __future__ import annotations

from pathlib import Path

from maverik_backend.core.database import make_engine, unavailability_reported
from maverik_backend.errors import SettingsError
from maverik_backend.settings import Settings

ALEMBIC_INI = Path(__file__).resolve().parents[2] / "alembic.ini"


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Bring the configured database to ``revision``, all of the way or not at all.

    Raises:
        DatabaseUnavailable: when it cannot be reached.
        SettingsError: when there is no such revision, or the migrations are not where the package was installed from.
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
            except CommandError as error:
                raise SettingsError([f"{error}."]) from None
    finally:
        engine.dispose()
