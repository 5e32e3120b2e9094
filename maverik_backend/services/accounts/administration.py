"""What operators do to accounts, from the command line.

:func:`merge` also works on the tables of installations from before this repository: it is what resolves a shared
address that keeps them from being upgraded (``store/merging.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from maverik_backend.core.addresses import canonical, is_mailable
from maverik_backend.core.mail_links import Links
from maverik_backend.core.security import Keyring
from maverik_backend.errors import (
    AccountDisabled,
    AddressGetsNoMail,
    AlreadyExists,
    MergeEndsSecondFactor,
    NotFound,
    SecondFactorInactive,
)
from maverik_backend.models import SecurityEvent
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts import mail
from maverik_backend.services.accounts.password import MailedPassword, Passwords
from maverik_backend.services.accounts.records import Account
from maverik_backend.services.accounts.store import logins as login_store
from maverik_backend.services.accounts.store import merging, people, second_factors
from maverik_backend.texts import mail as letters


def get_accounts(db: Connection) -> Sequence[Account]:
    """Every account, oldest first."""
    return people.get_all(db)


def get_or_raise(db: Connection, *, email: str, for_update: bool = False) -> Account:
    """The account with this address; with ``for_update`` its row is locked.

    Raises:
        NotFound: when there is none.
    """
    account = people.get_by_email(db, canonical(email), for_update=for_update)
    if account is None:
        raise NotFound("user")
    return account


def create_account(db: Connection, *, email: str, passwords: Passwords, mailed: MailedPassword) -> None:
    """An account with the questionnaire's first answers; its owner gets the welcome mail and corrects them.

    Raises:
        AlreadyExists: when the address has one.
    """
    if people.find_addressee(db, email) is not None:
        raise AlreadyExists(email)
    user_id = people.add(
        db,
        email=email,
        password_hash=mailed.password_hash,
        password_expires=passwords.temporary_password_expiry(),
    )
    events.record(db, SecurityEvent.SIGNED_UP, user_id=user_id)
    passwords.mail_password(db, user_id=user_id, email=email, mailed=mailed)


def set_disabled(db: Connection, *, email: str, disabled: bool) -> None:
    """Close the account and every login of it, or open it again.

    Raises:
        NotFound: when there is no such account.
    """
    account = get_or_raise(db, email=email)
    people.set_disabled(db, user_id=account.id, is_disabled=disabled)
    if disabled:
        login_store.close_all(db, user_id=account.id)
    event = SecurityEvent.DISABLED if disabled else SecurityEvent.ENABLED
    events.record(db, event, user_id=account.id)


def set_operator(db: Connection, *, email: str, operator: bool) -> None:
    """Give the account an operator's rights, or take them; both hold from the next request on.

    Raises:
        NotFound: when there is no such account.
        AccountDisabled: when the account that gets them is closed.
    """
    account = get_or_raise(db, email=email)
    if operator and account.disabled is not None:
        raise AccountDisabled(account.email)
    people.set_operator(db, user_id=account.id, is_operator=operator)
    event = SecurityEvent.OPERATOR_GRANTED if operator else SecurityEvent.OPERATOR_REVOKED
    events.record(db, event, user_id=account.id)


def remove_second_factor(db: Connection, *, email: str, keyring: Keyring, links: Links) -> None:
    """Remove the second factor of a person who lost it with the recovery codes; ends every login and says so by mail.

    Raises:
        NotFound: when there is no such account.
        SecondFactorInactive: when it has no second factor.
    """
    account = get_or_raise(db, email=email, for_update=True)
    if not second_factors.remove(db, user_id=account.id):
        raise SecondFactorInactive(account.email)
    login_store.close_all(db, user_id=account.id)
    events.record(db, SecurityEvent.SECOND_FACTOR_REMOVED, user_id=account.id)
    letter = letters.second_factor_removed_by_operator(frontend_url=links.frontend, support=links.support)
    mail.enqueue(db, keyring=keyring, to=account.email, letter=letter, user_id=account.id)


def reset_password(db: Connection, *, email: str, passwords: Passwords, mailed: MailedPassword) -> None:
    """Replace the password by a temporary one, which is mailed, and end every login and link.

    Raises:
        NotFound: when there is no such account.
        AccountDisabled: when the account is closed, so that no password would let its owner in.
        AddressGetsNoMail: when the new password could not be mailed.
    """
    account = get_or_raise(db, email=email)
    if account.disabled is not None:
        raise AccountDisabled(account.email)
    if not is_mailable(account.email):
        raise AddressGetsNoMail(account.email)
    expires = passwords.temporary_password_expiry()
    people.set_temporary_password(db, user_id=account.id, password_hash=mailed.password_hash, expires=expires)
    login_store.close_all(db, user_id=account.id)
    events.record(db, SecurityEvent.PASSWORD_RESENT, user_id=account.id)
    is_new = account.email_verified is None and account.password_expires is not None
    write = letters.welcome if is_new else partial(letters.key_replaced, support=passwords.links.support)
    passwords.mail_password(db, user_id=account.id, email=account.email, mailed=mailed, write=write)


def summarise(db: Connection, *, user_id: int) -> str:
    """An account in a few words, on the tables of any release.

    Raises:
        NotFound: when it is not there.
    """
    email = merging.get_email(db, user_id=user_id)
    if email is None:
        raise NotFound("user")
    return f"{user_id} ({email}, {merging.count_sessions(db, user_id=user_id)} sessions)"


def merge(db: Connection, *, keep: int, drop: int) -> int:
    """Give ``keep`` everything that ``drop`` owns and remove ``drop``; returns how many sessions moved.

    The password, profile and address of ``keep`` stay as they are; logins and links of ``drop`` end.

    Raises:
        NotFound: when the two are not two existing accounts.
        AddressGetsNoMail: when only ``drop`` has an address that mails can be sent to.
        MergeEndsSecondFactor: when only ``drop`` has a second factor; see :func:`merge_without_factor`.
    """
    emails = _lock_both(db, keep=keep, drop=drop)
    if _ends_factor(db, keep=keep, drop=drop):
        raise MergeEndsSecondFactor(emails[drop])
    return _merge(db, keep=keep, drop=drop)


def merge_without_factor(db: Connection, *, keep: int, drop: int, keyring: Keyring, links: Links) -> int:
    """:func:`merge` also where it ends the only second factor; a mail to both addresses and an event say so then.

    Raises:
        NotFound, AddressGetsNoMail: as :func:`merge`.
    """
    emails = _lock_both(db, keep=keep, drop=drop)
    if _ends_factor(db, keep=keep, drop=drop):
        events.record(db, SecurityEvent.SECOND_FACTOR_REMOVED, user_id=keep)
        for email in emails.values():
            letter = letters.merged_without_second_factor(frontend_url=links.frontend, support=links.support)
            mail.enqueue(db, keyring=keyring, to=email, letter=letter, user_id=None)
    return _merge(db, keep=keep, drop=drop)


def _lock_both(db: Connection, *, keep: int, drop: int) -> dict[int, str]:
    """The addresses of both accounts by their ids; their rows are locked."""
    emails = merging.lock_emails(db, keep, drop)
    if not {keep, drop} <= set(emails):
        raise NotFound("user")
    if is_mailable(emails[drop]) and not is_mailable(emails[keep]):
        raise AddressGetsNoMail(emails[keep])
    return emails


def _ends_factor(db: Connection, *, keep: int, drop: int) -> bool:
    """Whether what ``drop`` owns is behind a second factor, and would not be any more."""
    if not merging.has_second_factors(db):
        return False
    have = [second_factors.get_active(db, user_id=user_id) is not None for user_id in (keep, drop)]
    return have == [False, True]


def _merge(db: Connection, *, keep: int, drop: int) -> int:
    moved = merging.move(db, keep=keep, drop=drop)
    if merging.has_events(db):
        events.record(db, SecurityEvent.MERGED, user_id=keep)
    return moved
