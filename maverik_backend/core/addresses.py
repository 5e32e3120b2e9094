"""One spelling for every e-mail address: what is stored, looked for and counted by."""

from __future__ import annotations

import unicodedata
from contextlib import suppress

from email_validator import EmailNotValidError, validate_email


def canonical(address: str) -> str:
    """The address in lower case and NFC, without blanks around it, its domain as people write it (RFC 5891).

    What is no address keeps its other oddities: installations from before this repository hold some, and they must be
    found again.
    """
    bare = unicodedata.normalize("NFC", address).strip()
    with suppress(EmailNotValidError):
        bare = validate_email(bare, check_deliverability=False).normalized
    return unicodedata.normalize("NFC", bare).lower()
