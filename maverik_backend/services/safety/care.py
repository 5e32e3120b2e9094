"""Whether a message is a person's who is in danger or in trouble, and of what kind."""

from __future__ import annotations

import re
from enum import StrEnum

from maverik_backend.core.phrases import words_of
from maverik_backend.services.safety import phrases


class Care(StrEnum):
    """Kinds of trouble that come before any advice, the most urgent first. The values are stored (``conversacion``)."""

    MEDICAL = "medical"
    DISTRESS_OF_ANOTHER = "distress_of_another"
    DISTRESS = "distress"
    CHILD = "child"
    ELDER = "elder"
    VIOLENCE = "violence"
    THREATS = "threats"
    GAMBLING = "gambling"
    FRAUD = "fraud"
    STRAIN = "strain"


_PATTERNS = {
    Care.MEDICAL: phrases.MEDICAL,
    Care.DISTRESS_OF_ANOTHER: phrases.DISTRESS_OF_ANOTHER,
    Care.DISTRESS: phrases.DISTRESS,
    Care.CHILD: phrases.CHILD,
    Care.ELDER: phrases.ELDER,
    Care.VIOLENCE: phrases.VIOLENCE,
    Care.THREATS: phrases.THREATS,
    Care.GAMBLING: phrases.GAMBLING,
    Care.FRAUD: phrases.FRAUD,
    Care.STRAIN: phrases.STRAIN,
}
MAX_TOGETHER_WORDS = 60
_TOGETHER = {
    Care.ELDER: phrases.TOGETHER_ELDER,
    Care.VIOLENCE: phrases.TOGETHER_VIOLENCE,
    Care.THREATS: phrases.TOGETHER_THREATS,
    Care.GAMBLING: phrases.TOGETHER_GAMBLING,
    Care.FRAUD: phrases.TOGETHER_FRAUD,
}


def care_in(text: str) -> Care | None:
    """The most urgent kind that ``text`` tells of, ``None`` when it tells of none."""
    said = phrases.FIGURES.sub(" ", words_of(text))
    told = [sentence for sentence in said.split(" . ") if not _only_asks_what_it_is(sentence)]
    said = " . ".join(told)
    found = next((kind for kind, pattern in _PATTERNS.items() if pattern.search(said)), None)
    return found or _told_together(said)


def _told_together(said: str) -> Care | None:
    """The kind whose families of words all stand in a short text, in whatever order."""
    if len(said.split()) > MAX_TOGETHER_WORDS:
        return None
    return next((kind for kind, families in _TOGETHER.items() if all(one.search(said) for one in families)), None)


def _only_asks_what_it_is(sentence: str) -> bool:
    """Whether a sentence asks for the meaning of a word: "¿qué es la ludopatía?"."""
    asks = phrases.DEFINITION.match(sentence)
    return bool(asks) and not phrases.FIRST_PERSON.search(re.sub(r"^\W*", "", sentence[asks.end() :] if asks else ""))
