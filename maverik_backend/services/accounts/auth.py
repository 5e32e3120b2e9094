"""Signing in and staying signed in: credentials become logins, refresh tokens new ones.

A login is a row of ``inicio_sesion``; tokens only name it, so closing the row ends them all at once. Refresh tokens
rotate: each may be used once. Using an older one again means that it was copied, and closes the login (RFC 9700,
section 4.14.2). Only within :data:`REUSE_GRACE`, and only once, it may be a client that lost the response.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.security import PasswordHasher
from maverik_backend.core.tokens import Tokens
from maverik_backend.errors import NotAuthenticated, SecondFactorRequired, WrongCredentials, WrongSecondFactor
from maverik_backend.models import SecurityEvent
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts.event import NO_USER_ID
from maverik_backend.services.accounts.hashing import Hashing
from maverik_backend.services.accounts.login import Logins, LoginTokens
from maverik_backend.services.accounts.records import Account, LoginRecord
from maverik_backend.services.accounts.second_factor import SecondFactors
from maverik_backend.services.accounts.store import logins as login_store
from maverik_backend.services.accounts.store import people
from maverik_backend.services.limits import Action, Throttle

# A hash is renewed once in a long while; a login at that moment reads the account again.
_TRIES_WHILE_HASH_CHANGES = 2
REUSE_GRACE = timedelta(seconds=10)
LONGEST_LOGIN = timedelta(days=180)
"""However often it is refreshed, a login ends and the password is asked for again (ASVS 5.0, 7.3.2)."""
REMEMBERED_LOGINS = 50
"""The networks of so many logins of an account, the latest, are known to be its owner's."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # a password and a code, for no log
class Credentials:
    """What a person signs in with. ``code`` is of their second factor, normalised; accounts without one ignore it."""

    email: str
    password: str
    code: str | None = None


