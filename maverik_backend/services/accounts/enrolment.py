"""Adding a second factor to an account, renewing its recovery codes, removing it.

Adding takes two steps: the password gives a secret, and a first code shows that the person's app has it. What changes
how a person signs in ends their other logins and is told by mail; :data:`ENROLMENT_TTL` is how long a secret waits for
its first code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from maverik_backend.core import one_time_codes
from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.security import Keyring
from maverik_backend.errors import (
    FieldError,
    InvalidInput,
    SecondFactorActive,
    SecondFactorInactive,
    WrongSecondFactor,
)
from maverik_backend.models import SecurityEvent
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts import login as logins
from maverik_backend.services.accounts import mail, second_factor
from maverik_backend.services.accounts.password import CODE_FIELD, Passwords, lock_confirmed
from maverik_backend.services.accounts.records import Account, SignedIn
from maverik_backend.services.accounts.second_factor import SecondFactors
from maverik_backend.services.accounts.store import second_factors as store
from maverik_backend.services.limits import Action, Throttle
from maverik_backend.texts import mail as letters
from maverik_backend.texts import validation as texts
from maverik_backend.texts.mail import Letter

ENROLMENT_TTL = timedelta(hours=1)
PASSWORD_FIELD = "clave"  # noqa: S105 - the name of a field


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # a secret, for no log
class Enrolment:
    """A secret in base32 that waits for its first code, and the ``otpauth://`` address of it."""

    secret: str
    uri: str


class Enrolments:
    """The use cases around a person's own second factor; each opens its own short transactions."""

    def __init__(
        self,
        *,
        transaction: TransactionFactory,
        keyring: Keyring,
        passwords: Passwords,
        second_factors: SecondFactors,
        throttle: Throttle,
    ) -> None:
        self._transaction = transaction
        self._keyring = keyring
        self._passwords = passwords
        self._second_factors = second_factors
        self._throttle = throttle

    def start(self, *, signed_in: SignedIn, password: str, client_info: ClientInfo) -> Enrolment:
        """A new secret; one that still waits for its first code is replaced.

        Raises:
            TooManyTries: when the password was tried too often.
            AddressBusy, Overloaded: when too many are being verified.
            InvalidInput: when it is wrong.
            SecondFactorActive: when the account has a second factor.
            NotAuthenticated: when the login ended meanwhile.
        """
        self._passwords.confirm(signed_in.account, password, field=PASSWORD_FIELD, client_info=client_info)
        secret = one_time_codes.generate_secret()
        with self._transaction() as db:
            account = lock_confirmed(db, signed_in, field=PASSWORD_FIELD)
            sealed = second_factor.seal(self._keyring, user_id=account.id, secret=secret)
            if not store.put_waiting(db, user_id=account.id, sealed_secret=sealed):
                raise SecondFactorActive
        return Enrolment(secret=secret, uri=one_time_codes.enrolment_uri(secret, account=account.email))

    def confirm(self, *, signed_in: SignedIn, code: str, client_info: ClientInfo) -> list[str]:
        """Activate the secret with its first code; the recovery codes, which are shown this once.

        Raises:
            TooManyTries: when codes were tried too often from the client's address.
            InvalidInput: when the code is not right.
            SecondFactorInactive: when no secret waits for one.
            NotAuthenticated: when the login ended.
        """
        self._throttle.count(Action.SECOND_FACTOR_FROM_ADDRESS, str(signed_in.account.id), client_info.limit_address)
        with self._transaction() as db:
            account = logins.lock(db, signed_in)
            factor = store.get_waiting(db, user_id=account.id, ttl=ENROLMENT_TTL)
            if factor is None:
                raise SecondFactorInactive
            step = self._second_factors.step_of(factor, code)
            if step is None:
                raise _wrong_code()
            store.activate(db, factor_id=factor.id, step=step)
            codes = second_factor.replace_recovery_codes(db, user_id=account.id)
            logins.end_other_logins(db, signed_in=signed_in, has_second_factor=True)
            links = self._passwords.links
            letter = letters.second_factor_added(forgot_url=links.forgot, support=links.support)
            self._tell(db, account, SecurityEvent.SECOND_FACTOR_ADDED, letter, client_info=client_info)
        return codes

    def renew_recovery_codes(
        self, *, signed_in: SignedIn, password: str, code: str, client_info: ClientInfo
    ) -> list[str]:
        """New recovery codes, which are shown this once; the earlier ones end.

        Raises:
            TooManyTries, AddressBusy, Overloaded, InvalidInput, SecondFactorInactive, NotAuthenticated: as
                :meth:`remove`.
        """
        with self._confirmed(signed_in, password=password, code=code, client_info=client_info) as (db, account):
            codes = second_factor.replace_recovery_codes(db, user_id=account.id)
            letter = letters.recovery_codes_renewed(forgot_url=self._passwords.links.forgot)
            self._tell(db, account, SecurityEvent.RECOVERY_CODES_RENEWED, letter, client_info=client_info)
        return codes

    def remove(self, *, signed_in: SignedIn, password: str, code: str, client_info: ClientInfo) -> None:
        """Remove the second factor with its recovery codes, knowing the password and having a code.

        Raises:
            TooManyTries: when the password or codes were tried too often.
            AddressBusy, Overloaded: when too many passwords are being verified.
            InvalidInput: when one of them is not right.
            SecondFactorInactive: when there is none.
            NotAuthenticated: when the login ended meanwhile.
        """
        with self._confirmed(signed_in, password=password, code=code, client_info=client_info) as (db, account):
            store.remove(db, user_id=account.id)
            logins.end_other_logins(db, signed_in=signed_in, has_second_factor=False)
            letter = letters.second_factor_removed(forgot_url=self._passwords.links.forgot)
            self._tell(db, account, SecurityEvent.SECOND_FACTOR_REMOVED, letter, client_info=client_info)

    @contextmanager
    def _confirmed(
        self, signed_in: SignedIn, *, password: str, code: str, client_info: ClientInfo
    ) -> Iterator[tuple[Connection, Account]]:
        """A transaction with the person's row locked, in which the password was right and the code is used up."""
        self._passwords.confirm(signed_in.account, password, field=PASSWORD_FIELD, client_info=client_info)
        self._second_factors.count_try(user_id=signed_in.account.id, code=code, client_info=client_info)
        try:
            with self._transaction() as db:
                account = lock_confirmed(db, signed_in, field=PASSWORD_FIELD)
                if not self._second_factors.demand(db, account=account, code=code, client_info=client_info):
                    raise SecondFactorInactive
                yield db, account
        except WrongSecondFactor:
            self._second_factors.record_failure(user_id=signed_in.account.id, client_info=client_info)
            raise _wrong_code() from None

    def _tell(
        self, db: Connection, account: Account, event: SecurityEvent, letter: Letter, *, client_info: ClientInfo
    ) -> None:
        events.record(db, event, user_id=account.id, client_info=client_info)
        mail.enqueue(db, keyring=self._keyring, to=account.email, letter=letter, user_id=account.id)


def _wrong_code() -> InvalidInput:
    return InvalidInput([FieldError(CODE_FIELD, texts.WRONG_CODE)])
