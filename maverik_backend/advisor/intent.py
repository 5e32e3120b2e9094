"""What a message is when it is not, or not only, a question about money: told by its words, before any search.

Danger, fraud and the like are told before (``services/safety``). The first that fits decides, in the order of
:class:`Intent`.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from maverik_backend.advisor import phrases
from maverik_backend.core.text import fold


class Intent(Enum):
    """A kind of message with an answer of its own."""

    CRIME = auto()
    ENGLISH = auto()
    GREETING = auto()
    ABOUT = auto()
    THANKS = auto()
    GOODBYE = auto()
    MORE = auto()
    SIMPLER = auto()
    ACKNOWLEDGES = auto()
    HUMAN = auto()
    YOUR_DATA = auto()
    WHAT_I_ASKED = auto()
    INSULT = auto()
    PORTFOLIO = auto()
    QUOTE = auto()
    COMPANY = auto()
    UNCLEAR = auto()


# Small talk is short, and is nothing but that.
_MAX_TALK_CHARS = 160
_MAX_LANGUAGE_CHARS = 400
_MIN_ENGLISH_WORDS = 2
_SAID_ALONE = {
    Intent.GREETING: phrases.GREETING,
    Intent.ABOUT: phrases.ABOUT,
    Intent.THANKS: phrases.THANKS,
    Intent.GOODBYE: phrases.GOODBYE,
    Intent.MORE: phrases.MORE,
    Intent.SIMPLER: phrases.SIMPLER,
    Intent.ACKNOWLEDGES: phrases.ACKNOWLEDGES,
}
_SAID_ANYWHERE = {
    Intent.CRIME: phrases.CRIME,
    Intent.HUMAN: phrases.HUMAN,
    Intent.YOUR_DATA: phrases.YOUR_DATA,
    Intent.WHAT_I_ASKED: phrases.WHAT_I_ASKED,
    Intent.INSULT: phrases.INSULT,
    Intent.PORTFOLIO: phrases.PORTFOLIO,
    Intent.QUOTE: phrases.QUOTE,
    Intent.COMPANY: phrases.COMPANY,
}


def intent_of(text: str) -> Intent | None:
    """What ``text`` is, ``None`` for a question that the articles may answer."""
    said = " ".join(fold(text).split())
    words = " ".join(re.sub(r"[^\w\s]", " ", said).split()) if len(said) <= _MAX_TALK_CHARS else ""
    if said and not re.search(r"\w", said):
        return Intent.UNCLEAR if "?" in said else Intent.ACKNOWLEDGES  # "???"; "👍", "..."
    return next((intent for intent in Intent if _is(intent, said, words)), None)


def _is(intent: Intent, said: str, words: str) -> bool:
    if intent is Intent.ENGLISH:
        return _is_english(said)
    if intent is Intent.UNCLEAR:  # has no words to be told by
        return False
    if intent in _SAID_ALONE:
        return bool(words) and bool(_SAID_ALONE[intent].fullmatch(words))
    return bool(_SAID_ANYWHERE[intent].search(said))


def _is_english(said: str) -> bool:
    """English words, one of them never borrowed by Spanish, and no Spanish one; a single word only when it is all."""
    words = re.findall(r"[\w']+", said[:_MAX_LANGUAGE_CHARS])
    if not phrases.SPANISH.isdisjoint(words) or phrases.SURELY_ENGLISH.isdisjoint(words):
        return False
    english = sum(word in phrases.ENGLISH for word in words)
    return english >= _MIN_ENGLISH_WORDS or english == len(words)