class Authenticator:
    """Turns credentials into logins, and refresh tokens into new ones."""

    def __init__(
        self,
        *,
        transaction: TransactionFactory,
        hashing: Hashing,
        tokens: Tokens,
        logins: Logins,
        second_factors: SecondFactors,
        throttle: Throttle,
    ) -> None:
        self._transaction = transaction
        self._hashing = hashing
        self._tokens = tokens
        self._logins = logins
        self._second_factors = second_factors
        self._throttle = throttle

    def log_in(self, credentials: Credentials, *, client_info: ClientInfo, renews_tokens: bool = False) -> LoginTokens:
        """Open a login for the person with this address and password, and code where the account asks for one.

        Hashing is slow on purpose, so it happens with no transaction open. An unknown address, a wrong password, an
        expired temporary one and a disabled account cost the same work and are the same error. That there is a second
        factor is only told after the right password.

        Raises:
            TooManyTries: when the account or the address was tried too often.
            AddressBusy, Overloaded: when too many passwords are being verified (services/accounts/hashing.py).
            WrongCredentials: when there is no such account, or it may not sign in.
            SecondFactorRequired: when it is, and a code is missing.
            WrongSecondFactor: when it is, and the code is not right.
        """
        self._count_try(credentials.email, client_info)
        with self._hashing.slot(client_info) as hasher:
            self._count_try_from_anywhere(credentials.email, client_info)
            tokens = self._log_in(hasher, credentials, client_info=client_info, renews_tokens=renews_tokens)
        self._throttle.reset_counter(Action.LOG_IN_TO_ACCOUNT, credentials.email, client_info.limit_address)
        return tokens

    def refresh(self, *, refresh_token: str, client_info: ClientInfo) -> LoginTokens:
        """New tokens for the login that ``refresh_token`` belongs to; the token itself is used up.

        Raises:
            TooManyTries: when this was tried too often from the client's address.
            NotAuthenticated: when the token does not hold, or its login is closed; also when it was used before, which
                closes the login.
        """
        self._throttle.count(Action.REFRESH_FROM_ADDRESS, client_info.limit_address)
        claims = self._tokens.read_refresh(refresh_token)
        with self._transaction() as db:
            locked = login_store.lock_login(db, login_id=claims.login_id, recent=REUSE_GRACE)
            if locked is None:
                raise NotAuthenticated("closed")
            login, account, is_recent = locked
            may_be_lost = is_recent and claims.rotation == login.rotation - 1
            is_current = claims.rotation == login.rotation
            is_reused = not is_current and not (may_be_lost and claims.rotation != login.repeated_rotation)
            if is_current:
                login = self._rotate(db, login)
            elif is_reused:
                login_store.close(db, login_id=login.id, user_id=account.id)
                events.record(db, SecurityEvent.REFRESH_REUSED, user_id=account.id, client_info=client_info)
            else:
                login_store.mark_repeated(db, login_id=login.id, rotation=claims.rotation)
                events.record(db, SecurityEvent.REFRESH_REPEATED, user_id=account.id, client_info=client_info)
        if is_reused:  # raised after the commit that closed the login
            raise NotAuthenticated("reused")
        return self._logins.issue(account=account, login=login)

    def _rotate(self, db: Connection, login: LoginRecord) -> LoginRecord:
        expires = min(datetime.now(UTC) + self._tokens.refresh_ttl, login.created + LONGEST_LOGIN)
        return login_store.rotate(db, login_id=login.id, expires=expires)

    def _count_try(self, email: str, client_info: ClientInfo) -> None:
        """Count before a slot is waited for, so that an address whose limit is used up takes none."""
        self._throttle.count(Action.LOG_IN_FROM_ADDRESS, client_info.limit_address)
        self._throttle.count(Action.LOG_IN_TO_ACCOUNT, email, client_info.limit_address)
        self._throttle.count(Action.LOG_IN_TO_ACCOUNT_FROM_NETWORK, email, client_info.network)

    def _count_try_from_anywhere(self, email: str, client_info: ClientInfo) -> None:
        """Count before the account is looked up; all accounts, known or not, cost the same statement here.

        In networks where the account was signed in to before, tries from elsewhere are not counted against it.
        """
        with self._transaction() as db:
            is_known = login_store.is_known_network(
                db, email=email, network=client_info.network, remembered=REMEMBERED_LOGINS
            )
        if not is_known:
            self._throttle.count(Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE, email)

    def _log_in(
        self, hasher: PasswordHasher, credentials: Credentials, *, client_info: ClientInfo, renews_tokens: bool
    ) -> LoginTokens:
        for _ in range(_TRIES_WHILE_HASH_CHANGES):
            account = self._verify(hasher, credentials, client_info)
            self._second_factors.count_try(user_id=account.id, code=credentials.code, client_info=client_info)
            is_outdated = hasher.is_outdated(account.password_hash)
            new_hash = hasher.hash(credentials.password) if is_outdated else account.password_hash
            if tokens := self._open(
                account, credentials, new_hash=new_hash, client_info=client_info, renews_tokens=renews_tokens
            ):
                return tokens
        raise WrongCredentials

    def _verify(self, hasher: PasswordHasher, credentials: Credentials, client_info: ClientInfo) -> Account:
        """The account whose password this is."""
        with self._transaction() as db:
            account = people.get_by_email(db, credentials.email)
        matches = hasher.verify(account.password_hash if account else None, credentials.password)
        if account is not None and matches and _may_sign_in(account):
            return account
        user_id = account.id if account else NO_USER_ID
        with self._transaction() as db:
            events.record_afterwards(db, SecurityEvent.LOGIN_FAILED, user_id=user_id, client_info=client_info)
        raise WrongCredentials

    def _open(
        self,
        account: Account,
        credentials: Credentials,
        *,
        new_hash: str,
        client_info: ClientInfo,
        renews_tokens: bool,
    ) -> LoginTokens | None:
        """A login for the account that was verified; ``None`` when its password or state changed since."""
        try:
            with self._transaction() as db:
                if not people.confirm_password(db, account=account, new_hash=new_hash):
                    return None
                has_second_factor = self._second_factors.demand(
                    db, account=account, code=credentials.code, client_info=client_info
                )
                login = self._logins.open(
                    db,
                    account=account,
                    has_second_factor=has_second_factor,
                    renews_tokens=renews_tokens,
                    client_info=client_info,
                )
                if account.email_verified is None:
                    events.record(db, SecurityEvent.EMAIL_VERIFIED, user_id=account.id, client_info=client_info)
        except SecondFactorRequired:
            self._second_factors.record_missing(user_id=account.id, client_info=client_info)
            raise
        except WrongSecondFactor:
            self._second_factors.record_failure(user_id=account.id, client_info=client_info)
            raise
        return self._logins.issue(account=account, login=login)


def _may_sign_in(account: Account) -> bool:
    expired = account.password_expires is not None and account.password_expires <= datetime.now(UTC)
    return account.disabled is None and not expired
