"""Changing a password without being signed in: what a frontend does over the API, in one step."""

from __future__ import annotations

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.tokens import Tokens
from maverik_backend.services.accounts import login as logins
from maverik_backend.services.accounts.auth import Authenticator, Credentials
from maverik_backend.services.accounts.password import Passwords


def change_signing_in(
    transaction: TransactionFactory,
    *,
    authenticator: Authenticator,
    tokens: Tokens,
    passwords: Passwords,
    credentials: Credentials,
    new_password: str,
    client_info: ClientInfo,
) -> None:
    """Sign in, set another password, sign out: tries are counted, recorded and answered as those of signing in.

    Raises:
        TooManyTries, AddressBusy, Overloaded, WrongCredentials, SecondFactorRequired, WrongSecondFactor: as
            :meth:`Authenticator.log_in`.
        InvalidInput: when the new password is not acceptable.
        NotAuthenticated: when the account was disabled or deleted, or its password changed, meanwhile.
    """
    issued = authenticator.log_in(credentials, client_info=client_info)
    claims = tokens.read_access(issued.access_token.token)
    with transaction() as db:
        signed_in = logins.authenticate(db, claims)
    try:
        passwords.change(
            signed_in=signed_in, current=credentials.password, new_password=new_password, client_info=client_info
        )
    finally:
        with transaction() as db:
            logins.log_out(db, signed_in=signed_in, client_info=client_info)
