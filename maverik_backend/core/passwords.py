"""Which passwords people may choose (NIST SP 800-63B-4 and OWASP ASVS 5.0, chapter 6.2): long enough, not well known.

============  =================================================================================
Rule          Value
============  =================================================================================
Length        8 to 128 characters, counted after NFC normalisation
Read          at most 512 code points: no character of 128 takes more than four to write (UAX #15, section 10)
Characters    any; no rule of composition
Refused       the 10,000 most common, and common ones in Spanish, whatever their case
...           one character, a run (``12345678``, ``abcd4321``) or up to four characters repeated (``asdasdas``)
...           the person's own address; the product's name or the part before the @ with little else
============  =================================================================================
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files

MIN_CHARS = 8
MAX_CHARS = 128
MAX_CODE_POINTS = 4 * MAX_CHARS
"""What is normalised at all, which takes time that grows with the square of the length."""
# With accents removed. "Maverick" is how people misspell it.
PRODUCT_NAMES = ("maverick", "maverik")
MIN_OWN_LETTERS = 4
"""So many letters beside the product's name, or the person's, make a key their own."""
MIN_RUN_CHARS = 3
MAX_REPEATED_CHARS = 4


def normalise(password: str) -> str:
    """One spelling for what looks the same on every keyboard (Unicode NFC)."""
    return unicodedata.normalize("NFC", password)


def is_common(password: str) -> bool:
    """Whether ``password`` is among the 10,000 most common, or the common ones in Spanish, accents or not."""
    said = normalise(password).lower()
    return said in _lines("common_passwords.txt") or _without_accents(said) in _lines("common_passwords_es.txt")


def is_predictable(password: str) -> bool:
    """Whether ``password`` is nothing but runs, or a few characters repeated."""
    said = normalise(password).lower()
    repeats = any(said == (said[:length] * len(said))[: len(said)] for length in range(1, MAX_REPEATED_CHARS + 1))
    return repeats or all(len(run) >= MIN_RUN_CHARS for run in _runs(said))


def is_about(password: str, email: str) -> bool:
    """Whether ``password`` is little more than the product's name or the part of the address before the @."""
    letters = rest = _letters(password)
    name = _letters(email.partition("@")[0])
    for word in (name, *PRODUCT_NAMES):
        # A short name is part of many words: it counts where nothing else is there.
        if len(word) >= MIN_OWN_LETTERS or word == rest:
            rest = rest.replace(word, "")
    return rest != letters and len(rest) < MIN_OWN_LETTERS


def is_address(password: str, email: str) -> bool:
    """Whether ``password`` is just the person's address, or the part before its @."""
    said = normalise(password).casefold()
    return said in {email.casefold(), email.partition("@")[0].casefold()}


def _runs(said: str) -> list[str]:
    """``said`` cut where it does not go on in steps of one size: the same character, the next or the one before."""
    runs, step = [""], None
    for character in said:
        run = runs[-1]
        distance = ord(character) - ord(run[-1]) if run else None
        if not run or (distance in {-1, 0, 1} and (len(run) == 1 or distance == step)):
            runs[-1] += character
            step = distance
        else:
            runs.append(character)
    return runs


def _letters(text: str) -> str:
    return "".join(character for character in _without_accents(text.casefold()) if character.isalpha())


def _without_accents(text: str) -> str:
    """``contraseña`` -> ``contrasena``."""
    return "".join(part for part in unicodedata.normalize("NFKD", text) if not unicodedata.combining(part))


@cache
def _lines(name: str) -> frozenset[str]:
    content = files("maverik_backend.core") / "data" / name
    return frozenset(content.read_text(encoding="utf-8").splitlines())
