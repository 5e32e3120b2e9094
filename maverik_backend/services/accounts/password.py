"""Setting, changing and restoring passwords.

A mailed password expires unless it is used in time (the first login clears ``clave_vence``), a mailed link always, and
it works once. Setting a password ends every other login and says so by mail, so that its owner notices.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from maverik_backend.core import passwords
from maverik_backend.core.addresses import mailbox_of
from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.mail_links import Links
from maverik_backend.core.security import Keyring, PasswordHasher, generate_temporary_password
from maverik_backend.errors import FieldError, InvalidInput, SecondFactorRequired, WrongSecondFactor
from maverik_backend.models import SecurityEvent
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts import login as logins
from maverik_backend.services.accounts import mail
from maverik_backend.services.accounts.event import NO_USER_ID
from maverik_backend.services.accounts.hashing import Hashing
from maverik_backend.services.accounts.login import Logins, LoginTokens
from maverik_backend.services.accounts.records import Account, LoginRecord, SignedIn
from maverik_backend.services.accounts.second_factor import SecondFactors
from maverik_backend.services.accounts.store import links as link_store
from maverik_backend.services.accounts.store import logins as login_store
from maverik_backend.services.accounts.store import people
from maverik_backend.services.accounts.store import second_factors as factor_store
from maverik_backend.services.limits import Action, Throttle
from maverik_backend.texts import mail as letters
from maverik_backend.texts import validation as texts
from maverik_backend.texts.mail import Letter

NEW_PASSWORD_FIELD = "clave_nueva"  # noqa: S105 - the name of a field
CURRENT_PASSWORD_FIELD = "clave_actual"  # noqa: S105
CODE_FIELD = "codigo"
# Commands run in a process of their own, so this is the only client there.
OPERATOR_AT_SHELL = ClientInfo(address="shell")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # a password and a link, for no log
class MailedPassword:
    """A temporary password and a link to set another, both about to be mailed. Neither is stored as it is."""

    password: str
    password_hash: str
    link_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetDone:
    """What came of a :class:`Reset`: a login, or none, and whether signing in asks for a code as well."""

    login: LoginTokens | None
    needs_code: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # a password, a link and a code, for no log
class Reset:
    """A password to be set with the token of a mailed link; ``code`` is of a second factor, normalised.

    ``signs_in`` is false for what only sets the password and would throw the tokens away.
    """

    token: str
    new_password: str
    code: str | None = None
    renews_tokens: bool = False
    signs_in: bool = True


class Passwords:
    """The use cases around passwords; each opens its own short transactions, because hashing is slow on purpose."""

    def __init__(
        self,
        *,
        transaction: TransactionFactory,
        hashing: Hashing,
        keyring: Keyring,
        throttle: Throttle,
        logins: Logins,
        second_factors: SecondFactors,
        links: Links,
        temporary_password_ttl: timedelta,
        reset_link_ttl: timedelta,
    ) -> None:
        self._transaction = transaction
        self._hashing = hashing
        self._keyring = keyring
        self._throttle = throttle
        self._logins = logins
        self._second_factors = second_factors
        self.links = links
        self._temporary_password_ttl = temporary_password_ttl
        self._reset_link_ttl = reset_link_ttl

    def request_reset(self, *, email: str, client_info: ClientInfo) -> None:
        """Mail a link to set a new password; to an address without account, mail just that.

        The same statements run in both cases, so the answer's time tells nothing.

        Raises:
            TooManyTries: when mails to the address or from the client's address were asked for too often.
        """
        self._count_mail(email, client_info)
        token = secrets.token_urlsafe(32)
        with self._transaction() as db:
            expires = datetime.now(UTC) + self._reset_link_ttl
            user_id = link_store.add_for_email(db, email=email, token=token, expires=expires)
            events.record(db, SecurityEvent.RESET_REQUESTED, user_id=user_id, client_info=client_info)
            to, instead = self.mail_without_password(
                db, email, otherwise=letters.no_account(forgot_url=self.links.forgot)
            )
            minutes = self._reset_link_ttl // timedelta(minutes=1)
            reset_link = letters.reset_link(link=self.links.with_token(token), minutes=minutes)
            letter = instead if user_id is None else reset_link
            mail.enqueue(db, keyring=self._keyring, to=to, letter=letter, user_id=user_id)

    def resend(self, *, email: str, client_info: ClientInfo) -> None:
        """Mail a new temporary password to a person who never used theirs; to others, mail what they can do instead.

        A password that does not expire may be one that the person chose before an upgrade: it is not replaced because
        their address was typed. The same statements run in every case.

        Raises:
            TooManyTries: as :meth:`request_reset`.
            AddressBusy, Overloaded: when too many passwords are being hashed.
        """
        self._count_mail(email, client_info)
        mailed = self.make_mailed_password(client_info=client_info)
        with self._transaction() as db:
            user_id = people.replace_unused_password(
                db, email=email, password_hash=mailed.password_hash, expires=self.temporary_password_expiry()
            )
            events.record(db, SecurityEvent.PASSWORD_RESENT, user_id=user_id, client_info=client_info)
            to, instead = self.mail_without_password(
                db, email, otherwise=letters.nothing_to_resend(forgot_url=self.links.forgot)
            )
            self.mail_password(
                db, user_id=user_id, email=to, mailed=mailed, instead=instead if user_id is None else None
            )

    def require_link(self, token: str, *, client_info: ClientInfo) -> None:
        """Demand that the token of a mailed link holds; it is not used up.

        Raises:
            TooManyTries: when this was tried too often from the client's address; resetting counts as well.
            InvalidInput: when it does not hold.
        """
        self._throttle.count(Action.RESET_FROM_ADDRESS, client_info.limit_address)
        with self._transaction() as db:
            if link_store.get_owner(db, token) is None:
                raise _link_expired()

    def reset(self, reset: Reset, *, client_info: ClientInfo) -> ResetDone:
        """Set a password with a mailed link, which is used up; ends every login and opens one, despite any limit.

        None is opened unless ``reset.signs_in``.

        A link is one factor: where the account asks for a second and no code came, the password is set and nothing
        opened. Neither is the second factor's limit started anew. That the account asks for one is told: the link was
        read in its owner's mailbox.

        Raises:
            TooManyTries: when this was tried too often from the client's address, or codes of the account were.
            AddressBusy, Overloaded: when too many passwords are being hashed.
            InvalidInput: when the link does not hold, or the password or the code is not acceptable; the link stays.
        """
        self._throttle.count(Action.RESET_FROM_ADDRESS, client_info.limit_address)
        _require_unguessable(reset.new_password)
        with self._hashing.slot(client_info) as hasher:
            with self._transaction() as db:
                owner = link_store.get_owner(db, reset.token)
            _require_another(hasher, owner.password_hash if owner else None, reset.new_password)
            if owner is not None:
                self._second_factors.count_try(user_id=owner.id, code=reset.code, client_info=client_info)
            new_hash = hasher.hash(reset.new_password)
        try:
            with self._transaction() as db:
                account = _lock_owner_of(db, reset.token)
                login = self._reset(db, account, reset, new_hash=new_hash, client_info=client_info)
                needs_code = factor_store.get_active(db, user_id=account.id) is not None
        except WrongSecondFactor:
            user_id = owner.id if owner else NO_USER_ID
            self._second_factors.record_failure(user_id=user_id, client_info=client_info)
            raise InvalidInput([FieldError(CODE_FIELD, texts.WRONG_CODE)]) from None
        self._reset_counters(account, client_info)
        # The password is the person's own from now on.
        changed = replace(account, must_change_password=False)
        issued = self._logins.issue(account=changed, login=login) if login else None
        return ResetDone(login=issued, needs_code=needs_code)

    def _reset(
        self, db: Connection, account: Account, reset: Reset, *, new_hash: str, client_info: ClientInfo
    ) -> LoginRecord | None:
        if account.email_verified is None:
            events.record(db, SecurityEvent.EMAIL_VERIFIED, user_id=account.id, client_info=client_info)
        self._set(db, account, reset.new_password, new_hash, verifies_email=True)
        login_store.close_all(db, user_id=account.id)
        events.record(db, SecurityEvent.PASSWORD_RESET, user_id=account.id, client_info=client_info)
        if not reset.signs_in:
            self._logins.remember_network(db, account=account, client_info=client_info)
            return None
        try:
            has_second_factor = self._second_factors.demand(
                db, account=account, code=reset.code, client_info=client_info
            )
        except SecondFactorRequired:
            self._logins.remember_network(db, account=account, client_info=client_info)
            return None
        return self._logins.open(
            db,
            account=account,
            has_second_factor=has_second_factor,
            renews_tokens=reset.renews_tokens,
            client_info=client_info,
        )

    def _reset_counters(self, account: Account, client_info: ClientInfo) -> None:
        """The link was read in the account's mailbox, so earlier tries to sign in do not count against its owner."""
        self._throttle.reset_counter(Action.LOG_IN_TO_ACCOUNT, account.email, client_info.limit_address)
        self._throttle.reset_counter(Action.LOG_IN_TO_ACCOUNT_FROM_NETWORK, account.email, client_info.network)
        self._throttle.reset_counter(Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE, account.email)
        self._throttle.reset_counter(Action.CONFIRM_PASSWORD, str(account.id))

    def change(self, *, signed_in: SignedIn, current: str, new_password: str, client_info: ClientInfo) -> None:
        """Set another password, knowing the current one; ends every other login.

        Raises:
            TooManyTries: when the current password was tried too often.
            AddressBusy, Overloaded: when too many passwords are being hashed.
            InvalidInput: when it is wrong or the new one is not acceptable.
            NotAuthenticated: when the login ended meanwhile.
        """
        self._throttle.count(Action.CONFIRM_PASSWORD, str(signed_in.account.id))
        with self._hashing.slot(client_info) as hasher:
            self._confirm(hasher, signed_in.account, current, field=CURRENT_PASSWORD_FIELD, client_info=client_info)
            _require_unguessable(new_password)
            _require_another(hasher, signed_in.account.password_hash, new_password)
            new_hash = hasher.hash(new_password)
        with self._transaction() as db:
            account = lock_confirmed(db, signed_in, field=CURRENT_PASSWORD_FIELD)
            self._set(db, account, new_password, new_hash)
            login_store.close_all(db, user_id=account.id, but=signed_in.login_id)
            events.record(db, SecurityEvent.PASSWORD_CHANGED, user_id=account.id, client_info=client_info)

    def confirm(self, account: Account, password: str, *, field: str, client_info: ClientInfo) -> None:
        """Demand the person's password again before something that cannot be undone; then :func:`lock_confirmed`.

        Slow on purpose: call it with no transaction open.

        Raises:
            TooManyTries: when it was tried too often.
            AddressBusy, Overloaded: when too many passwords are being verified.
            InvalidInput: when it is wrong; ``field`` is where it was sent.
        """
        self._throttle.count(Action.CONFIRM_PASSWORD, str(account.id))
        with self._hashing.slot(client_info) as hasher:
            self._confirm(hasher, account, password, field=field, client_info=client_info)

    def _confirm(
        self, hasher: PasswordHasher, account: Account, password: str, *, field: str, client_info: ClientInfo
    ) -> None:
        if not hasher.verify(account.password_hash, password):
            with self._transaction() as db:
                events.record_afterwards(
                    db, SecurityEvent.CONFIRMATION_FAILED, user_id=account.id, client_info=client_info
                )
            raise InvalidInput([FieldError(field, texts.WRONG_KEY)])

    def make_mailed_password(self, *, client_info: ClientInfo = OPERATOR_AT_SHELL) -> MailedPassword:
        """A random password and link. Slow on purpose: call it with no transaction open.

        Raises:
            AddressBusy, Overloaded: when too many passwords are being hashed.
        """
        password = generate_temporary_password()
        with self._hashing.slot(client_info) as hasher:
            password_hash = hasher.hash(password)
        return MailedPassword(password=password, password_hash=password_hash, link_token=secrets.token_urlsafe(32))

    def temporary_password_expiry(self) -> datetime:
        return datetime.now(UTC) + self._temporary_password_ttl

    def mail_password(
        self,
        db: Connection,
        *,
        user_id: int | None,
        email: str,
        mailed: MailedPassword,
        write: Callable[..., Letter] = letters.welcome,
        instead: Letter | None = None,
    ) -> None:
        """Mail the password and its link, as ``write`` puts it, to the account that holds its hash already.

        The account's earlier links end.

        Without such an account, ``instead`` is mailed; the statements are the same, so their time tells nothing.
        """
        owner_id = user_id or NO_USER_ID
        link_store.delete_all(db, user_id=owner_id)
        link_store.add_for_account(
            db, user_id=owner_id, token=mailed.link_token, expires=self.temporary_password_expiry()
        )
        hours = self._temporary_password_ttl // timedelta(hours=1)
        letter = write(
            key=mailed.password,
            link=self.links.with_token(mailed.link_token),
            frontend_url=self.links.frontend,
            change_url=self.links.change,
            hours=hours,
        )
        mail.enqueue(db, keyring=self._keyring, to=email, letter=instead or letter, user_id=user_id)

    def mail_without_password(self, db: Connection, email: str, *, otherwise: Letter) -> tuple[str, Letter]:
        """To whom and what to write when ``email`` was typed and there is no password for its account.

        The address is the account's own where there is one: databases and people have more than one idea of which
        letters are the same. The letter is the same to every disabled account, whatever was asked for.

        The account is looked up in every case, so that its time tells nothing.
        """
        to, is_disabled = people.find_addressee(db, email) or (email, False)
        disabled = letters.disabled(frontend_url=self.links.frontend, support=self.links.support)
        return to, disabled if is_disabled else otherwise

    def _set(
        self, db: Connection, account: Account, new_password: str, new_hash: str, *, verifies_email: bool = False
    ) -> None:
        if passwords.is_address(new_password, account.email):
            raise InvalidInput([FieldError(NEW_PASSWORD_FIELD, texts.KEY_IS_ADDRESS)])
        if passwords.is_about(new_password, account.email):
            raise InvalidInput([FieldError(NEW_PASSWORD_FIELD, texts.KEY_IS_ABOUT)])
        people.set_password(db, user_id=account.id, password_hash=new_hash, verifies_email=verifies_email)
        link_store.delete_all(db, user_id=account.id)
        letter = letters.password_changed(forgot_url=self.links.forgot)
        mail.enqueue(db, keyring=self._keyring, to=account.email, letter=letter, user_id=account.id)

    def _count_mail(self, email: str, client_info: ClientInfo) -> None:
        self._throttle.count(Action.MAIL_FROM_ADDRESS, client_info.limit_address)
        self._throttle.count(Action.MAIL_TO_ACCOUNT, mailbox_of(email))


