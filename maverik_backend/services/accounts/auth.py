"""Signing in and staying signed in: logins, refresh tokens, revocation.

A login is a row of ``inicio_sesion``; tokens only name it, so closing the row ends them all at once. Refresh tokens
rotate: each may be used once. Using an older one again means that somebody has a copy, and closes the login (RFC 9700,
section 4.14.2). Only within :data:`REUSE_GRACE`, and only once, it may be a client whose answer was lost on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, select, update
from sqlalchemy.orm import Session

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.principal import Principal
from maverik_backend.core.security import PasswordHasher
from maverik_backend.core.tokens import AccessClaims, Tokens
from maverik_backend.errors import (
    NotAuthenticated,
    NotFound,
    OperatorsOnly,
    OperatorWithoutSecondFactor,
    SecondFactorRequired,
    WrongCredentials,
    WrongSecondFactor,
)
from maverik_backend.models import InicioSesion, SecurityEvent, Usuario
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts.event import NOBODY
from maverik_backend.services.accounts.login import Login, Logins
from maverik_backend.services.accounts.second_factor import SecondFactors
from maverik_backend.services.limits import Action, Throttle

# A hash is renewed once in a long while; whoever signs in at that moment reads it again.
_TRIES_WHILE_HASH_CHANGES = 2
REUSE_GRACE = timedelta(seconds=10)
LONGEST_LOGIN = timedelta(days=180)
"""However often it is refreshed, a login ends and the key is asked for again (ASVS 5.0, 7.3.2)."""
REMEMBERED_LOGINS = 50
"""The networks of so many logins of an account, the latest, are known to be its owner's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Whoever sends this request, and the login that they send it with.

    ``has_second_factor`` is whether one was shown in this login.
    """

    user: Usuario
    login_id: int
    has_second_factor: bool = False

    @property
    def principal(self) -> Principal:
        return Principal(id=self.user.id)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # holds a key and a code, which no log shall show
class Credentials:
    """What somebody signs in with. ``code`` is of their second factor, normalised; accounts without one ignore it."""

    email: str
    password: str
    code: str | None = None


class Authenticator:
    """Turns credentials into logins, and refresh tokens into new ones."""

    def __init__(
        self,
        *,
        transaction: TransactionFactory,
        hasher: PasswordHasher,
        tokens: Tokens,
        logins: Logins,
        second_factors: SecondFactors,
        throttle: Throttle,
    ) -> None:
        self._transaction = transaction
        self._hasher = hasher
        self._tokens = tokens
        self._logins = logins
        self._second_factors = second_factors
        self._throttle = throttle

    def log_in(self, credentials: Credentials, *, client_info: ClientInfo, renews_tokens: bool = False) -> Login:
        """Open a login for the person with this address and key, and code where the account asks for one.

        Hashing is slow on purpose, so it happens with no transaction open. An unknown address, a wrong key, an expired
        temporary one and a disabled account cost the same work and are the same error. Only who knows the key learns
        that there is a second factor.

        Raises:
            TooManyTries: when the account or the address was tried too often.
            WrongCredentials: when this is not somebody who may sign in.
            SecondFactorRequired: when it is, and a code is missing.
            WrongSecondFactor: when it is, and the code is not right.
        """
        self._count_try(credentials.email, client_info)
        for _ in range(_TRIES_WHILE_HASH_CHANGES):
            user = self._verify(credentials, client_info)
            self._second_factors.count_try(user_id=user.id, code=credentials.code, client_info=client_info)
            if login := self._open(user, credentials, client_info=client_info, renews_tokens=renews_tokens):
                self._throttle.reset_counter(Action.LOG_IN_TO_ACCOUNT, credentials.email, client_info.limit_address)
                return login
        raise WrongCredentials

    def refresh(self, *, refresh_token: str, client_info: ClientInfo) -> Login:
        """New tokens for the login that ``refresh_token`` belongs to; the token itself is used up.

        Raises:
            TooManyTries: when this was tried too often from the client's address.
            NotAuthenticated: when the token does not hold, or its login is closed; also when it was used before, which
                closes the login.
        """
        self._throttle.count(Action.REFRESH_FROM_ADDRESS, client_info.limit_address)
        claims = self._tokens.read_refresh(refresh_token)
        with self._transaction() as session:
            login, user, is_recent = _lock_login(session, claims.login_id)
            was_repeated = claims.rotation == login.rotacion_repetida
            is_lost_answer = is_recent and claims.rotation == login.rotacion - 1 and not was_repeated
            is_reused = claims.rotation != login.rotacion and not is_lost_answer
            if claims.rotation == login.rotacion:
                self._rotate(login)
            elif is_lost_answer:
                login.rotacion_repetida = claims.rotation
                events.record(session, SecurityEvent.REFRESH_REPEATED, user_id=user.id, client_info=client_info)
            else:
                login.cerrado = func.now()
                events.record(session, SecurityEvent.REFRESH_REUSED, user_id=user.id, client_info=client_info)
        if is_reused:  # said after the commit that closed the login
            raise NotAuthenticated("reused")
        return self._logins.issue(user=user, login=login)

    def _rotate(self, login: InicioSesion) -> None:
        login.rotacion += 1
        login.ultimo_uso = func.now()
        login.vence = min(datetime.now(UTC) + self._tokens.refresh_ttl, login.fecha_creacion + LONGEST_LOGIN)

    def _count_try(self, email: str, client_info: ClientInfo) -> None:
        """Count before the account is looked up; all accounts, known or not, cost the same statement here.

        Where the account was signed in to before, tries from elsewhere lock nobody out.
        """
        self._throttle.count(Action.LOG_IN_FROM_ADDRESS, client_info.limit_address)
        self._throttle.count(Action.LOG_IN_TO_ACCOUNT, email, client_info.limit_address)
        self._throttle.count(Action.LOG_IN_TO_ACCOUNT_FROM_NETWORK, email, client_info.network)
        with self._transaction() as session:
            is_known = _is_known_network(session, email=email, network=client_info.network)
        if not is_known:
            self._throttle.count(Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE, email)

    def _verify(self, credentials: Credentials, client_info: ClientInfo) -> Usuario:
        """The person whose key this is."""
        with self._transaction() as session:
            user = session.scalar(select(Usuario).where(func.lower(Usuario.email) == credentials.email))
        matches = self._hasher.verify(user.clave_hash if user else None, credentials.password)
        if user is not None and matches and _may_sign_in(user):
            return user
        with self._transaction() as session:
            events.record_afterwards(
                session, SecurityEvent.LOGIN_FAILED, user_id=user.id if user else NOBODY, client_info=client_info
            )
        raise WrongCredentials

    def _open(
        self, user: Usuario, credentials: Credentials, *, client_info: ClientInfo, renews_tokens: bool
    ) -> Login | None:
        """A login for the person who was verified; ``None`` when their key or account is another by now."""
        is_outdated = self._hasher.is_outdated(user.clave_hash)
        new_hash = self._hasher.hash(credentials.password) if is_outdated else user.clave_hash
        try:
            with self._transaction() as session:
                if not _confirm_verified(session, user, new_hash=new_hash):
                    return None
                has_second_factor = self._second_factors.demand(
                    session, user=user, code=credentials.code, client_info=client_info
                )
                login = self._logins.open(
                    session,
                    user=user,
                    has_second_factor=has_second_factor,
                    renews_tokens=renews_tokens,
                    client_info=client_info,
                )
                if user.email_verificado is None:
                    events.record(session, SecurityEvent.EMAIL_VERIFIED, user_id=user.id, client_info=client_info)
        except SecondFactorRequired:
            self._second_factors.note_missing(user_id=user.id, client_info=client_info)
            raise
        except WrongSecondFactor:
            self._second_factors.note_failure(user_id=user.id, client_info=client_info)
            raise
        return self._logins.issue(user=user, login=login)


def authenticate(session: Session, claims: AccessClaims, *, is_to_stay: bool = False) -> SignedIn:
    """The person behind a token, in one query that also sees that the login is open and the account enabled.

    With ``is_to_stay``, the person is not erased before the transaction ends: for what writes rows that are theirs.
    Whoever is being erased is waited for, and gone.

    Raises:
        NotAuthenticated: when any of that is not so.
    """
    query = _open_login(user_id=claims.user_id, login_id=claims.login_id)
    if is_to_stay:
        query = query.with_for_update(of=Usuario, read=True, key_share=True)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotAuthenticated("closed")
    user, has_second_factor = row
    return SignedIn(user=user, login_id=claims.login_id, has_second_factor=has_second_factor)


def require_operator(signed_in: SignedIn, *, needs_second_factor: bool) -> Usuario:
    """The operator who sends this request.

    Raises:
        OperatorsOnly: when the person is none.
        OperatorWithoutSecondFactor: when one is needed and was not shown in this login.
    """
    if signed_in.user.operador is None:
        raise OperatorsOnly
    if needs_second_factor and not signed_in.has_second_factor:
        raise OperatorWithoutSecondFactor
    return signed_in.user


def lock(session: Session, signed_in: SignedIn) -> Usuario:
    """The person as they are by now, nobody else touching them or their login until the transaction ends.

    For what is done after something slow, during which the login may have been closed or the account disabled.

    Raises:
        NotAuthenticated: when that is so.
    """
    still_open = _open_login(user_id=signed_in.user.id, login_id=signed_in.login_id)
    # The person before the login, as everywhere: whoever locks in another order can be in each other's way for ever.
    user: Usuario | None = session.scalar(still_open.with_for_update(of=(Usuario, InicioSesion)))
    if user is None:
        raise NotAuthenticated("closed")
    return user


def get_logins(session: Session, *, user_id: int, limit: int, before: int | None) -> Sequence[InicioSesion]:
    """The person's open logins, newest first: at most ``limit``, below the id ``before``."""
    query = select(InicioSesion).where(
        InicioSesion.usuario_id == user_id, InicioSesion.cerrado.is_(None), InicioSesion.vence > func.now()
    )
    if before is not None:
        query = query.where(InicioSesion.id < before)
    return session.scalars(query.order_by(InicioSesion.id.desc()).limit(limit)).all()


