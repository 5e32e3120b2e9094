"""``maverik jobs``: what waits, what failed for good, and what an operator does about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from maverik_backend.cli.common import plain_errors, resources, transaction
from maverik_backend.errors import SettingsError

if TYPE_CHECKING:
    from maverik_backend.services.jobs import Job

STATES = ("pendiente", "hecho", "fallido", "descartado")
HEADER = ("ID", "KIND", "STATE", "ORDER", "AGE", "ATTEMPTS", "NEXT ATTEMPT", "LAST ERROR", "DESCRIPTION")
_WHICH = "Name jobs by their ids, or say --kind KIND for all of a kind that are dead."

_ids = click.argument("ids", type=click.IntRange(1, 2**63 - 1), nargs=-1, metavar="[ID]...")
_dead_of_kind = click.option("--kind", help="All dead jobs of this kind.")


@click.group()
def jobs() -> None:
    """Slow work that is done outside of requests, such as mails."""


@jobs.command("list")
@click.option("--kind", help="Only this kind.")
@click.option("--state", type=click.Choice(STATES), help="Only this state (default: pendiente and fallido).")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="The oldest so many.")
@plain_errors
def list_jobs(kind: str | None, state: str | None, limit: int) -> None:
    """Show jobs, the oldest first. Payloads, and with them addresses, are not shown."""
    from maverik_backend.models import JobState  # noqa: PLC0415 - other commands do without the tables
    from maverik_backend.services.jobs import OPEN, find  # noqa: PLC0415

    with transaction() as db:
        found = find(db, kind=kind, states=OPEN if state is None else (JobState(state),), limit=limit)
    if not found:
        click.echo("There are no such jobs.")
        return
    click.echo("\t".join(HEADER))
    for job in found:
        click.echo("\t".join(_columns(job)))


@jobs.command("run")
@plain_errors
def run_jobs() -> None:
    """Run every job that is due, once; a running server does it by itself."""
    click.echo(f"{resources().jobs.run_due()} done")


@jobs.command("retry")
@_ids
@_dead_of_kind
@plain_errors
def retry_jobs(ids: tuple[int, ...], kind: str | None) -> None:
    """Make jobs due now: dead ones, and ones that wait for their next attempt."""
    from maverik_backend.services.jobs import retry  # noqa: PLC0415

    _require_choice(ids, kind)
    with transaction() as db:
        changed = retry(db, ids=ids, kind=kind)
    _tell(changed, asked=ids, done="will be tried again", hindrance="running, ended, or without its content")


@jobs.command("discard")
@_ids
@_dead_of_kind
@click.option("--yes", is_flag=True, help="Do not ask.")
@plain_errors
def discard_jobs(ids: tuple[int, ...], kind: str | None, *, yes: bool) -> None:
    """Give jobs up and erase their contents: dead ones, and ones that wait."""
    from maverik_backend.services.jobs import discard  # noqa: PLC0415

    _require_choice(ids, kind)
    if not yes:
        click.confirm("What they hold is erased, and they are never done. Go on?", abort=True)
    with transaction() as db:
        changed = discard(db, ids=ids, kind=kind)
    _tell(changed, asked=ids, done="discarded", hindrance="running or ended")


def _require_choice(ids: Sequence[int], kind: str | None) -> None:
    if not ids and kind is None:
        raise SettingsError([_WHICH])


def _tell(changed: Sequence[int], *, asked: Sequence[int], done: str, hindrance: str) -> None:
    click.echo(f"{len(changed)} jobs {done}.")
    if left := sorted(set(asked) - set(changed)):
        raise SettingsError([f"Not {', '.join(map(str, left))}: there is no such job, or it is {hindrance}."])


def _columns(job: Job) -> tuple[str, ...]:
    age = _span(datetime.now(UTC) - job.created)
    return (
        str(job.id),
        job.kind,
        job.state,
        job.subject or "-",
        age,
        str(job.attempts),
        _next_attempt(job),
        job.error or "-",
        job.description or "-",
    )


def _next_attempt(job: Job) -> str:
    if job.state != "pendiente":
        return "never"
    if job.is_running:
        return "running"
    wait = job.next_attempt - datetime.now(UTC)
    return f"in {_span(wait)}" if wait > timedelta() else "due"


def _span(span: timedelta) -> str:
    """A length of time in its largest unit, rounded down."""
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
