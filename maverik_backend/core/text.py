"""Text as a search sees it."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Lower case without accents, the ñ kept: ``¿Qué es el INTERÉS de un año?`` -> ``¿que es el interes de un año?``.

    PostgreSQL's Spanish stemmer takes "interés" and "interes" for two words, so both sides of a search are folded.
    """
    letters = unicodedata.normalize("NFC", text).lower()
    return "".join(letter if letter == "ñ" else _base_of(letter) for letter in letters)


def _base_of(letter: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", letter) if not unicodedata.combining(char))
