"""The tokens that people sign in with: what they say, how long they hold, and how they are checked.

Both kinds are PASETO v4.local in the envelope of ``core/security.py``, each sealed for its own purpose, with the
registered claims of the specification. A token only names a login; whether that login is still open is asked of the
database on every request.

==============  ==================================================  ==============================================
Token           Lives                                               Says
==============  ==================================================  ==============================================
access          ``ACCESS_TOKEN_TTL_MINUTES``, or                    ``sub`` the person, ``sid`` the login
                ``SHORT_ACCESS_TOKEN_TTL_MINUTES`` to clients
                that said that they refresh
refresh         ``REFRESH_TOKEN_TTL_DAYS``, used once               ``sid`` the login, ``rot`` which one of its refresh
                                                                    tokens this is
==============  ==================================================  ==============================================

Opening a token costs more than a query, so access tokens that held are remembered by their digest, at most
:data:`REMEMBERED_TOKENS` of them; when each begins and ends to hold is looked at every time.

60 seconds of difference between clocks are tolerated in ``nbf`` and ``iat``, none for ``exp``.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from maverik_backend.core.principal import Principal
from maverik_backend.core.security import ISSUER, Keyring, Purpose, Unsealable
from maverik_backend.errors import NotAuthenticated

CLOCK_SKEW = timedelta(seconds=60)
MAX_TOKEN_CHARS = 4_096
SHORT_ACCESS_TTL = timedelta(minutes=15)
REMEMBERED_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token for an ``Authorization: Bearer`` header and how long it holds."""

    token: str = field(repr=False)
    expires_in_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClaims:
    """Whom an access token was issued to, in which login."""

    user_id: int
    login_id: int

    @property
    def principal(self) -> Principal:
        """The person, as services know every surface's users."""
        return Principal(id=self.user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshClaims:
    """Which login a refresh token belongs to, and which of its tokens it is."""

    login_id: int
    rotation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """What an access token said, and when it holds."""

    claims: AccessClaims
    not_before: datetime
    expires: datetime


class _Remembered:
    """Opened access tokens by digest, the oldest of which is forgotten first. Safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._opened: dict[bytes, _Opened] = {}

    def get(self, token: str, *, now: datetime) -> AccessClaims | None:
        opened = self._opened.get(_digest(token))
        holds = opened is not None and opened.not_before <= now + CLOCK_SKEW and now < opened.expires
        return opened.claims if opened is not None and holds else None

    def add(self, token: str, opened: _Opened) -> None:
        with self._lock:
            while len(self._opened) >= self._limit:
                del self._opened[next(iter(self._opened))]
            self._opened[_digest(token)] = opened


def _digest(token: str) -> bytes:
    return hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=32).digest()


class Tokens:
    """Issues and checks both kinds."""

    def __init__(
        self,
        keyring: Keyring,
        *,
        access_ttl: timedelta,
        refresh_ttl: timedelta,
        short_access_ttl: timedelta = SHORT_ACCESS_TTL,
    ) -> None:
        """``short_access_ttl`` never makes a token live longer than ``access_ttl`` does."""
        self._keyring = keyring
        self._access_ttl = access_ttl
        self._short_access_ttl = min(short_access_ttl, access_ttl)
        self.refresh_ttl = refresh_ttl
        self._remembered = _Remembered(REMEMBERED_TOKENS)

    def issue_access(self, *, user_id: int, login_id: int, is_short: bool = False) -> AccessToken:
        ttl = self._short_access_ttl if is_short else self._access_ttl
        token = self._issue(Purpose.ACCESS_TOKEN, ttl, {"sub": str(user_id), "sid": str(login_id)})
        return AccessToken(token=token, expires_in_s=round(ttl.total_seconds()))

    def issue_refresh(self, *, login_id: int, rotation: int) -> str:
        return self._issue(Purpose.REFRESH_TOKEN, self.refresh_ttl, {"sid": str(login_id), "rot": rotation})

    def read_access(self, token: str) -> AccessClaims:
        """What ``token`` says.

        Raises:
            NotAuthenticated: when it is not one of ours or does not hold now.
        """
        now = datetime.now(UTC)
        if len(token) <= MAX_TOKEN_CHARS and (known := self._remembered.get(token, now=now)):
            return known
        own, validity = self._read(Purpose.ACCESS_TOKEN, token, now=now)
        claims = AccessClaims(user_id=own["sub"], login_id=own["sid"])
        self._remembered.add(token, _Opened(claims=claims, not_before=validity[0], expires=validity[1]))
        return claims

    def read_refresh(self, token: str) -> RefreshClaims:
        """What ``token`` says.

        Raises:
            NotAuthenticated: when it is not one of ours or does not hold now.
        """
        claims, _ = self._read(Purpose.REFRESH_TOKEN, token, now=datetime.now(UTC))
        return RefreshClaims(login_id=claims["sid"], rotation=claims["rot"])

    def _issue(self, purpose: Purpose, ttl: timedelta, claims: Mapping[str, Any]) -> str:
        now = datetime.now(UTC)
        # Whole seconds: readers that compare with a clock of seconds must not find it in the future.
        issued = now.replace(microsecond=0).isoformat()
        registered = {
            "iss": ISSUER,
            "aud": purpose.value,
            "jti": secrets.token_urlsafe(16),
            "iat": issued,
            "nbf": issued,
            "exp": (now + ttl).isoformat(),
        }
        message = json.dumps({**registered, **claims}, separators=(",", ":")).encode()
        return self._keyring.seal(message, purpose=purpose)

    def _read(self, purpose: Purpose, token: str, *, now: datetime) -> tuple[dict[str, int], tuple[datetime, datetime]]:
        """The token's own claims, as numbers, and from when until when it holds."""
        if len(token) > MAX_TOKEN_CHARS:
            raise NotAuthenticated("too long")
        try:
            claims = json.loads(self._keyring.unseal(token, purpose=purpose))
            validity = _check_registered(claims, purpose=purpose, now=now)
            return {name: int(claims[name]) for name in _OWN_CLAIMS[purpose]}, validity
        except (Unsealable, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise NotAuthenticated(type(error).__name__) from None


_OWN_CLAIMS = {Purpose.ACCESS_TOKEN: ("sub", "sid"), Purpose.REFRESH_TOKEN: ("sid", "rot")}


def _check_registered(claims: Mapping[str, Any], *, purpose: Purpose, now: datetime) -> tuple[datetime, datetime]:
    """From when until when the claims hold. Raises ``ValueError`` unless they are ours, for ``purpose``, and do now."""
    if claims["iss"] != ISSUER or claims["aud"] != purpose.value or not claims["jti"]:
        raise ValueError("claims")
    not_before, issued = (datetime.fromisoformat(claims[name]) for name in ("nbf", "iat"))
    valid_from, expires = max(not_before, issued), datetime.fromisoformat(claims["exp"])
    if valid_from > now + CLOCK_SKEW or expires <= now:
        raise ValueError("time")
    return valid_from, expires
