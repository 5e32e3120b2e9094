"""Keys, sealed texts and password hashes; what tokens say is the business of ``core/tokens.py``.

Tokens are PASETO v4.local (https://github.com/paseto-standard/paseto-spec). The library below does the cryptography
and little else: it ignores ``exp``, decrypts tokens with junk appended, and raises bare ``ValueError``. So
:class:`Keyring` checks the envelope itself: length, exactly four segments, canonical base64url, a small footer that
names a known key. The purpose of a token is bound into its authentication (the implicit assertion of the
specification), so a token made for one thing never opens as another.

========================  ==========================================================================================
Rule                      Value and source
========================  ==========================================================================================
Password hash             Argon2id, 19 MiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet)
Accepted stored hash      Argon2id up to 64 MiB, 8 passes, 4 lanes: a planted hash cannot exhaust the process
Hashed at once            as many as there are processors
Temporary password        128 random bits (OWASP ASVS 5.0, 6.4.1 asks for a secure random one), base32, lower case
========================  ==========================================================================================
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from threading import BoundedSemaphore
from typing import Any

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from maverik_backend.core.passwords import normalise
from maverik_backend.errors import MaverikError, SettingsError

ARGON2_MEMORY_KIB = 19_456
ARGON2_PASSES = 2
ARGON2_LANES = 1
ARGON2_MAX = {"memory_cost": 65_536, "time_cost": 8, "parallelism": 4}

TEMPORARY_PASSWORD_BYTES = 16
ISSUER = "maverik_backend"

KEY_BYTES = 32

_HEADER = "v4.local."
_PASERK_HEADER = "k4.local."
_SEGMENTS = 4
_MAX_FOOTER_CHARS = 256
_NO_LIBSODIUM = (
    "libsodium is missing: install it (Debian: apt-get install libsodium23, macOS: brew install libsodium, "
    "Windows: put libsodium.dll on PATH)."
)


class Purpose(StrEnum):
    """What a sealed text is for; one made for a purpose does not open for another."""

    ACCESS_TOKEN = "access"  # noqa: S105 - a name, not a secret
    REFRESH_TOKEN = "refresh"  # noqa: S105
    MAIL = "outbox"  # the word that mails were sealed with before there were other jobs
    SECOND_FACTOR = "second_factor"


class Unsealable(MaverikError):
    """A text that none of our keys sealed for this purpose, or that was changed since."""


@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    paserk: bytes
    kid: str


class Keyring:
    """One or several v4.local keys: the first seals, every one opens, so keys can be rotated without a gap."""

    def __init__(self, paserks: Iterable[str]) -> None:
        """``paserks`` are ``k4.local.`` texts of 32 bytes each.

        Raises:
            SettingsError: when libsodium is missing or a key is not 32 bytes.
        """
        self._paseto = _load_paseto()
        keys = [_key(paserk) for paserk in paserks]
        self._sealing_key = keys[0]
        self._keys = {key.kid: key for key in keys}

    def seal(self, message: bytes, *, purpose: Purpose) -> str:
        """``message`` encrypted and authenticated for ``purpose``; the footer names the key."""
        key = self._sealing_key
        footer = json.dumps({"kid": key.kid}, separators=(",", ":")).encode()
        return str(self._paseto.encrypt(message, key.paserk, footer, _assertion(purpose)), "ascii")

    def unseal(self, sealed: str, *, purpose: Purpose) -> bytes:
        """The message that :meth:`seal` took.

        Raises:
            Unsealable: for anything else, whatever is wrong with it.
        """
        key, footer = self._key_of(sealed)
        try:
            message: bytes = self._paseto.decrypt(sealed.encode("ascii"), key.paserk, footer, _assertion(purpose))
        except Exception as error:  # noqa: BLE001 - the library raises ValueError, its own and worse; each of them means no
            raise Unsealable(type(error).__name__) from None
        return message

    def is_sealed_with_first_key(self, sealed: str) -> bool:
        """Whether ``sealed`` names the key that seals now; ``False`` also for what no key of ours sealed."""
        try:
            return self._key_of(sealed)[0] is self._sealing_key
        except Unsealable:
            return False

    def _key_of(self, sealed: str) -> tuple[_Key, bytes]:
        """The key that the footer names, once the envelope is known to be canonical."""
        segments = sealed.split(".")
        if len(segments) != _SEGMENTS or not sealed.startswith(_HEADER) or len(segments[3]) > _MAX_FOOTER_CHARS:
            raise Unsealable("envelope")
        _canonical_b64decode(segments[2])
        footer = _canonical_b64decode(segments[3])
        try:
            kid = json.loads(footer)["kid"]
            return self._keys[kid], footer
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Unsealable("unknown key") from None


class PasswordHasher:
    """Argon2id with the parameters of the table above. Texts are NFC-normalised, so any keyboard's accents match.

    As many keys are hashed at once as there are processors; the others wait, none fails. Each takes 19 MiB while it
    lasts and a processor of its own, so more at once would take longer and more memory and finish none earlier: 64
    people who sign in together would hold 1.2 GiB, and leave nothing for other requests.
    """

    def __init__(self, *, memory_kib: int = ARGON2_MEMORY_KIB, passes: int = ARGON2_PASSES) -> None:
        """Cheaper parameters are for tests of what happens around hashing."""
        self._argon2 = argon2.PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=ARGON2_LANES)
        self._slots = BoundedSemaphore(os.cpu_count() or 1)
        self._unmatchable_hash = self.hash(generate_temporary_password())

    def hash(self, password: str) -> str:
        """The PHC string to store."""
        with self._slots:
            return self._argon2.hash(normalise(password))

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether ``password`` is the one behind the hash. ``None`` does the same work and is never a match."""
        stored = self._unmatchable_hash if password_hash is None else password_hash
        try:
            with self._slots:
                matches = _is_bounded(stored) and self._argon2.verify(stored, normalise(password))
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False
        return matches and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's, so that the password should be hashed again."""
        return self._argon2.check_needs_rehash(password_hash)


