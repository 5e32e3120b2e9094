"""Opening a login and making its tokens; ``services/accounts/auth.py`` says who may, and how long it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.tokens import AccessToken, Tokens
from maverik_backend.models import InicioSesion, SecurityEvent, Usuario
from maverik_backend.services.accounts import event as events


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Tokens for somebody. ``user_name`` is the part of the address before the @."""

    access_token: AccessToken = field(repr=False)
    refresh_token: str = field(repr=False)
    user_name: str
    must_change_password: bool


class Logins:
    """Writes the rows that tokens name, and makes the tokens once their row is committed."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def open(
        self, session: Session, *, user: Usuario, has_second_factor: bool, renews_tokens: bool, client_info: ClientInfo
    ) -> InicioSesion:
        """A login of ``user``, whose row is locked; ``renews_tokens`` asks for access tokens that hold briefly."""
        login = InicioSesion(
            usuario_id=user.id,
            vence=datetime.now(UTC) + self._tokens.refresh_ttl,
            direccion=client_info.truncated_address,
            agente=client_info.short_agent,
            rotacion=0,
            con_segundo_factor=has_second_factor,
            renueva_tokens=renews_tokens,
        )
        session.add(login)
        events.record(session, SecurityEvent.LOGGED_IN, user_id=user.id, client_info=client_info)
        return login

    def issue(self, *, user: Usuario, login: InicioSesion) -> Login:
        """The login's latest tokens; they hold as soon as its row is committed."""
        access_token = self._tokens.issue_access(user_id=user.id, login_id=login.id, is_short=login.renueva_tokens)
        return Login(
            access_token=access_token,
            refresh_token=self._tokens.issue_refresh(login_id=login.id, rotation=login.rotacion),
            user_name=user.email.partition("@")[0],
            must_change_password=user.debe_cambiar_clave,
        )
