"""``maverik outbox``: mails on their way out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from maverik_backend.cli.common import plain_errors, resources, transaction

if TYPE_CHECKING:
    from maverik_backend.models import CorreoSaliente


@click.group()
def outbox() -> None:
    """Mails on their way out."""


@outbox.command("list")
@plain_errors
def list_outbox() -> None:
    """Show the mails that wait or were given up. To whom they go is sealed with them."""
    from maverik_backend.services.jobs.outbox import get_unsent  # noqa: PLC0415

    with transaction() as db:
        lines = [_outbox_line(mail) for mail in get_unsent(db)]
    if not lines:
        click.echo("No mail waits, and none was given up.")
        return
    click.echo("ID\tSTATE\tAGE\tTRIES\tNEXT TRY\tLAST ERROR\tSUBJECT")
    for line in lines:
        click.echo(line)


def _outbox_line(mail: CorreoSaliente) -> str:
    from maverik_backend.models import MailState  # noqa: PLC0415

    now = datetime.now(UTC)
    wait = mail.proximo_intento - now
    next_try = "never" if mail.estado == MailState.FAILED else f"in {_span(wait)}" if wait > timedelta() else "due"
    age, error = _span(now - mail.fecha_creacion), mail.ultimo_error or "-"
    return f"{mail.id}\t{mail.estado}\t{age}\t{mail.intentos}\t{next_try}\t{error}\t{mail.asunto}"


def _span(span: timedelta) -> str:
    """A length of time in its largest unit, rounded down."""
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


@outbox.command("deliver")
@plain_errors
def deliver_outbox() -> None:
    """Try every mail that is due, once."""
    click.echo(f"{resources().outbox.deliver_due()} sent")