def log_out(session: Session, *, signed_in: SignedIn, client_info: ClientInfo) -> None:
    """Close the login that this request was sent with."""
    _close(session, InicioSesion.id == signed_in.login_id)
    events.record(session, SecurityEvent.LOGGED_OUT, user_id=signed_in.user.id, client_info=client_info)


def end_login(session: Session, *, user_id: int, login_id: int, client_info: ClientInfo) -> None:
    """Close one of the person's own logins.

    Raises:
        NotFound: when it is not open, not there, or somebody else's.
    """
    if not _close(session, InicioSesion.id == login_id, InicioSesion.usuario_id == user_id):
        raise NotFound("login")
    events.record(session, SecurityEvent.LOGIN_ENDED, user_id=user_id, client_info=client_info)


def end_logins(session: Session, *, user_id: int, but: int | None = None) -> None:
    """Close every login of the person; ``but`` is the one that stays."""
    _close(session, InicioSesion.usuario_id == user_id, InicioSesion.id != (but or 0))


def end_other_logins(session: Session, *, signed_in: SignedIn, has_second_factor: bool) -> None:
    """Close all but this login, because what signs the person in changed; it now has a second factor or not."""
    end_logins(session, user_id=signed_in.user.id, but=signed_in.login_id)
    session.execute(
        update(InicioSesion)
        .where(InicioSesion.id == signed_in.login_id)
        .values(con_segundo_factor=has_second_factor)
        .execution_options(synchronize_session=False)
    )


