"""What routes may ask for, by annotation.

``DbSession`` is one transaction a request, committed *before* the response is sent: a commit that fails must not have
been answered with success. ``CurrentUser`` shares it. Routes that wait on other services take ``SignedInUserId``
instead, which reads the account in a transaction of its own and gives the connection back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from maverik_backend.errors import NotAuthenticated
from maverik_backend.models import Usuario
from maverik_backend.services import user as users
from maverik_backend.services.catalog import Catalogs
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


def _token_user_id(app: App, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> int:
    if credentials is None:
        raise NotAuthenticated("no bearer token")
    return app.tokens.user_id_of(credentials.credentials)


_TokenUserId = Annotated[int, Depends(_token_user_id)]


def _current_user(session: DbSession, user_id: _TokenUserId) -> Usuario:
    return users.get_or_raise(session, user_id=user_id)


CurrentUser = Annotated[Usuario, Depends(_current_user)]


def _signed_in_user_id(app: App, user_id: _TokenUserId) -> int:
    with app.database.transaction() as session:
        return users.get_or_raise(session, user_id=user_id).id


SignedInUserId = Annotated[int, Depends(_signed_in_user_id)]
