"""The command line: for operators and developers; nothing on the web path imports it.

Each command is a few lines over the same functions that the server uses. What goes wrong in the configuration is told
in sentences, with exit status 2.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from maverik_backend import __version__
from maverik_backend.errors import (
    AccountDisabled,
    AddressGetsNoMail,
    AlreadyExists,
    DatabaseUnavailable,
    MaverikError,
    MergeEndsSecondFactor,
    NotFound,
    SecondFactorInactive,
    SettingsError,
)
from maverik_backend.invocation import own_command
from maverik_backend.settings import Settings, load_config

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from maverik_backend.models import CorreoSaliente
    from maverik_backend.web.resources import Resources

P = ParamSpec("P")
R = TypeVar("R")


# What goes wrong with what an operator asked for.
_SENTENCES: dict[type[MaverikError], str] = {
    DatabaseUnavailable: "The database cannot be used ({error}): check the DB_ settings, and run `{maverik} migrate`.",
    AlreadyExists: "{error} has an account already: see `{maverik} users list`.",
    AccountDisabled: "{error} is disabled: open the account first, `{maverik} users disable --undo EMAIL`.",
    AddressGetsNoMail: "{error} gets no mail: keep an account with another address, `{maverik} users merge`.",
    MergeEndsSecondFactor: (
        "{error} has a second factor, and the account that stays has none: let its owner add one first, "
        "or say --drop-second-factor."
    ),
    SecondFactorInactive: "{error} has no second factor.",
    NotFound: "There is no such account: see `{maverik} users list`.",
}


def _plain_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Tell what is wrong in sentences, not in tracebacks."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except SettingsError as error:
            for problem in error.problems:
                click.echo(problem, err=True)
        except OSError as error:
            reason = error.strerror or error  # many have neither a file nor a number, only what they say
            click.echo(f"{error.filename} cannot be used: {reason}." if error.filename else f"{reason}.", err=True)
        except tuple(_SENTENCES) as error:
            click.echo(_SENTENCES[type(error)].format(error=error, maverik=own_command()), err=True)
        sys.exit(2)

    return run


@click.group()
@click.version_option(__version__, prog_name="maverik")
def main() -> None:
    """Maverik Backend."""


@main.command()
@click.option("--host", help="Address to listen on (default: HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default: PORT).")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that serve.")
@_plain_errors
def serve(host: str | None, port: int | None, workers: int) -> None:
    """Serve the API. With the embedded PostgreSQL, migrate it first."""
    from maverik_backend.server import serve as run_server  # noqa: PLC0415 - other commands do without the web stack

    settings = _load()
    if settings.database.is_embedded:
        _migrate(settings)
    run_server(settings, host=host, port=port, workers=workers)


@main.command()
@click.argument("revision", default="head")
@_plain_errors
def migrate(revision: str) -> None:
    """Bring the database to REVISION (default: the newest)."""
    _migrate(_load(), revision)
    click.echo("The database is up to date." if revision == "head" else f"The database is at {revision}.")


@main.command()
@_plain_errors
def demo() -> None:
    """Play an advisory conversation over HTTP against a server of its own, then end."""
    from maverik_backend.cli.demo import play  # noqa: PLC0415 - other commands do without the web stack

    play()


@main.group()
def keys() -> None:
    """Keys for SECRET_KEY."""


@keys.command("generate")
@_plain_errors
def generate_key() -> None:
    """Print a new random key."""
    from maverik_backend.core.security import generate_paserk  # noqa: PLC0415

    click.echo(generate_paserk())


@keys.command("reseal")
@_plain_errors
def reseal_secrets() -> None:
    """Seal the secrets of second factors with the first key of SECRET_KEY; a running server does it every hour."""
    from maverik_backend.services.accounts.second_factor import reseal  # noqa: PLC0415

    resources = _resources()
    click.echo(f"{reseal(resources.database.transaction, keyring=resources.keyring)} secrets sealed anew")


@main.group()
def users() -> None:
    """People's accounts."""


@users.command("list")
@_plain_errors
def list_users() -> None:
    """Show every account."""
    from maverik_backend.core.addresses import is_mailable  # noqa: PLC0415
    from maverik_backend.services.accounts import administration  # noqa: PLC0415

    with _transaction() as session:
        for user in administration.get_all(session):
            state = "disabled" if user.deshabilitado else "verified" if user.email_verificado else "never signed in"
            state += "" if is_mailable(user.email) else ", gets no mail"
            role = "\toperator" if user.operador else ""
            click.echo(f"{user.id}\t{user.email}\t{state}\tsince {user.fecha_creacion:%Y-%m-%d}{role}")


@users.command("create")
@click.argument("email")
@_plain_errors
def create_user(email: str) -> None:
    """Create an account for EMAIL and mail its temporary key.

    Its profile is the first answer of every question, and no date of birth: its owner corrects it.
    """
    from maverik_backend.services.accounts import administration  # noqa: PLC0415

    resources = _resources()
    mailed = resources.passwords.make_mailed_key()
    with resources.database.transaction() as session:
        administration.create(session, email=_email(email), passwords=resources.passwords, mailed=mailed)
    click.echo("Created; the key is on its way by mail.")


@users.command("disable")
@click.argument("email")
@click.option("--undo", is_flag=True, help="Open the account again.")
@_plain_errors
def disable_user(email: str, *, undo: bool) -> None:
    """Close the account of EMAIL and end its logins."""
    from maverik_backend.services.accounts import administration  # noqa: PLC0415

    with _transaction() as session:
        administration.set_disabled(session, email=email, disabled=not undo)
    click.echo("Open again." if undo else "Disabled; every login has ended.")


