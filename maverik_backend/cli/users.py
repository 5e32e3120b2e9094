"""``maverik users``: what operators do to accounts."""

from __future__ import annotations

from functools import partial

import click

from maverik_backend.cli.common import plain_errors, resources, transaction
from maverik_backend.errors import SettingsError


@click.group()
def users() -> None:
    """People's accounts."""


@users.command("list")
@plain_errors
def list_users() -> None:
    """Show every account."""
    from maverik_backend.core.addresses import is_mailable  # noqa: PLC0415
    from maverik_backend.services import accounts  # noqa: PLC0415

    with transaction() as db:
        people = accounts.get_accounts(db)
        if not people:
            click.echo("There is no account yet.")
        for user in people:
            state = "disabled" if user.disabled else "verified" if user.email_verified else "never signed in"
            state += "" if is_mailable(user.email) else ", gets no mail"
            role = "\toperator" if user.operator else ""
            click.echo(f"{user.id}\t{user.email}\t{state}\tsince {user.created:%Y-%m-%d}{role}")


@users.command("create")
@click.argument("email")
@plain_errors
def create_user(email: str) -> None:
    """Create an account for EMAIL and mail its temporary key.

    Its profile is the first answer of every question, and no date of birth: its owner corrects it.
    """
    from maverik_backend.services import accounts  # noqa: PLC0415

    app = resources()
    mailed = app.passwords.make_mailed_password()
    with app.database.transaction() as db:
        accounts.create_account(db, email=_email(email), passwords=app.passwords, mailed=mailed)
    click.echo("Created; the key is on its way by mail.")


@users.command("disable")
@click.argument("email")
@click.option("--undo", is_flag=True, help="Open the account again.")
@plain_errors
def disable_user(email: str, *, undo: bool) -> None:
    """Close the account of EMAIL and end its logins."""
    from maverik_backend.services import accounts  # noqa: PLC0415

    with transaction() as db:
        accounts.set_disabled(db, email=email, disabled=not undo)
    click.echo("Open again." if undo else "Disabled; every login has ended.")


@users.command("reset-key")
@click.argument("email")
@plain_errors
def reset_user_key(email: str) -> None:
    """Mail EMAIL a new temporary key and end its logins."""
    from maverik_backend.services import accounts  # noqa: PLC0415

    app = resources()
    mailed = app.passwords.make_mailed_password()
    with app.database.transaction() as db:
        accounts.reset_password(db, email=email, passwords=app.passwords, mailed=mailed)
    click.echo("The old key no longer works; the new one is on its way by mail.")


@users.command("operator")
@click.argument("email")
@click.option("--revoke", is_flag=True, help="Take the rights instead.")
@plain_errors
def set_operator(email: str, *, revoke: bool) -> None:
    """Give the account of EMAIL an operator's rights."""
    from maverik_backend.services import accounts  # noqa: PLC0415

    with transaction() as db:
        accounts.set_operator(db, email=email, operator=not revoke)
    click.echo("No longer an operator." if revoke else "An operator now.")


@users.command("remove-factor")
@click.argument("email")
@plain_errors
def remove_user_factor(email: str) -> None:
    """Remove the second factor of EMAIL, who lost it and the recovery codes, and end their logins.

    Make sure first who asks: from then on the key alone lets in. A mail tells the owner.
    """
    from maverik_backend.services import accounts  # noqa: PLC0415

    app = resources()
    with app.database.transaction() as db:
        accounts.remove_second_factor(db, email=email, keyring=app.keyring, links=app.passwords.links)
    click.echo("Removed; every login has ended, and a mail tells the owner.")


@users.command("merge")
@click.argument("keep", type=int)
@click.argument("drop", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--drop-second-factor", is_flag=True, help="Even if only DROP has one; a mail tells both addresses.")
@plain_errors
def merge_users(keep: int, drop: int, *, yes: bool, drop_second_factor: bool) -> None:
    """Move all that account DROP owns to account KEEP and remove DROP. Works before an upgrade, too.

    KEEP and DROP are ids, as `users list` shows them.
    """
    from maverik_backend.services import accounts  # noqa: PLC0415

    if keep == drop:
        raise SettingsError(["KEEP and DROP are the same account: name two."])
    with transaction() as db:
        kept, dropped = (accounts.summarise(db, user_id=user_id) for user_id in (keep, drop))
    click.echo(f"KEEP {kept}: its address, key and profile stay.\nDROP {dropped}: its sessions move, it is removed.")
    if not yes:
        click.confirm("This cannot be undone. Go on?", abort=True)
    merge = accounts.merge
    if drop_second_factor:
        app = resources()  # only this writes mails: before an upgrade the configuration may lack what they need
        merge = partial(
            accounts.merge_without_factor,
            keyring=app.keyring,
            links=app.passwords.links,
        )
    with transaction() as db:
        moved = merge(db, keep=keep, drop=drop)
    click.echo(f"Account {drop} is now part of {keep}; {moved} sessions moved.")


def _email(text: str) -> str:
    """The address as sign-up would store it."""
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415

    from maverik_backend.schemas.user import Email  # noqa: PLC0415

    try:
        return str(TypeAdapter(Email).validate_python(text))
    except ValidationError:
        raise SettingsError([f"{text} is not an address that an account may have."]) from None
