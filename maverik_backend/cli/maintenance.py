"""``maverik cleanup``."""

from __future__ import annotations

import click

from maverik_backend.cli.common import plain_errors, transaction


@click.command()
@plain_errors
def cleanup() -> None:
    """Delete expired links, logins, counters and old mails; a running server does it every hour."""
    from maverik_backend.services.operations import clean_up, keep_used_passwords  # noqa: PLC0415

    with transaction() as db:
        click.echo(f"{clean_up(db)} rows deleted")
    with transaction() as db:
        keep_used_passwords(db)
