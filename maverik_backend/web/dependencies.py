"""What routes may ask for, by annotation.

``DbSession`` is one transaction a request, committed *before* the response is sent: a commit that fails must not have
been answered with success. ``CurrentUser`` and ``CurrentLogin`` share it. Routes that wait, on other services or on
hashing, take ``DetachedLogin`` instead, which asks in a transaction of its own and gives the connection back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from maverik_backend.core.tokens import AccessClaims
from maverik_backend.errors import NotAuthenticated
from maverik_backend.models import Usuario
from maverik_backend.services import auth
from maverik_backend.services.auth import SignedIn
from maverik_backend.services.catalog import Catalogs
from maverik_backend.services.event import Caller
from maverik_backend.web.caller import caller_of
from maverik_backend.web.resources import Resources, resources_of

_bearer = HTTPBearer(auto_error=False, scheme_name="PASETO", description="El `access_token` de `POST /user/login`.")


def _resources(request: Request) -> Resources:
    return resources_of(request.app)


App = Annotated[Resources, Depends(_resources)]


def _session(app: App) -> Iterator[Session]:
    with app.database.transaction() as session:
        yield session


DbSession = Annotated[Session, Depends(_session, scope="function")]


def _catalogs(app: App) -> Catalogs:
    return app.catalogs.get()


CurrentCatalogs = Annotated[Catalogs, Depends(_catalogs)]


def _claims(app: App, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> AccessClaims:
    if credentials is None:
        raise NotAuthenticated("no bearer token")
    return app.tokens.read_access(credentials.credentials)


_Claims = Annotated[AccessClaims, Depends(_claims)]


def _signed_in(session: DbSession, claims: _Claims) -> SignedIn:
    return auth.authenticate(session, claims)


CurrentLogin = Annotated[SignedIn, Depends(_signed_in)]


def _current_user(signed_in: CurrentLogin) -> Usuario:
    return signed_in.user


CurrentUser = Annotated[Usuario, Depends(_current_user)]


def _detached_login(app: App, claims: _Claims) -> SignedIn:
    with app.database.transaction() as session:
        return auth.authenticate(session, claims)


DetachedLogin = Annotated[SignedIn, Depends(_detached_login)]


def _caller(request: Request, app: App) -> Caller:
    return caller_of(request, trusted_proxy_count=app.settings.security.trusted_proxy_count)


CurrentCaller = Annotated[Caller, Depends(_caller)]
