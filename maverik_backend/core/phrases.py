"""Recognising what a message says by its words: regular expressions over a normalised text.

Gaps in patterns are bounded and every phrase starts at a word, so that a long text made to confuse is read in
milliseconds.
"""

from __future__ import annotations

import re

from maverik_backend.core.text import fold

# Abbreviations of chats. A "k" after a digit is a thousand.
_WRITTEN_AS = {
    "q": "que", "k": "que", "ke": "que", "xq": "porque", "pq": "porque", "porq": "porque", "xk": "porque",
    "x": "por", "d": "de", "tmb": "tambien", "tb": "tambien", "toy": "estoy", "toi": "estoy", "kiero": "quiero",
    "qiero": "quiero", "kiere": "quiere", "pa": "para", "aki": "aca", "aqui": "aca", "m": "me", "nd": "nada",
    "dsp": "despues", "finde": "fin de semana", "celu": "celular", "compu": "computadora",
}  # fmt: skip
_SENTENCE_END = re.compile(r"[.!?;\n]+")
_LONG_LETTERS = re.compile(r"([^\W\d])\1{2,}")
_TOKEN = re.compile(r"\w+|\.|%")


def any_of(*phrases: str) -> re.Pattern[str]:
    """A pattern that finds any of ``phrases`` as whole words."""
    return re.compile("|".join(rf"\b(?:{phrase})(?!\w)" for phrase in phrases))


def nothing_but(*phrases: str) -> re.Pattern[str]:
    """A pattern for ``fullmatch``: one of ``phrases`` and not a word more."""
    return re.compile("|".join(f"(?:{phrase})" for phrase in phrases))


def plain(text: str) -> str:
    """``text`` folded, one space between words; figures and marks stay as they were written."""
    return " ".join(fold(text).split())


def squeezed(text: str) -> str:
    """``text`` folded, letters that are drawn out written once: whatever is in a word of :func:`words_of` is in it."""
    return _LONG_LETTERS.sub(r"\1", fold(text))


def words_of(text: str) -> str:
    """``text`` as words: folded, abbreviations written out, marks dropped but ``%`` and ``.`` between sentences.

    ``"Toy MAL!!! no kiero vivir mássss"`` -> ``"estoy mal . no quiero vivir mas"``. Commas vanish, also inside figures:
    figures are read in :func:`plain`.
    """
    folded = _LONG_LETTERS.sub(r"\1", _SENTENCE_END.sub(" . ", _joined_figures(fold(text))))
    written: list[str] = []
    for word in _TOKEN.findall(folded):
        is_thousand = word == "k" and bool(written) and written[-1][-1].isdigit()
        written.append(word if is_thousand else _WRITTEN_AS.get(word, word))
    return " ".join(written).strip(" .")


def _joined_figures(folded: str) -> str:
    """``1.250.000`` without its points, which end no sentence."""
    return re.sub(r"(?<=\d)[.,](?=\d)", "", folded)
