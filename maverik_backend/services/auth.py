"""Signing in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.security import AccessToken, AccessTokens, PasswordHasher
from maverik_backend.errors import WrongCredentials
from maverik_backend.models import Usuario


@dataclass(frozen=True, slots=True)
class Login:
    """A successful login. ``user_name`` is the part of the address before the @."""

    access_token: AccessToken
    user_name: str


def log_in(
    transaction: TransactionFactory, *, email: str, password: str, hasher: PasswordHasher, tokens: AccessTokens
) -> Login:
    """A token for the person with this address and key.

    Hashing is slow on purpose, so it happens with no transaction open; an unknown address costs the same work.

    Raises:
        WrongCredentials: when the address is unknown or the key is not its.
    """
    with transaction() as session:
        row = session.execute(
            select(Usuario.id, Usuario.email, Usuario.clave_hash).where(func.lower(Usuario.email) == email)
        ).one_or_none()
    if not hasher.verify(row.clave_hash if row else None, password) or row is None:
        raise WrongCredentials
    return Login(access_token=tokens.issue(user_id=row.id), user_name=row.email.partition("@")[0])
