"""Second factors: sealed TOTP secrets, recovery codes, and using a code up.

A code is used up in the transaction of what it allows, by one statement that compares and sets, so of two uses at once
one succeeds, on whatever replica. Adding and removing a second factor is in ``services/accounts/enrolment.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from maverik_backend.core import one_time_codes
from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.security import Keyring, Purpose, Unsealable
from maverik_backend.errors import SecondFactorRequired, WrongSecondFactor
from maverik_backend.models import SecurityEvent
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts import mail
from maverik_backend.services.accounts.records import Account, SecondFactor
from maverik_backend.services.accounts.store import second_factors as store
from maverik_backend.services.limits import Action, Throttle
from maverik_backend.texts import mail as letters

Clock = Callable[[], float]
"""Seconds since 1970."""
SECRETS_PER_TRANSACTION = 500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorStatus:
    """Whether an account asks for a second factor (``activated`` is since when), and how many recovery codes it has."""

    activated: datetime | None
    recovery_codes_left: int


class SecondFactors:
    """Checks the codes of accounts that have a second factor."""

    def __init__(
        self, *, transaction: TransactionFactory, keyring: Keyring, throttle: Throttle, clock: Clock, forgot_url: str
    ) -> None:
        self._transaction = transaction
        self._keyring = keyring
        self._throttle = throttle
        self._clock = clock
        self._forgot_url = forgot_url

    def count_try(self, *, user_id: int, code: str | None, client_info: ClientInfo) -> None:
        """Count a code that is about to be tried; call it with no transaction open.

        Accounts without a second factor are not counted: there a code means nothing.

        Raises:
            TooManyTries: when codes of the account were tried too often.
        """
        if code is None:
            return
        with self._transaction() as db:
            if store.get_active(db, user_id=user_id) is None:
                return
        self._throttle.count(Action.SECOND_FACTOR_FROM_ADDRESS, str(user_id), client_info.limit_address)
        if one_time_codes.is_totp(code):
            self._throttle.count(Action.SECOND_FACTOR_FROM_ANYWHERE, str(user_id))

    def demand(self, db: Connection, *, account: Account, code: str | None, client_info: ClientInfo) -> bool:
        """Use up ``code`` where the account asks for one; whether it does. The account's row is locked.

        Raises:
            SecondFactorRequired: when there is no code; a login then has to :meth:`record_missing`.
            WrongSecondFactor: when it is not right; then :meth:`record_failure`.
        """
        factor = store.get_active(db, user_id=account.id)
        if factor is None:
            return False
        if code is None:
            raise SecondFactorRequired
        if one_time_codes.is_totp(code):
            self._use_totp(db, factor, code)
        else:
            self._use_recovery_code(db, account, code, client_info)
        return True

    def record_failure(self, *, user_id: int, client_info: ClientInfo) -> None:
        """Record that a wrong code came with the right password, after the transaction that found out."""
        self._record(SecurityEvent.SECOND_FACTOR_FAILED, user_id=user_id, client_info=client_info)

    def record_missing(self, *, user_id: int, client_info: ClientInfo) -> None:
        """Record that the right password came without a code: the one sign that it is known to another person."""
        self._record(SecurityEvent.SECOND_FACTOR_ASKED, user_id=user_id, client_info=client_info)

    def step_of(self, factor: SecondFactor, code: str) -> int | None:
        """The time step that ``code`` is of; ``None`` when it is none of this secret's and of now."""
        try:
            secret = unseal(self._keyring, factor)
        except Unsealable:
            # SECRET_KEY lost a key too early (docs/OPERATIONS.md): only recovery codes work for this account.
            _log.error("second_factor_unsealable", user_id=factor.user_id)
            return None
        return one_time_codes.step_of(secret, code, now_s=self._clock()) if one_time_codes.is_totp(code) else None

    def _record(self, event: SecurityEvent, *, user_id: int, client_info: ClientInfo) -> None:
        with self._transaction() as db:
            events.record_afterwards(db, event, user_id=user_id, client_info=client_info)

    def _use_totp(self, db: Connection, factor: SecondFactor, code: str) -> None:
        step = self.step_of(factor, code)
        if step is None or not store.advance(db, factor_id=factor.id, step=step):
            raise WrongSecondFactor

    def _use_recovery_code(self, db: Connection, account: Account, code: str, client_info: ClientInfo) -> None:
        if not one_time_codes.is_recovery_code(code) or not _spend(db, user_id=account.id, code=code):
            raise WrongSecondFactor
        events.record(db, SecurityEvent.RECOVERY_CODE_USED, user_id=account.id, client_info=client_info)
        left = store.count_codes(db, user_id=account.id)
        letter = letters.recovery_code_used(left=left, forgot_url=self._forgot_url)
        mail.enqueue(db, keyring=self._keyring, to=account.email, letter=letter, user_id=account.id)


def get_second_factor(db: Connection, *, user_id: int) -> SecondFactorStatus:
    """Whether the person's account asks for a second factor."""
    factor = store.get_active(db, user_id=user_id)
    left = store.count_codes(db, user_id=user_id)
    return SecondFactorStatus(activated=factor.activated if factor else None, recovery_codes_left=left)


def replace_recovery_codes(db: Connection, *, user_id: int) -> list[str]:
    """New codes, to be shown once; the earlier ones end."""
    codes = one_time_codes.generate_recovery_codes()
    store.delete_codes(db, user_id=user_id)
    store.add_codes(db, user_id=user_id, digests=[one_time_codes.digest(code) for code in codes])
    return codes


def seal(keyring: Keyring, *, user_id: int, secret: str) -> str:
    """What is stored of a secret. It names its owner, so that it opens in no other account's row."""
    content = {"user_id": user_id, "secret": secret}
    return keyring.seal(json.dumps(content).encode(), purpose=Purpose.SECOND_FACTOR)


def unseal(keyring: Keyring, factor: SecondFactor) -> str:
    """The secret of ``factor``, in base32.

    Raises:
        Unsealable: when none of our keys sealed it, or it was sealed for another account.
    """
    content = json.loads(keyring.unseal(factor.sealed_secret, purpose=Purpose.SECOND_FACTOR))
    if content["user_id"] != factor.user_id:
        raise Unsealable("owner")
    return str(content["secret"])


def reseal(transaction: TransactionFactory, *, keyring: Keyring, batch_size: int = SECRETS_PER_TRANSACTION) -> int:
    """Seal with the first key what another one sealed, so that the other can be dropped; how many secrets it was.

    What no key opens is left as it is, and logged.
    """
    resealed, after = 0, 0
    while True:
        with transaction() as db:
            factors = store.get_batch(db, after=after, limit=batch_size)
            resealed += sum(_reseal(db, keyring, factor) for factor in factors)
        if len(factors) < batch_size:
            return resealed
        after = factors[-1].id


def _reseal(db: Connection, keyring: Keyring, factor: SecondFactor) -> bool:
    if keyring.is_sealed_with_first_key(factor.sealed_secret):
        return False
    try:
        sealed = seal(keyring, user_id=factor.user_id, secret=unseal(keyring, factor))
    except Unsealable:
        _log.error("second_factor_unsealable", user_id=factor.user_id)
        return False
    return store.replace_secret(db, factor=factor, sealed_secret=sealed)


def _spend(db: Connection, *, user_id: int, code: str) -> bool:
    return store.spend_code(db, user_id=user_id, digest=one_time_codes.digest(code))
