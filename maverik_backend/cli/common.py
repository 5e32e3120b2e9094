"""What commands share: errors as sentences, and the configuration, database and application that they work on.

Imports at the top stay few: ``maverik --help`` loads every command group, and none of the web stack.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

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

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from maverik_backend.settings import Settings
    from maverik_backend.web.resources import Resources

P = ParamSpec("P")
R = TypeVar("R")


# Errors of the domain, as an operator reads them.
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


def plain_errors(command: Callable[P, R]) -> Callable[P, R]:
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


def load() -> Settings:
    """The configuration, checked; logs are written as it says from here on."""
    from maverik_backend.core.logging import configure_logging  # noqa: PLC0415
    from maverik_backend.settings import load_config  # noqa: PLC0415 - 0.1 s that a list of commands does without

    settings = load_config()
    configure_logging(settings.app)
    return settings


def resources() -> Resources:
    """What the application makes of the configuration, put together as for serving; no worker is started."""
    from maverik_backend.api import create_app  # noqa: PLC0415 - the one place where things are put together
    from maverik_backend.web.resources import resources_of  # noqa: PLC0415

    return resources_of(create_app(load()))


@contextmanager
def transaction() -> Iterator[Connection]:
    """One transaction on the configured database, committed at the end of the block."""
    from maverik_backend.core.database import Database, make_engine  # noqa: PLC0415

    database = Database(make_engine(load()))
    with database.transaction() as db:
        yield db
    database.dispose()
