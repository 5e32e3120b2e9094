"""What a second factor is shown with: time-based codes (TOTP) and recovery codes.

==================  ==============================================================================================
Rule                Value and source
==================  ==============================================================================================
TOTP                RFC 6238 by ``pyotp``: SHA-1, 6 digits, 30 s, which every authenticator app takes
TOTP secret         160 random bits (RFC 4226, section 4)
Clocks apart        a code is taken one step early or late (RFC 6238, section 5.2)
Recovery codes      10 of 120 random bits each: with 112 or more a plain digest may be stored (OWASP ASVS 5.0, 6.5.2)
==================  ==============================================================================================
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

import pyotp
from pyotp.exceptions import OTPVerificationError

MAX_TYPED_CHARS = 64
"""Room for a recovery code with a separator after each character."""
STEPS_APART = 1
RECOVERY_CODES = 10
ISSUER_NAME = "Maverik"

_RECOVERY_BYTES = 15
_GROUP_CHARS = 4
_TOTP = re.compile(r"[0-9]{6}")
_RECOVERY = re.compile(r"[a-z2-7]{24}")
_SEPARATORS = re.compile(r"[\s-]+")


def normalise(typed: str) -> str:
    """``typed`` without the blanks and hyphens that people put between groups, in lower case."""
    return _SEPARATORS.sub("", typed).lower()


def is_totp(code: str) -> bool:
    """Whether it looks like a time-based code: six ASCII digits, and no others that Unicode knows."""
    return _TOTP.fullmatch(code) is not None


def is_recovery_code(code: str) -> bool:
    """Whether it looks like a normalised recovery code."""
    return _RECOVERY.fullmatch(code) is not None


def generate_secret() -> str:
    """A TOTP secret in base32."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, *, account: str) -> str:
    """The ``otpauth://`` address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER_NAME)


def step_of(secret: str, code: str, *, now_s: float) -> int | None:
    """The time step that ``code`` is of, when that is the one at ``now_s`` (since 1970) or next to it."""
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=now_s, valid_window=STEPS_APART)
    except OTPVerificationError:
        return None


def generate_recovery_codes() -> list[str]:
    """Different codes, in groups that people can copy."""
    return [_grouped(base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES))) for _ in range(RECOVERY_CODES)]


def digest(recovery_code: str) -> bytes:
    """What is stored of a recovery code, however it was typed."""
    return hashlib.sha256(normalise(recovery_code).encode()).digest()


def _grouped(encoded: bytes) -> str:
    code = encoded.decode("ascii").lower()
    return "-".join(code[start : start + _GROUP_CHARS] for start in range(0, len(code), _GROUP_CHARS))
