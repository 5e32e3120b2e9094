"""``maverik usage``: what was used of language models, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from maverik_backend.cli.common import plain_errors, transaction

if TYPE_CHECKING:
    from maverik_backend.services.usage import Consumption

HEADER = ("PRINCIPAL", "ASSISTANT", "MODEL", "REQUESTS", "INPUT", "CACHED", "OUTPUT", "REASONING", "USD")
_DAY = click.DateTime(["%Y-%m-%d"])
_MONTH = click.DateTime(["%Y-%m"])


@click.command()
@click.option("--day", type=_DAY, metavar="YYYY-MM-DD", help="Only this day, on the clocks of Argentina.")
@click.option("--month", type=_MONTH, metavar="YYYY-MM", help="This month (default: the present one).")
@click.option("--principal", metavar="EMAIL", help="Only the person with this address.")
@plain_errors
def usage(day: datetime | None, month: datetime | None, principal: str | None) -> None:
    """Show tokens and cost by principal, assistant and model, the dearest first.

    CACHED is part of INPUT, REASONING of OUTPUT. USD is by the table of prices.
    """
    from maverik_backend.services import accounts  # noqa: PLC0415 - other commands do without the tables
    from maverik_backend.services.usage import get_consumption, today  # noqa: PLC0415

    if day is not None and month is not None:
        raise click.UsageError("--day and --month exclude each other.")
    with transaction() as db:
        first, last = _span(day, month, today=today(db))
        principal_id = accounts.get_account(db, email=principal).id if principal else None
        used = get_consumption(db, first=first, last=last, principal_id=principal_id)
    if not used:
        click.echo("Nothing was used.")
        return
    click.echo("\t".join(HEADER))
    for consumption in used:
        click.echo("\t".join(_columns(consumption)))
    click.echo("\t".join(_total(used)))


def _span(day: datetime | None, month: datetime | None, *, today: date) -> tuple[date, date]:
    """The first and the last day of what is asked for."""
    if day is not None:
        return day.date(), day.date()
    first = (month.date() if month else today).replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _columns(used: Consumption) -> tuple[str, ...]:
    return used.principal, used.assistant or "-", used.model, *map(str, _amounts(used)), _usd(used.cost_microusd)


def _total(used: Sequence[Consumption]) -> tuple[str, ...]:
    sums = (sum(column) for column in zip(*map(_amounts, used), strict=True))
    return "TOTAL", "-", "-", *map(str, sums), _usd(sum(row.cost_microusd for row in used))


def _amounts(used: Consumption) -> tuple[int, ...]:
    return used.requests, used.input_tokens, used.cached_tokens, used.output_tokens, used.reasoning_tokens


def _usd(microusd: int) -> str:
    return f"{microusd / 1_000_000:.6f}"
