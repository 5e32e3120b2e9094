"""Text as a search sees it, and as it is safe to show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

MAX_MARKS = 30
"""In a row, on one letter: what the Stream-Safe Text Format of Unicode keeps (UAX #15, section 13)."""
_FIRST_MARK = "\u0300"

# Unicode's property Bidi_Control (UAX #9): invisible, and able to let a text read in another order than it is stored.
BIDI_CONTROLS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""For the inside of a regular expression's brackets."""

_BIDI_CONTROL = re.compile(f"[{BIDI_CONTROLS}]")


def without_bidi_controls(text: str) -> str:
    """``text`` as it is shown: in the order in which it is stored. Joiners that emoji and scripts need stay."""
    return _BIDI_CONTROL.sub("", text)


def fold(text: str) -> str:
    """Lower case without accents, the ñ kept: ``¿Qué es el INTERÉS de un año?`` -> ``¿que es el interes de un año?``.

    PostgreSQL's Spanish stemmer takes "interés" and "interes" for two words, so both sides of a search are folded.
    The time it takes grows with the length of the text and not with its square.
    """
    if text.isascii():
        return text.lower()
    if max(text) < _FIRST_MARK:  # no marks to compose with, as in nearly every text
        return text.lower().translate(_BASES)
    letters = unicodedata.normalize("NFC", "".join(_with_few_marks(text))).lower()
    return "".join(letter if letter == "ñ" else _base_of(letter) for letter in letters)


def _with_few_marks(text: str) -> Iterator[str]:
    """``text`` without the marks beyond :data:`MAX_MARKS` in a row, which normalising would sort one by one."""
    marks = 0
    for letter in text:
        is_mark = letter >= _FIRST_MARK and unicodedata.combining(unicodedata.normalize("NFD", letter)[0])
        marks = marks + 1 if is_mark else 0
        if marks <= MAX_MARKS:
            yield letter


def _base_of(letter: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", letter) if not unicodedata.combining(char))


# Of what letters before the first mark are in lower case.
_BASES = {
    ord(letter): "ñ" if letter == "ñ" else _base_of(letter)
    for character in map(chr, range(ord(_FIRST_MARK)))
    for letter in character.lower()
}
