"""``maverik keys``: keys for SECRET_KEY, and what is sealed with them."""

from __future__ import annotations

import click

from maverik_backend.cli.common import plain_errors, resources


@click.group()
def keys() -> None:
    """Keys for SECRET_KEY."""


@keys.command("generate")
@plain_errors
def generate_key() -> None:
    """Print a new random key."""
    from maverik_backend.core.security import generate_paserk  # noqa: PLC0415

    click.echo(generate_paserk())


@keys.command("reseal")
@plain_errors
def reseal_secrets() -> None:
    """Seal the secrets of second factors with the first key of SECRET_KEY; a running server does it every hour."""
    from maverik_backend.services.accounts import reseal  # noqa: PLC0415

    app = resources()
    click.echo(f"{reseal(app.database.transaction, keyring=app.keyring)} secrets sealed anew")
