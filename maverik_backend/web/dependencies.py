"""What routes may ask for, by annotation.

``DbTransaction`` is one transaction a request, committed *before* the response is sent: a commit that fails must not
have been answered with success. ``CurrentUser`` and ``CurrentLogin`` share it. Routes that write take ``WritingUser``
or ``WritingLogin``: the person is not erased before they are done. Routes that wait, on other services or on hashing,
take ``DetachedLogin`` instead, which asks in a transaction of its own and gives the connection back, or
``CurrentClaims``, which only say that the token holds: whether its login is open is left to the use case. What needs
no waiting is ``async``, because a thread for each of the smallest steps costs more than the steps.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import anyio
from fastapi import Depends, Request
from fastapi.security.utils import get_authorization_scheme_param
from sqlalchemy import Connection

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.principal import Principal, PrincipalKind
from maverik_backend.errors import (
    DatabaseUnavailable,
    NotAuthenticated,
    OperatorsOnly,
    TooManyTries,
    UpstreamUnreachable,
)
from maverik_backend.services import accounts
from maverik_backend.services.accounts import Account, SignedIn
from maverik_backend.services.catalogs import Catalogs
from maverik_backend.services.limits import Action
from maverik_backend.web.client_info import client_info_of, is_from_this_machine
from maverik_backend.web.principal.paseto import CurrentClaims, CurrentPrincipal
from maverik_backend.web.resources import App, Resources

__all__ = [
    "App",
    "CurrentCatalogs",
    "CurrentClaims",
    "CurrentClientInfo",
    "CurrentLogin",
    "CurrentOperator",
    "CurrentPrincipal",
    "CurrentUser",
    "DbTransaction",
    "DetachedLogin",
    "HistoryReader",
    "MaySeeDetails",
    "WritingLogin",
    "WritingUser",
    "count_opened_session",
    "require_details_right",
]


async def _database_slot(request: Request, app: App) -> AsyncIterator[None]:
    """A turn at the database, waited for without a thread.

    The framework runs each dependency and the route in a thread of its own, one after the other, and the connection is
    held in between. If requests waited for connections in threads, none might be left for those that hold one.
    """
    slots: anyio.Semaphore | None = getattr(request.app.state, "database_slots", None)
    if slots is None:  # no lifespan, as on Lambda and in most tests: requests come one at a time
        yield
        return
    try:
        with anyio.fail_after(app.settings.database.pool_timeout_s):
            await slots.acquire()
    except TimeoutError:
        raise DatabaseUnavailable("no slot came free") from None
    try:
        yield
    finally:
        slots.release()


def _transaction(app: App, _slot: Annotated[None, Depends(_database_slot, scope="function")]) -> Iterator[Connection]:
    app.catalogs.get()  # before, so that no request asks for a second connection while it holds one
    with app.database.transaction() as db:
        yield db


DbTransaction = Annotated[Connection, Depends(_transaction, scope="function")]


def _catalogs(app: App) -> Catalogs:
    return app.catalogs.get()


CurrentCatalogs = Annotated[Catalogs, Depends(_catalogs)]


async def _may_see_details(request: Request, app: App) -> bool:
    """Whether the client is shown how the service is from inside.

    Three are: who sends ``METRICS_TOKEN``, where none is set who calls from this machine, and operators who are signed
    in. The token is compared in a time that does not tell how much of it was guessed. Production demands it always, and
    elsewhere a request through a proxy, which may be on this machine too, needs it as well.
    """
    scheme, token = get_authorization_scheme_param(request.headers.get("Authorization"))
    is_bearer = scheme.lower() == "bearer"
    expected = app.settings.security.metrics_token
    if expected is None:
        knows = not app.settings.app.is_production and is_from_this_machine(request)
    else:
        knows = is_bearer and secrets.compare_digest(token.encode(), expected.get_secret_value().encode())
    if knows or not is_bearer:
        return knows
    return await anyio.to_thread.run_sync(_is_signed_in_operator, app, token, await _client_info(request, app))


def _is_signed_in_operator(app: Resources, token: str, client_info: ClientInfo) -> bool:
    """Whether ``token`` is an operator's; ``False`` also when that cannot be found out.

    Routes that tell how the service is are not counted (web/middleware/address_limit.py); what asks the database is,
    so that a signed-in client cannot use them to get around the limit.
    """
    try:
        claims = app.tokens.read_access(token)
        app.throttle.count(Action.REQUEST_FROM_ADDRESS, client_info.limit_address)
        with app.database.transaction() as db:
            _require_operator_account(accounts.authenticate(db, claims), app)
    except (NotAuthenticated, OperatorsOnly, TooManyTries, UpstreamUnreachable, DatabaseUnavailable):
        return False
    return True


def _require_operator_account(signed_in: SignedIn, app: Resources) -> Account:
    needs_second_factor = app.settings.security.operator_second_factor == "required"
    return accounts.require_operator(signed_in, needs_second_factor=needs_second_factor)


# For every route that tells how the service is from inside.
MaySeeDetails = Annotated[bool, Depends(_may_see_details)]


async def require_details_right(may_see_details: MaySeeDetails) -> None:
    if not may_see_details:
        raise NotAuthenticated("no right to details")


def _signed_in(db: DbTransaction, claims: CurrentClaims) -> SignedIn:
    return accounts.authenticate(db, claims)


CurrentLogin = Annotated[SignedIn, Depends(_signed_in)]


def _current_user(signed_in: CurrentLogin) -> Account:
    return signed_in.account


CurrentUser = Annotated[Account, Depends(_current_user)]


def _current_operator(request: Request, signed_in: CurrentLogin, app: App) -> Account:
    operator = _require_operator_account(signed_in, app)
    request.state.principal = Principal(id=operator.id, kind=PrincipalKind.OPERATOR)
    return operator


CurrentOperator = Annotated[Account, Depends(_current_operator)]
"""For routes that only operators may use; the login must have been opened with what operators need."""


def _writing_login(db: DbTransaction, claims: CurrentClaims) -> SignedIn:
    return accounts.authenticate(db, claims, for_key_share=True)


WritingLogin = Annotated[SignedIn, Depends(_writing_login)]


def _writing_user(signed_in: WritingLogin) -> Account:
    return signed_in.account


WritingUser = Annotated[Account, Depends(_writing_user)]


def _detached_login(app: App, claims: CurrentClaims) -> SignedIn:
    with app.database.transaction() as db:
        return accounts.authenticate(db, claims)


DetachedLogin = Annotated[SignedIn, Depends(_detached_login)]


def _history_reader(signed_in: DetachedLogin, app: App) -> Account:
    """The account that reads a history, counted after the transaction that loads it and before the one that reads."""
    app.throttle.count(Action.READ_HISTORY, signed_in.principal.key)
    return signed_in.account


HistoryReader = Annotated[Account, Depends(_history_reader)]


def count_opened_session(app: App, principal: CurrentPrincipal) -> None:
    """Count one try to open a session; a dependency of the route itself, so that it runs before any transaction."""
    app.throttle.count(Action.OPEN_SESSION, principal.key)


async def _client_info(request: Request, app: App) -> ClientInfo:
    return client_info_of(request, trusted_proxy_count=app.settings.security.trusted_proxy_count)


CurrentClientInfo = Annotated[ClientInfo, Depends(_client_info)]
