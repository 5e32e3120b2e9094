"""Second factors: sealed TOTP secrets, recovery codes, and using a code up.

A code is used up in the transaction of what it allows, by one statement that compares and sets, so of two uses at once
one succeeds, on whatever replica. Adding and removing a second factor is in ``services/accounts/enrolment.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import structlog
from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from maverik_backend.core import one_time_codes
from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.security import Keyring, Purpose, Unsealable
from maverik_backend.errors import SecondFactorRequired, WrongSecondFactor
from maverik_backend.models import CodigoRecuperacion, SecurityEvent, SegundoFactor, Usuario
from maverik_backend.services.accounts import event as events
from maverik_backend.services.jobs import outbox
from maverik_backend.services.limits import Action, Throttle
from maverik_backend.texts import mail as letters

Clock = Callable[[], float]
"""Seconds since 1970."""
RESEALED_AT_ONCE = 500

_log = structlog.get_logger(__name__)


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
        with self._transaction() as session:
            if get_active(session, user_id=user_id) is None:
                return
        self._throttle.count(Action.SECOND_FACTOR_FROM_ADDRESS, str(user_id), client_info.limit_address)
        if one_time_codes.is_totp(code):
            self._throttle.count(Action.SECOND_FACTOR_FROM_ANYWHERE, str(user_id))

    def demand(self, session: Session, *, user: Usuario, code: str | None, client_info: ClientInfo) -> bool:
        """Use up ``code`` where the account asks for one; whether it does. The person's row is locked.

        Raises:
            SecondFactorRequired: when there is no code; a login then has to :meth:`note_missing`.
            WrongSecondFactor: when it is not right; then :meth:`note_failure`.
        """
        factor = get_active(session, user_id=user.id)
        if factor is None:
            return False
        if code is None:
            raise SecondFactorRequired
        if one_time_codes.is_totp(code):
            self._use_totp(session, factor, code)
        else:
            self._use_recovery_code(session, user, code, client_info)
        return True

    def note_failure(self, *, user_id: int, client_info: ClientInfo) -> None:
        """Write down that a wrong code came with the right key, after the transaction that found out."""
        self._note(SecurityEvent.SECOND_FACTOR_FAILED, user_id=user_id, client_info=client_info)

    def note_missing(self, *, user_id: int, client_info: ClientInfo) -> None:
        """Write down that the right key came without a code: the one sign of a key that somebody else has."""
        self._note(SecurityEvent.SECOND_FACTOR_ASKED, user_id=user_id, client_info=client_info)

    def step_of(self, factor: SegundoFactor, code: str) -> int | None:
        """The time step that ``code`` is of; ``None`` when it is none of this secret's and of now."""
        try:
            secret = unseal(self._keyring, factor)
        except Unsealable:
            # SECRET_KEY lost a key too early (docs/OPERATIONS.md): only recovery codes are left to this person.
            _log.error("second_factor_unsealable", user_id=factor.usuario_id)
            return None
        return one_time_codes.step_of(secret, code, now_s=self._clock()) if one_time_codes.is_totp(code) else None

    def _note(self, event: SecurityEvent, *, user_id: int, client_info: ClientInfo) -> None:
        with self._transaction() as session:
            events.record_afterwards(session, event, user_id=user_id, client_info=client_info)

    def _use_totp(self, session: Session, factor: SegundoFactor, code: str) -> None:
        step = self.step_of(factor, code)
        if step is None or not _advance(session, factor, step):
            raise WrongSecondFactor

    def _use_recovery_code(self, session: Session, user: Usuario, code: str, client_info: ClientInfo) -> None:
        if not one_time_codes.is_recovery_code(code) or not _spend(session, user_id=user.id, code=code):
            raise WrongSecondFactor
        events.record(session, SecurityEvent.RECOVERY_CODE_USED, user_id=user.id, client_info=client_info)
        left = count_recovery_codes(session, user_id=user.id)
        letter = letters.recovery_code_used(left=left, forgot_url=self._forgot_url)
        outbox.enqueue(session, keyring=self._keyring, to=user.email, letter=letter)


def get_active(session: Session, *, user_id: int) -> SegundoFactor | None:
    """The account's second factor, once it is confirmed."""
    return session.scalar(
        select(SegundoFactor).where(SegundoFactor.usuario_id == user_id, SegundoFactor.activado.is_not(None))
    )