def generate_paserk() -> str:
    """A new random v4.local key in PASERK form, for ``SECRET_KEY``."""
    return _PASERK_HEADER + _b64encode(secrets.token_bytes(KEY_BYTES))


def generate_temporary_password() -> str:
    """A random password that survives being read aloud or copied from a mail: 26 of ``a-z2-7``."""
    return base64.b32encode(secrets.token_bytes(TEMPORARY_PASSWORD_BYTES)).decode("ascii").rstrip("=").lower()


def _load_paseto() -> Any:  # noqa: ANN401 - an untyped module
    try:
        from paseto.protocol import version4  # noqa: PLC0415 - loads libsodium, which may be missing
    except (ValueError, OSError, AttributeError, TypeError):
        raise SettingsError([_NO_LIBSODIUM]) from None
    return version4


def _key(paserk: str) -> _Key:
    try:
        raw = _canonical_b64decode(paserk.strip().removeprefix(_PASERK_HEADER).rstrip("="))
    except Unsealable:
        raw = b""
    if len(raw) != KEY_BYTES:
        raise SettingsError(["SECRET_KEY cannot be used: each key must be base64url of 32 bytes."])
    canonical = _PASERK_HEADER + _b64encode(raw)
    # The library decodes with padding; the identifier is PASERK's "lid" of the canonical text.
    lid = hashlib.blake2b(b"k4.lid." + canonical.encode("ascii"), digest_size=33).digest()
    return _Key(paserk=_PASERK_HEADER.encode() + base64.urlsafe_b64encode(raw), kid="k4.lid." + _b64encode(lid))


def _assertion(purpose: Purpose) -> bytes:
    return f"{ISSUER}/{purpose}".encode("ascii")


def _is_bounded(password_hash: str) -> bool:
    parameters = argon2.extract_parameters(password_hash)
    return parameters.type is argon2.Type.ID and all(getattr(parameters, n) <= most for n, most in ARGON2_MAX.items())


def _b64encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _canonical_b64decode(text: str) -> bytes:
    """Unpadded base64url, refused unless encoding it again gives the same text (RFC 4648, sections 3.5 and 5)."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise Unsealable("encoding") from None
    if _b64encode(raw) != text:
        raise Unsealable("encoding")
    return raw
