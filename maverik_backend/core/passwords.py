"""Which passwords people may choose (NIST SP 800-63B-4 and OWASP ASVS 5.0, chapter 6.2): long enough, not well known.

============  =================================================================================
Rule          Value
============  =================================================================================
Length        8 to 128 characters, counted after NFC normalisation
Characters    any; no rule of composition
Refused       the 10,000 most common, whatever their case; the person's own address
============  =================================================================================
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files

MIN_CHARS = 8
MAX_CHARS = 128


def normalise(password: str) -> str:
    """One spelling for what looks the same on every keyboard (Unicode NFC)."""
    return unicodedata.normalize("NFC", password)


def is_common(password: str) -> bool:
    """Whether ``password`` is among the 10,000 most common."""
    return normalise(password).lower() in _common_passwords()


def is_address(password: str, email: str) -> bool:
    """Whether ``password`` is just the person's address, or the part before its @."""
    said = normalise(password).casefold()
    return said in {email.casefold(), email.partition("@")[0].casefold()}


@cache
def _common_passwords() -> frozenset[str]:
    content = files("maverik_backend.core") / "data" / "common_passwords.txt"
    return frozenset(content.read_text(encoding="utf-8").splitlines())
