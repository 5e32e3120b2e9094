"""People: signing up, the investor profile, and erasing what is held about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from maverik_backend.core.addresses import mailbox_of
from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.security import Keyring
from maverik_backend.models import SecurityEvent
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts import mail
from maverik_backend.services.accounts.password import Passwords, lock_confirmed
from maverik_backend.services.accounts.records import Account, InvestorProfile, SignedIn
from maverik_backend.services.accounts.store import own_data, people
from maverik_backend.services.catalogs import Catalogs
from maverik_backend.services.limits import Action, Throttle
from maverik_backend.texts import mail as letters

PASSWORD_FIELD = "clave"  # noqa: S105 - the name of a field


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """A sign-up as it is answered: ``user_id`` is of no account where the address had one already."""

    user_id: int
    created: datetime


def sign_up(
    transaction: TransactionFactory,
    *,
    email: str,
    profile: InvestorProfile,
    catalogs: Catalogs,
    passwords: Passwords,
    throttle: Throttle,
    client_info: ClientInfo,
) -> SignUp:
    """Create the account and mail a temporary password; to an address that has an account already, mail just that.

    The client learns the same in both cases, after the same work, so addresses cannot be probed here.

    Raises:
        TooManyTries: when too many accounts were asked for from the client's address, or mails to this one.
        AddressBusy, Overloaded: when too many passwords are being hashed.
        InvalidInput: when an answer is not in its catalogue.
    """
    answers = asdict(profile)
    catalogs.check(_catalog_ids(answers))
    throttle.count(Action.SIGN_UP_FROM_ADDRESS, client_info.limit_address)
    throttle.count(Action.SIGN_UP_AS_ACCOUNT, mailbox_of(email))
    mailed = passwords.make_mailed_password(client_info=client_info)
    with transaction() as db:
        user_id, now = people.next_id(db)
        created = people.add_unless_taken(
            db,
            user_id=user_id,
            email=email,
            password_hash=mailed.password_hash,
            password_expires=passwords.temporary_password_expiry(),
            profile=answers,
        )
        events.record(db, SecurityEvent.SIGNED_UP, user_id=created, client_info=client_info)
        to, instead = passwords.mail_without_password(
            db, email, otherwise=letters.already_registered(forgot_url=passwords.links.forgot)
        )
        passwords.mail_password(
            db, user_id=created, email=to, mailed=mailed, instead=instead if created is None else None
        )
    return SignUp(user_id=user_id, created=now)


def update_profile(db: Connection, *, account: Account, changes: Mapping[str, Any], catalogs: Catalogs) -> Account:
    """Write the fields of the profile that ``changes`` names; the others stay.

    Raises:
        InvalidInput: when an answer is not in its catalogue.
    """
    catalogs.check(_catalog_ids(changes))
    changed = {field: value for field, value in changes.items() if value != getattr(account.profile, field)}
    return people.update_profile(db, user_id=account.id, values=changed) if changed else account


def delete_account(
    transaction: TransactionFactory,
    *,
    signed_in: SignedIn,
    password: str,
    passwords: Passwords,
    keyring: Keyring,
    client_info: ClientInfo,
) -> None:
    """Erase the person who asks for it with their password.

    Raises:
        TooManyTries: when the password was tried too often.
        AddressBusy, Overloaded: when too many are being verified.
        InvalidInput: when it is wrong.
        NotAuthenticated: when the login ended meanwhile; of two requests at once, one erases.
    """
    passwords.confirm(signed_in.account, password, field=PASSWORD_FIELD, client_info=client_info)
    with transaction() as db:
        account = lock_confirmed(db, signed_in, field=PASSWORD_FIELD)
        erase(db, account=account, keyring=keyring, support=passwords.links.support)


def erase(db: Connection, *, account: Account, keyring: Keyring, support: str | None) -> None:
    """Delete the account, whose row is locked, with everything the person owns; security events stay, anonymous.

    The goodbye mail is written in the same transaction. The other mails that wait are deleted with the principal.
    """
    own_data.erase(db, user_id=account.id)
    events.record(db, SecurityEvent.DELETED, user_id=None)
    letter = letters.account_deleted(support=support)
    mail.enqueue(db, keyring=keyring, to=account.email, letter=letter, user_id=None)


def _catalog_ids(values: Mapping[str, Any]) -> dict[str, int | None]:
    return {field: value for field, value in values.items() if field.endswith("_id")}