def _lock_owner_of(db: Connection, token: str) -> Account:
    """Whose link this is, their row and the link locked.

    Raises:
        InvalidInput: when the link does not hold.
    """
    account = link_store.get_owner(db, token, for_update=True)
    if account is None:
        raise _link_expired()
    return account


def _link_expired() -> InvalidInput:
    return InvalidInput([FieldError("token", texts.LINK_EXPIRED)])


def lock_confirmed(db: Connection, signed_in: SignedIn, *, field: str) -> Account:
    """The account whose password was demanded before this transaction, locked; all that was true then is true now.

    Raises:
        NotAuthenticated: when the login was closed, or the account disabled or deleted meanwhile.
        InvalidInput: when the password was changed since; ``field`` is where it was sent.
    """
    account = logins.lock(db, signed_in)
    if account.password_hash != signed_in.account.password_hash:
        raise InvalidInput([FieldError(field, texts.WRONG_KEY)])
    return account


def _require_another(hasher: PasswordHasher, current_hash: str | None, new_password: str) -> None:
    """Refuse the current password as the new one: a mailed one would become permanent. The work is always done."""
    if hasher.verify(current_hash, new_password):
        raise InvalidInput([FieldError(NEW_PASSWORD_FIELD, texts.KEY_IS_CURRENT)])


def _require_unguessable(new_password: str) -> None:
    if passwords.is_common(new_password):
        raise InvalidInput([FieldError(NEW_PASSWORD_FIELD, texts.KEY_IS_COMMON)])
    if passwords.is_predictable(new_password):
        raise InvalidInput([FieldError(NEW_PASSWORD_FIELD, texts.KEY_IS_PREDICTABLE)])