def _close(session: Session, *which: ColumnElement[bool]) -> bool:
    """Close the open logins among ``which``; returns whether there was any."""
    closed = session.execute(
        update(InicioSesion)
        .where(InicioSesion.cerrado.is_(None), *which)
        .values(cerrado=func.now())
        .returning(InicioSesion.id)
        .execution_options(synchronize_session=False)
    )
    return bool(closed.all())


def _lock_login(session: Session, login_id: int) -> tuple[InicioSesion, Usuario, bool]:
    """An open login, locked, its person, and whether it was renewed within :data:`REUSE_GRACE`.

    That is measured by the database's clock, which ``ultimo_uso`` is from.

    Raises:
        NotAuthenticated: when it is not open.
    """
    is_recent = func.now() - InicioSesion.ultimo_uso <= REUSE_GRACE
    row = session.execute(
        select(InicioSesion, Usuario, is_recent)
        .join(Usuario, Usuario.id == InicioSesion.usuario_id)
        .where(InicioSesion.id == login_id, *is_open())
        # The person before the login, as everywhere.
        .with_for_update(of=(Usuario, InicioSesion), key_share=True)
    ).one_or_none()
    if row is None:
        raise NotAuthenticated("closed")
    login, user, was_recent = row
    return login, user, was_recent


def _is_known_network(session: Session, *, email: str, network: str) -> bool:
    """Whether one of the account's latest logins was opened in ``network``; one statement, account or not."""
    latest = (
        select(InicioSesion.direccion)
        .join(Usuario, Usuario.id == InicioSesion.usuario_id)
        .where(func.lower(Usuario.email) == email)
        .order_by(InicioSesion.id.desc())
        .limit(REMEMBERED_LOGINS)
        .subquery()
    )
    return bool(session.scalar(select(exists().where(latest.c.direccion == network))))


def _confirm_verified(session: Session, user: Usuario, *, new_hash: str) -> bool:
    """Lock the person and store ``new_hash``, while the key is still the one that was verified.

    It may have been changed meanwhile, or its hash renewed by another login, or the account disabled or erased.
    """
    confirmed = session.scalar(
        update(Usuario)
        .where(Usuario.id == user.id, Usuario.clave_hash == user.clave_hash, Usuario.deshabilitado.is_(None))
        .values(
            clave_hash=new_hash,
            # A mailed key expires only while it is unused: frontends may have no page to set another.
            clave_vence=None,
            # The key was mailed: whoever has it reads this mailbox.
            email_verificado=func.coalesce(Usuario.email_verificado, func.now()),
            fecha_actualizacion=Usuario.fecha_actualizacion,
        )
        .returning(Usuario.id)
        .execution_options(synchronize_session=False)
    )
    return confirmed is not None


def _open_login(*, user_id: int, login_id: int) -> Select[Usuario, bool]:
    """Finds the person whose login this is, and whether a second factor was shown in it, while it is open."""
    return (
        select(Usuario, InicioSesion.con_segundo_factor)
        .join(InicioSesion, InicioSesion.usuario_id == Usuario.id)
        .where(InicioSesion.id == login_id, Usuario.id == user_id, *is_open())
    )


def is_open() -> tuple[ColumnElement[bool], ...]:
    """What must hold of a login and its person, wherever both are joined."""
    login, person = InicioSesion.__table__.c, Usuario.__table__.c
    return (
        login.cerrado.is_(None),
        login.vence > func.now(),
        person.deshabilitado.is_(None),
    )


def _may_sign_in(user: Usuario) -> bool:
    expired = user.clave_vence is not None and user.clave_vence <= datetime.now(UTC)
    return user.deshabilitado is None and not expired
