"""Signing in and staying signed in: logins, refresh tokens, revocation.

A login is a row of ``inicio_sesion``; tokens only name it, so closing the row ends them all at once. Refresh tokens
rotate: each may be used once. Using an older one again means that somebody has a copy, and closes the login (RFC 9700,
section 4.14.2); only within :data:`REUSE_GRACE` it may be a client whose answer was lost on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.security import PasswordHasher
from maverik_backend.core.tokens import AccessClaims, AccessToken, Tokens
from maverik_backend.errors import NotAuthenticated, NotFound, WrongCredentials
from maverik_backend.models import InicioSesion, SecurityEvent, Usuario
from maverik_backend.services import event as events
from maverik_backend.services.event import NOBODY, Caller
from maverik_backend.services.throttle import Action, Throttle

# A hash is renewed once in a long while; whoever signs in at that moment reads it again.
_TRIES_WHILE_HASH_CHANGES = 2
REUSE_GRACE = timedelta(seconds=10)
LONGEST_LOGIN = timedelta(days=180)
"""However often it is refreshed, a login ends and the key is asked for again (ASVS 5.0, 7.3.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Whoever sends this request, and the login that they send it with."""

    user: Usuario
    login_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Tokens for somebody. ``user_name`` is the part of the address before the @."""

    access_token: AccessToken
    refresh_token: str
    user_name: str
    must_change_password: bool


class Authenticator:
    """Turns credentials into logins, and refresh tokens into new ones."""

    def __init__(
        self, *, transaction: TransactionFactory, hasher: PasswordHasher, tokens: Tokens, throttle: Throttle
    ) -> None:
        self._transaction = transaction
        self._hasher = hasher
        self._tokens = tokens
        self._throttle = throttle

    def log_in(self, *, email: str, password: str, caller: Caller) -> Login:
        """Open a login for the person with this address and key.

        Hashing is slow on purpose, so it happens with no transaction open. An unknown address, a wrong key, an expired
        temporary one and a disabled account cost the same work and are the same error.

        Raises:
            TooManyTries: when the account or the address was tried too often.
            WrongCredentials: when this is not somebody who may sign in.
        """
        self._throttle.count(Action.LOG_IN_FROM_ADDRESS, caller.place)
        self._throttle.count(Action.LOG_IN_TO_ACCOUNT, email, caller.place)
        self._throttle.count(Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE, email)
        for _ in range(_TRIES_WHILE_HASH_CHANGES):
            user = self._verify(email=email, password=password, caller=caller)
            if login := self._open(user, password, caller):
                self._throttle.forgive(Action.LOG_IN_TO_ACCOUNT, email, caller.place)
                return login
        raise WrongCredentials

    def refresh(self, *, refresh_token: str, caller: Caller) -> Login:
        """New tokens for the login that ``refresh_token`` belongs to; the token itself is used up.

        Raises:
            TooManyTries: when this was tried too often from the caller's address.
            NotAuthenticated: when the token does not hold, or its login is closed; also when it was used before, which
                closes the login.
        """
        self._throttle.count(Action.REFRESH_FROM_ADDRESS, caller.place)
        claims = self._tokens.read_refresh(refresh_token)
        with self._transaction() as session:
            login, user, is_recent = _lock_login(session, claims.login_id)
            is_lost_answer = is_recent and claims.rotation == login.rotacion - 1
            is_reused = claims.rotation != login.rotacion and not is_lost_answer
            if claims.rotation == login.rotacion:
                login.rotacion += 1
                login.ultimo_uso = func.now()
                latest = login.fecha_creacion + LONGEST_LOGIN
                login.vence = min(datetime.now(UTC) + self._tokens.refresh_ttl, latest)
            elif is_reused:
                login.cerrado = func.now()
                events.record(session, SecurityEvent.REFRESH_REUSED, user_id=user.id, caller=caller)
        if is_reused:  # said after the commit that closed the login
            raise NotAuthenticated("reused")
        return self._issue(user, login_id=login.id, rotation=login.rotacion)

    def _verify(self, *, email: str, password: str, caller: Caller) -> Usuario:
        """The person whose key this is."""
        with self._transaction() as session:
            user = session.scalar(select(Usuario).where(func.lower(Usuario.email) == email))
        matches = self._hasher.verify(user.clave_hash if user else None, password)
        if user is not None and matches and _may_sign_in(user):
            return user
        with self._transaction() as session:
            events.record_afterwards(
                session, SecurityEvent.LOGIN_FAILED, user_id=user.id if user else NOBODY, caller=caller
            )
        raise WrongCredentials

    def _open(self, user: Usuario, password: str, caller: Caller) -> Login | None:
        """A login for the person who was verified; ``None`` when their key or account is another by now."""
        is_outdated = self._hasher.is_outdated(user.clave_hash)
        new_hash = self._hasher.hash(password) if is_outdated else user.clave_hash
        login = InicioSesion(
            usuario_id=user.id,
            vence=datetime.now(UTC) + self._tokens.refresh_ttl,
            direccion=caller.truncated_address,
            agente=caller.short_agent,
        )
        with self._transaction() as session:
            # Only while the key is still the one that was verified: it may have been changed meanwhile, or its hash
            # renewed by another login.
            known = session.scalar(
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
            if known is None:
                return None
            session.add(login)
            events.record(session, SecurityEvent.LOGGED_IN, user_id=user.id, caller=caller)
            if user.email_verificado is None:
                events.record(session, SecurityEvent.EMAIL_VERIFIED, user_id=user.id, caller=caller)
        return self._issue(user, login_id=login.id, rotation=0)

    def _issue(self, user: Usuario, *, login_id: int, rotation: int) -> Login:
        return Login(
            access_token=self._tokens.issue_access(user_id=user.id, login_id=login_id),
            refresh_token=self._tokens.issue_refresh(login_id=login_id, rotation=rotation),
            user_name=user.email.partition("@")[0],
            must_change_password=user.debe_cambiar_clave,
        )


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
    user = session.scalar(query)
    if user is None:
        raise NotAuthenticated("closed")
    return SignedIn(user=user, login_id=claims.login_id)


def lock(session: Session, signed_in: SignedIn) -> Usuario:
    """The person as they are by now, nobody else touching them or their login until the transaction ends.

    For what is done after something slow, during which the login may have been closed or the account disabled.

    Raises:
        NotAuthenticated: when that is so.
    """
    still_open = _open_login(user_id=signed_in.user.id, login_id=signed_in.login_id)
    # The person before the login, as everywhere: whoever locks in another order can be in each other's way for ever.
    user = session.scalar(still_open.with_for_update(of=(Usuario, InicioSesion)))
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


def log_out(session: Session, *, signed_in: SignedIn, caller: Caller) -> None:
    """Close the login that this request was sent with."""
    _close(session, InicioSesion.id == signed_in.login_id)
    events.record(session, SecurityEvent.LOGGED_OUT, user_id=signed_in.user.id, caller=caller)


def end_login(session: Session, *, user_id: int, login_id: int, caller: Caller) -> None:
    """Close one of the person's own logins.

    Raises:
        NotFound: when it is not open, not there, or somebody else's.
    """
    if not _close(session, InicioSesion.id == login_id, InicioSesion.usuario_id == user_id):
        raise NotFound("login")
    events.record(session, SecurityEvent.LOGIN_ENDED, user_id=user_id, caller=caller)


def end_logins(session: Session, *, user_id: int, but: int | None = None) -> None:
    """Close every login of the person; ``but`` is the one that stays."""
    _close(session, InicioSesion.usuario_id == user_id, InicioSesion.id != (but or 0))


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


def _open_login(*, user_id: int, login_id: int) -> Select[Usuario]:
    """Finds the person whose login this is, while it is open."""
    return (
        select(Usuario)
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