def count_recovery_codes(session: Session, *, user_id: int) -> int:
    """How many the person has left."""
    mine = select(func.count()).select_from(CodigoRecuperacion).where(CodigoRecuperacion.usuario_id == user_id)
    return session.scalar(mine) or 0


def replace_recovery_codes(session: Session, *, user_id: int) -> list[str]:
    """New codes, to be shown once; the earlier ones end."""
    codes = one_time_codes.generate_recovery_codes()
    session.execute(delete(CodigoRecuperacion).where(CodigoRecuperacion.usuario_id == user_id))
    session.execute(
        insert(CodigoRecuperacion),
        [{"usuario_id": user_id, "resumen": one_time_codes.digest(code)} for code in codes],
    )
    return codes


def remove(session: Session, *, user_id: int) -> bool:
    """Delete the second factor with its recovery codes; whether there was an active one."""
    session.execute(delete(CodigoRecuperacion).where(CodigoRecuperacion.usuario_id == user_id))
    removed = session.scalars(
        delete(SegundoFactor).where(SegundoFactor.usuario_id == user_id).returning(SegundoFactor.activado)
    )
    return any(removed.all())


def seal(keyring: Keyring, *, user_id: int, secret: str) -> str:
    """What is stored of a secret. It names its owner, so that it opens in no other account's row."""
    content = {"user_id": user_id, "secret": secret}
    return keyring.seal(json.dumps(content).encode(), purpose=Purpose.SECOND_FACTOR)


def unseal(keyring: Keyring, factor: SegundoFactor) -> str:
    """The secret of ``factor``, in base32.

    Raises:
        Unsealable: when none of our keys sealed it, or it was sealed for another account.
    """
    content = json.loads(keyring.unseal(factor.secreto, purpose=Purpose.SECOND_FACTOR))
    if content["user_id"] != factor.usuario_id:
        raise Unsealable("owner")
    return str(content["secret"])


def reseal(transaction: TransactionFactory, *, keyring: Keyring, batch_size: int = RESEALED_AT_ONCE) -> int:
    """Seal with the first key what another one sealed, so that the other can be dropped; how many secrets it was.

    What no key opens is left as it is, and logged.
    """
    resealed, after = 0, 0
    while True:
        with transaction() as session:
            factors = session.scalars(
                select(SegundoFactor).where(SegundoFactor.id > after).order_by(SegundoFactor.id).limit(batch_size)
            ).all()
            resealed += sum(_reseal(session, keyring, factor) for factor in factors)
        if len(factors) < batch_size:
            return resealed
        after = factors[-1].id


def _reseal(session: Session, keyring: Keyring, factor: SegundoFactor) -> bool:
    if keyring.is_sealed_with_first_key(factor.secreto):
        return False
    try:
        sealed = seal(keyring, user_id=factor.usuario_id, secret=unseal(keyring, factor))
    except Unsealable:
        _log.error("second_factor_unsealable", user_id=factor.usuario_id)
        return False
    # Unless it was replaced or removed meanwhile.
    return _changes(session, SegundoFactor.id == factor.id, SegundoFactor.secreto == factor.secreto, secreto=sealed)


def _advance(session: Session, factor: SegundoFactor, step: int) -> bool:
    """Compare and set: whether ``step`` is later than that of every code used before."""
    is_later = or_(SegundoFactor.ultimo_paso.is_(None), SegundoFactor.ultimo_paso < step)
    return _changes(session, SegundoFactor.id == factor.id, is_later, ultimo_paso=step)


def _changes(session: Session, *which: ColumnElement[bool], **values: object) -> bool:
    changed = session.execute(
        update(SegundoFactor)
        .where(*which)
        .values(**values)
        .returning(SegundoFactor.id)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.all())


def _spend(session: Session, *, user_id: int, code: str) -> bool:
    """Delete the recovery code; whether it was there, which it is once."""
    digest = one_time_codes.digest(code)
    spent = session.execute(
        delete(CodigoRecuperacion)
        .where(CodigoRecuperacion.usuario_id == user_id, CodigoRecuperacion.resumen == digest)
        .returning(CodigoRecuperacion.id)
        .execution_options(synchronize_session=False)
    )
    return bool(spent.all())
