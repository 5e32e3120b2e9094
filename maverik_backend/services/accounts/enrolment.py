"""Adding a second factor to an account, renewing its recovery codes, removing it.

Adding takes two steps: the key gives a secret, and a first code shows that the person's app has it. Whatever changes
what signs a person in ends their other logins and is said by mail; :data:`ENROLMENT_TTL` is how long a secret waits
for its first code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

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
from maverik_backend.models import SecurityEvent, SegundoFactor, Usuario
from maverik_backend.services.accounts import auth, second_factor
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts.auth import SignedIn
from maverik_backend.services.accounts.password import CODE_FIELD, Passwords, lock_confirmed
from maverik_backend.services.accounts.second_factor import SecondFactors
from maverik_backend.services.jobs import outbox
from maverik_backend.services.limits import Action, Throttle
from maverik_backend.texts import mail as letters
from maverik_backend.texts import validation as texts
from maverik_backend.texts.mail import Letter

ENROLMENT_TTL = timedelta(hours=1)
KEY_FIELD = "clave"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # no log shall show it
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
            TooManyTries: when the key was tried too often.
            InvalidInput: when it is wrong.
            SecondFactorActive: when the account has a second factor.
            NotAuthenticated: when the login ended meanwhile.
        """
        self._passwords.require_key(signed_in.user, password, field=KEY_FIELD, client_info=client_info)
        secret = one_time_codes.generate_secret()
        with self._transaction() as session:
            user = lock_confirmed(session, signed_in, field=KEY_FIELD)
            if not _store(session, user, second_factor.seal(self._keyring, user_id=user.id, secret=secret)):
                raise SecondFactorActive
        return Enrolment(secret=secret, uri=one_time_codes.enrolment_uri(secret, account=user.email))

    def confirm(self, *, signed_in: SignedIn, code: str, client_info: ClientInfo) -> list[str]:
        """Activate the secret with its first code; the recovery codes, which are shown this once.

        Raises:
            TooManyTries: when codes were tried too often from the client's address.
            InvalidInput: when the code is not right.
            SecondFactorInactive: when no secret waits for one.
            NotAuthenticated: when the login ended.
        """
        self._throttle.count(Action.SECOND_FACTOR_FROM_ADDRESS, str(signed_in.user.id), client_info.limit_address)
        with self._transaction() as session:
            user = auth.lock(session, signed_in)
            factor = session.scalar(select(SegundoFactor).where(SegundoFactor.usuario_id == user.id, *is_waiting()))
            if factor is None:
                raise SecondFactorInactive
            factor.ultimo_paso = self._second_factors.step_of(factor, code)
            if factor.ultimo_paso is None:
                raise _wrong_code()
            factor.activado = func.now()
            codes = second_factor.replace_recovery_codes(session, user_id=user.id)
            auth.end_other_logins(session, signed_in=signed_in, has_second_factor=True)
            links = self._passwords.links
            letter = letters.second_factor_added(forgot_url=links.forgot, support=links.support)
            self._tell(session, user, SecurityEvent.SECOND_FACTOR_ADDED, letter, client_info=client_info)
        return codes

    def renew_recovery_codes(
        self, *, signed_in: SignedIn, password: str, code: str, client_info: ClientInfo
    ) -> list[str]:
        """New recovery codes, which are shown this once; the earlier ones end.

        Raises:
            TooManyTries, InvalidInput, SecondFactorInactive, NotAuthenticated: as :meth:`remove`.
        """
        with self._confirmed(signed_in, password=password, code=code, client_info=client_info) as (session, user):
            codes = second_factor.replace_recovery_codes(session, user_id=user.id)
            letter = letters.recovery_codes_renewed(forgot_url=self._passwords.links.forgot)
            self._tell(session, user, SecurityEvent.RECOVERY_CODES_RENEWED, letter, client_info=client_info)
        return codes

    def remove(self, *, signed_in: SignedIn, password: str, code: str, client_info: ClientInfo) -> None:
        """Remove the second factor with its recovery codes, knowing the key and having a code.

        Raises:
            TooManyTries: when the key or codes were tried too often.
            InvalidInput: when one of them is not right.
            SecondFactorInactive: when there is none.
            NotAuthenticated: when the login ended meanwhile.
        """
        with self._confirmed(signed_in, password=password, code=code, client_info=client_info) as (session, user):
            second_factor.remove(session, user_id=user.id)
            auth.end_other_logins(session, signed_in=signed_in, has_second_factor=False)
            letter = letters.second_factor_removed(forgot_url=self._passwords.links.forgot)
            self._tell(session, user, SecurityEvent.SECOND_FACTOR_REMOVED, letter, client_info=client_info)

    @contextmanager
    def _confirmed(
        self, signed_in: SignedIn, *, password: str, code: str, client_info: ClientInfo
    ) -> Iterator[tuple[Session, Usuario]]:
        """A transaction with the person's row locked, in which the key was right and the code is used up."""
        self._passwords.require_key(signed_in.user, password, field=KEY_FIELD, client_info=client_info)
        self._second_factors.count_try(user_id=signed_in.user.id, code=code, client_info=client_info)
        try:
            with self._transaction() as session:
                user = lock_confirmed(session, signed_in, field=KEY_FIELD)
                if not self._second_factors.demand(session, user=user, code=code, client_info=client_info):
                    raise SecondFactorInactive
                yield session, user
        except WrongSecondFactor:
            self._second_factors.note_failure(user_id=signed_in.user.id, client_info=client_info)
            raise _wrong_code() from None

    def _tell(
        self, session: Session, user: Usuario, event: SecurityEvent, letter: Letter, *, client_info: ClientInfo
    ) -> None:
        events.record(session, event, user_id=user.id, client_info=client_info)
        outbox.enqueue(session, keyring=self._keyring, to=user.email, letter=letter)


def is_waiting() -> tuple[ColumnElement[bool], ...]:
    """What holds of a secret that may still be confirmed."""
    return SegundoFactor.activado.is_(None), SegundoFactor.fecha_creacion > func.now() - ENROLMENT_TTL


def _store(session: Session, user: Usuario, sealed: str) -> bool:
    """Keep the secret until it is confirmed; whether there is no active one."""
    stored = insert(SegundoFactor).values(usuario_id=user.id, secreto=sealed)
    stored = stored.on_conflict_do_update(
        index_elements=[SegundoFactor.usuario_id],
        set_={"secreto": sealed, "fecha_creacion": func.now()},
        where=SegundoFactor.activado.is_(None),
    )
    return session.scalar(stored.returning(SegundoFactor.id)) is not None


def _wrong_code() -> InvalidInput:
    return InvalidInput([FieldError(CODE_FIELD, texts.WRONG_CODE)])
