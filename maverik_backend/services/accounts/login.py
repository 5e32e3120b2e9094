"""Logins: opening them and making their tokens, seeing that they are open, listing and ending them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.tokens import AccessClaims, AccessToken, Tokens
from maverik_backend.errors import NotAuthenticated, NotFound, OperatorsOnly, OperatorWithoutSecondFactor
from maverik_backend.models import SecurityEvent
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts.records import Account, LoginRecord, SignedIn
from maverik_backend.services.accounts.store import logins as store


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginTokens:
    """What a client gets for a login. ``user_name`` is the part of the address before the @."""

    access_token: AccessToken = field(repr=False)
    refresh_token: str = field(repr=False)
    user_name: str
    must_change_password: bool


class Logins:
    """Writes the rows that tokens name, and makes the tokens once their row is committed."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def open(
        self,
        db: Connection,
        *,
        account: Account,
        has_second_factor: bool,
        renews_tokens: bool,
        client_info: ClientInfo,
    ) -> LoginRecord:
        """A login of ``account``, whose row is locked; ``renews_tokens`` asks for access tokens that hold briefly."""
        login = store.add(
            db,
            user_id=account.id,
            expires=datetime.now(UTC) + self._tokens.refresh_ttl,
            network=client_info.truncated_address,
            agent=client_info.short_agent,
            has_second_factor=has_second_factor,
            refreshes_tokens=renews_tokens,
        )
        events.record(db, SecurityEvent.LOGGED_IN, user_id=account.id, client_info=client_info)
        return login

    def remember_network(self, db: Connection, *, account: Account, client_info: ClientInfo) -> None:
        """A login that is closed at once: its network is known from now on (``store.is_known_network``).

        For who showed the mailbox, but is not signed in.
        """
        login = store.add(
            db,
            user_id=account.id,
            expires=datetime.now(UTC),
            network=client_info.truncated_address,
            agent=client_info.short_agent,
            has_second_factor=False,
            refreshes_tokens=False,
        )
        store.close(db, login_id=login.id, user_id=account.id)

    def issue(self, *, account: Account, login: LoginRecord) -> LoginTokens:
        """The login's latest tokens; they hold as soon as its row is committed."""
        access_token = self._tokens.issue_access(user_id=account.id, login_id=login.id, is_short=login.refreshes_tokens)
        return LoginTokens(
            access_token=access_token,
            refresh_token=self._tokens.issue_refresh(login_id=login.id, rotation=login.rotation),
            user_name=account.email.partition("@")[0],
            must_change_password=account.must_change_password,
        )


def authenticate(db: Connection, claims: AccessClaims, *, for_key_share: bool = False) -> SignedIn:
    """The account behind a token, in one query that also sees that the login is open and the account enabled.

    With ``for_key_share`` the account is not deleted before the transaction ends: for what writes rows that refer to
    it. It waits for a concurrent erasure; the account is then not found.

    Raises:
        NotAuthenticated: when any of that is not so.
    """
    signed_in = store.find_signed_in(db, user_id=claims.user_id, login_id=claims.login_id, for_key_share=for_key_share)
    if signed_in is None:
        raise NotAuthenticated("closed")
    return signed_in


def require_operator(signed_in: SignedIn, *, needs_second_factor: bool) -> Account:
    """The operator who sends this request.

    Raises:
        OperatorsOnly: when the person is none.
        OperatorWithoutSecondFactor: when one is needed and was not shown in this login.
    """
    if signed_in.account.operator is None:
        raise OperatorsOnly
    if needs_second_factor and not signed_in.has_second_factor:
        raise OperatorWithoutSecondFactor
    return signed_in.account


def lock(db: Connection, signed_in: SignedIn) -> Account:
    """The account as it is now, its row and the login's locked until the transaction ends.

    For what is done after something slow, during which the login may have been closed or the account disabled.

    Raises:
        NotAuthenticated: when that is so.
    """
    account = store.lock_account(db, user_id=signed_in.account.id, login_id=signed_in.login_id)
    if account is None:
        raise NotAuthenticated("closed")
    return account


def get_logins(db: Connection, *, user_id: int, limit: int, before: int | None) -> Sequence[LoginRecord]:
    """The person's open logins, newest first: at most ``limit``, below the id ``before``."""
    return store.get_open(db, user_id=user_id, limit=limit, before=before)


def log_out(db: Connection, *, signed_in: SignedIn, client_info: ClientInfo) -> None:
    """Close the login that this request was sent with."""
    store.close(db, login_id=signed_in.login_id, user_id=signed_in.account.id)
    events.record(db, SecurityEvent.LOGGED_OUT, user_id=signed_in.account.id, client_info=client_info)


def end_login(db: Connection, *, user_id: int, login_id: int, client_info: ClientInfo) -> None:
    """Close one of the person's own logins.

    Raises:
        NotFound: when it is not open, not there, or another person's.
    """
    if not store.close(db, login_id=login_id, user_id=user_id):
        raise NotFound("login")
    events.record(db, SecurityEvent.LOGIN_ENDED, user_id=user_id, client_info=client_info)


def end_other_logins(db: Connection, *, signed_in: SignedIn, has_second_factor: bool) -> None:
    """Close all but this login, because what signs the person in changed; it now has a second factor or not."""
    store.close_all(db, user_id=signed_in.account.id, but=signed_in.login_id)
    store.set_second_factor(db, login_id=signed_in.login_id, has_second_factor=has_second_factor)
