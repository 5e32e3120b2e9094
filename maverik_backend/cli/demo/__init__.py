"""``maverik demo``."""

from __future__ import annotations

import click

from maverik_backend.cli.common import plain_errors


@click.command()
@plain_errors
def demo() -> None:
    """Play an advisory conversation over HTTP against a server of its own, then end."""
    from maverik_backend.cli.demo.conversation import play  # noqa: PLC0415 - other commands do without the web stack

    play()
