"""Changing a key without being signed in: what a frontend does over the API, in one step."""

from __future__ import annotations

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.tokens import Tokens
from maverik_backend.services.accounts import auth
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
    """Sign in, set another key, sign out; so tries are counted, noted and answered as those of signing in.

    Raises:
        TooManyTries, WrongCredentials, SecondFactorRequired, WrongSecondFactor: as :meth:`Authenticator.log_in`.
        InvalidInput: when the new key is not acceptable.
        NotAuthenticated: when the account was disabled or erased, or its key changed, meanwhile.
    """
    login = authenticator.log_in(credentials, client_info=client_info)
    claims = tokens.read_access(login.access_token.token)
    with transaction() as session:
        signed_in = auth.authenticate(session, claims)
    try:
        passwords.change(
            signed_in=signed_in, current=credentials.password, new_password=new_password, client_info=client_info
        )
    finally:
        with transaction() as session:
            auth.log_out(session, signed_in=signed_in, client_info=client_info)