@users.command("reset-key")
@click.argument("email")
@_plain_errors
def reset_user_key(email: str) -> None:
    """Mail EMAIL a new temporary key and end its logins."""
    from maverik_backend.services.accounts import administration  # noqa: PLC0415

    resources = _resources()
    mailed = resources.passwords.make_mailed_key()
    with resources.database.transaction() as session:
        administration.reset_key(session, email=email, passwords=resources.passwords, mailed=mailed)
    click.echo("The old key no longer works; the new one is on its way by mail.")


@users.command("operator")
@click.argument("email")
@click.option("--revoke", is_flag=True, help="Take the rights instead.")
@_plain_errors
def set_operator(email: str, *, revoke: bool) -> None:
    """Give the account of EMAIL an operator's rights."""
    from maverik_backend.services.accounts import administration  # noqa: PLC0415

    with _transaction() as session:
        administration.set_operator(session, email=email, operator=not revoke)
    click.echo("No longer an operator." if revoke else "An operator now.")


@users.command("remove-factor")
@click.argument("email")
@_plain_errors
def remove_user_factor(email: str) -> None:
    """Remove the second factor of EMAIL, who lost it and the recovery codes, and end their logins.

    Make sure first who asks: from then on the key alone lets in. A mail tells the owner.
    """
    from maverik_backend.services.accounts import administration  # noqa: PLC0415

    resources = _resources()
    with resources.database.transaction() as session:
        administration.remove_factor(
            session, email=email, keyring=resources.keyring, frontend_url=resources.settings.frontend.main_url
        )
    click.echo("Removed; every login has ended, and a mail tells the owner.")


@users.command("merge")
@click.argument("keep", type=int)
@click.argument("drop", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--drop-second-factor", is_flag=True, help="Even if only DROP has one; a mail tells both addresses.")
@_plain_errors
def merge_users(keep: int, drop: int, *, yes: bool, drop_second_factor: bool) -> None:
    """Move all that account DROP owns to account KEEP and remove DROP. Works before an upgrade, too.

    KEEP and DROP are ids, as `users list` shows them.
    """
    from maverik_backend.services.accounts import administration  # noqa: PLC0415

    if keep == drop:
        raise SettingsError(["KEEP and DROP are the same account: name two."])
    with _transaction() as session:
        kept, dropped = (administration.summarise(session, user_id=user_id) for user_id in (keep, drop))
    click.echo(f"KEEP {kept}: its address, key and profile stay.\nDROP {dropped}: its sessions move, it is removed.")
    if not yes:
        click.confirm("This cannot be undone. Go on?", abort=True)
    merge = administration.merge
    if drop_second_factor:
        resources = _resources()  # only this writes mails: before an upgrade the configuration may lack what they need
        merge = partial(
            administration.merge_without_factor,
            keyring=resources.keyring,
            frontend_url=resources.settings.frontend.main_url,
        )
    with _transaction() as session:
        moved = merge(session, keep=keep, drop=drop)
    click.echo(f"Account {drop} is now part of {keep}; {moved} sessions moved.")


@main.command()
@_plain_errors
def cleanup() -> None:
    """Delete expired links, logins, counters and old mails; a running server does it every hour."""
    from maverik_backend.services.operations import clean_up, keep_used_passwords  # noqa: PLC0415

    with _transaction() as session:
        click.echo(f"{clean_up(session)} rows deleted")
    with _transaction() as session:
        keep_used_passwords(session)


@main.group()
def outbox() -> None:
    """Mails on their way out."""


@outbox.command("list")
@_plain_errors
def list_outbox() -> None:
    """Show the mails that wait or were given up. To whom they go is sealed with them."""
    from maverik_backend.services.jobs.outbox import get_unsent  # noqa: PLC0415

    with _transaction() as session:
        lines = [_outbox_line(mail) for mail in get_unsent(session)]
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
@_plain_errors
def deliver_outbox() -> None:
    """Try every mail that is due, once."""
    click.echo(f"{_resources().outbox.deliver_due()} sent")


def _load() -> Settings:
    from maverik_backend.core.logging import configure_logging  # noqa: PLC0415

    settings = load_config()
    configure_logging(settings.app)
    return settings


def _migrate(settings: Settings, revision: str = "head") -> None:
    from maverik_backend.api import check_configuration  # noqa: PLC0415
    from maverik_backend.core.migrations import upgrade  # noqa: PLC0415

    check_configuration(settings)
    upgrade(settings, revision)


def _resources() -> Resources:
    from maverik_backend.api import create_app  # noqa: PLC0415 - the one place where things are put together
    from maverik_backend.web.resources import resources_of  # noqa: PLC0415

    return resources_of(create_app(_load()))


@contextmanager
def _transaction() -> Iterator[Session]:
    from maverik_backend.core.database import Database, make_engine  # noqa: PLC0415

    database = Database(make_engine(_load()))
    with database.transaction() as session:
        yield session
    database.dispose()


def _email(text: str) -> str:
    """The address as sign-up would store it."""
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415

    from maverik_backend.schemas.user import Email  # noqa: PLC0415

    try:
        return str(TypeAdapter(Email).validate_python(text))
    except ValidationError:
        raise SettingsError([f"{text} is not an address that an account may have."]) from None
