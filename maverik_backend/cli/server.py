"""``maverik serve`` and ``maverik migrate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from maverik_backend.cli.common import load, plain_errors

if TYPE_CHECKING:
    from maverik_backend.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on (default: HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default: PORT).")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that serve.")
@plain_errors
def serve(host: str | None, port: int | None, workers: int) -> None:
    """Serve the API. With the embedded PostgreSQL, migrate it first."""
    from maverik_backend.server import serve as run_server  # noqa: PLC0415 - other commands do without the web stack

    settings = load()
    if settings.database.is_embedded:
        _migrate(settings)
    run_server(settings, host=host, port=port, workers=workers)


@click.command()
@click.argument("revision", default="head")
@plain_errors
def migrate(revision: str) -> None:
    """Bring the database to REVISION (default: the newest)."""
    _migrate(load(), revision)
    click.echo("The database is up to date." if revision == "head" else f"The database is at {revision}.")


def _migrate(settings: Settings, revision: str = "head") -> None:
    """Migrate a database that the server could then start on: nothing is changed for one that could not."""
    from maverik_backend.api import check_configuration  # noqa: PLC0415
    from maverik_backend.core.migrations import upgrade  # noqa: PLC0415

    check_configuration(settings)
    upgrade(settings, revision)
