"""Persons: the PASETO of ``Authorization: Bearer``, as ``POST /user/login`` gives it out.

Nothing here asks the database: a claim says which login the token names, not that the login is still open.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from maverik_backend.core.principal import Principal
from maverik_backend.core.tokens import AccessClaims
from maverik_backend.errors import NotAuthenticated
from maverik_backend.web.resources import App

_bearer = HTTPBearer(auto_error=False, scheme_name="PASETO", description="El `access_token` de `POST /user/login`.")


async def _token(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str:
    if credentials is None:
        raise NotAuthenticated("no bearer token")
    return credentials.credentials


async def _claims(request: Request, app: App, token: Annotated[str, Depends(_token)]) -> AccessClaims:
    claims = app.tokens.read_access(token)
    request.state.principal = claims.principal  # for the line in the log (web/middleware/request_log.py)
    return claims


CurrentClaims = Annotated[AccessClaims, Depends(_claims)]


async def _principal(claims: CurrentClaims) -> Principal:
    return claims.principal


CurrentPrincipal = Annotated[Principal, Depends(_principal)]
