"""Questions as the choice of a declared query sees them: folded words in both languages, without their endings.

Words that change what is asked ("no", "without", "last", "más de") are words like any other: a query whose examples do
not have them does not fit a question that does. Only what carries no meaning in a question is left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from maverik_backend.core.text import fold
from maverik_backend.services.queries.definition import DEFAULT_LANGUAGE, Language

MAX_QUESTION_CHARS = 2000
MAX_TOKENS = 60
"""Of a question; a longer one is not looked at."""

_TOKEN = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:[-./][^\W_]+)*")
_QUARTER = re.compile(r"[qt]([1-4])")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SPANISH = _set(
    "el la los las un una unos unas de del al a en con para que se es son y o u e lo su sus mi mis nuestro nuestra "
    "nuestros nuestras me te nos le les hay hubo habia tenemos tengo tiene tienen ha han fue fueron quien quienes "
    "quiero quisiera necesito puedo podes podrias decime dime dame mostrame muestrame mostrar ver saber favor porfa "
    "hola gracias como todos todas todo cual cuales cuanto cuanta cuantos cuantas cantidad numero por cada segun lista "
    "listado nombres nombre existen hechas hechos realizadas realizados registradas registrados"
)
_ENGLISH = _set(
    "the a an of in on at for to from is are was were be been there do does did have has had we i you me my our us "
    "their which what who show list give tell display get find please can could would like want need know see how many "
    "much number count by per each all any and or it its hi hello thanks exist names name placed made registered"
)
_COMMON = _set("total totales")
# What a question asks for; told apart, but light: "orders by month" asks for a count without saying so.
COUNT, LIST, BY = "#count", "#list", "#by"
CUES = {
    **dict.fromkeys(_set("cuanto cuanta cuantos cuantas cantidad many much number count total totales"), COUNT),
    **dict.fromkeys(_set("cual cuales lista listado nombres which list show names mostrame"), LIST),
    **dict.fromkeys(_set("por cada segun by per each"), BY),
}
STOP_WORDS = _SPANISH | _ENGLISH | _COMMON
_ONLY_SPANISH, _ONLY_ENGLISH = _SPANISH - _ENGLISH, _ENGLISH - _SPANISH

_IRREGULAR = {"meses": "mes", "people": "person", "veces": "vez"}
_MIN_STEM = 4


@dataclass(frozen=True, slots=True)
class Token:
    """A word or number of a question: as it was written, and as it is compared."""

    written: str
    folded: str
    stem: str

    @property
    def is_number(self) -> bool:
        return self.folded[0].isdigit()


def tokens_of(text: str) -> list[Token]:
    """The words and numbers of the first :data:`MAX_QUESTION_CHARS` of ``text``."""
    tokens: list[Token] = []
    for found in _TOKEN.finditer(text[:MAX_QUESTION_CHARS]):
        for written in _parts(found[0]):
            folded = fold(written)
            tokens.append(Token(written, folded, stem(folded)))
    return tokens


def _parts(written: str) -> Sequence[str]:
    """Identifiers, dates and numbers stay whole; words with a hyphen or slash between them are two."""
    if (quarter := _QUARTER.fullmatch(written.lower())) is not None:
        return ("quarter", quarter[1])
    return (written,) if any(map(str.isdigit, written)) else re.split(r"[-./]", written)


def stem(word: str) -> str:
    """A folded word without the endings of number and gender, in Spanish and English alike."""
    if word in _IRREGULAR or word[0].isdigit():
        return _IRREGULAR.get(word, word)
    if word.endswith("ies") and len(word) > _MIN_STEM:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith("ss") and len(word) > _MIN_STEM - 1:
        word = word[:-1]
    if word.endswith("ing") and len(word) >= _MIN_STEM + 3:
        return word[:-3]
    return word[:-1] if word.endswith(("a", "e", "o")) and len(word) > _MIN_STEM else word


def stems_of(text: str) -> tuple[str, ...]:
    """The stems of all words of ``text``."""
    return tuple(token.stem for token in tokens_of(text))


def language_of(tokens: Sequence[Token], *, vocabulary: Mapping[Language, Collection[str]]) -> Language:
    """The language of more of the words that only one has; ``vocabulary`` adds words. Spanish when in doubt."""
    spanish, english = vocabulary.get("es", ()), vocabulary.get("en", ())
    words = {token.folded for token in tokens}
    in_english = sum(word in _ONLY_ENGLISH or (word in english and word not in spanish) for word in words)
    in_spanish = sum(word in _ONLY_SPANISH or (word in spanish and word not in english) for word in words)
    return "en" if in_english > in_spanish else DEFAULT_LANGUAGE


# --- questions for knowledge ------------------------------------------------------------------------------------------

_KNOWLEDGE = re.compile(
    r"^(?:(?:hola|hi|hello|che|por favor|please|y|and)[ ,]+)*(?:"
    r"(?:me (?:podes|podrias) )?(?:explica|explicame|explicar|explicarme|defini|definime|contame (?:que es|sobre))\b"
    r"|(?:que|cual) (?:es|son) (?:el significado|la definicion|la diferencia)\b"
    r"|que (?:es|son) (?:un|una|unos|unas) "
    r"|que (?:es|son) (?!(?:el|la|los|las|lo)\b)[^\W\d]+(?: [^\W\d]+)?$"
    r"|que (?:significa|quiere decir|diferencia hay)\b|para que (?:sirve|se usa)\b|por que\b"
    r"|como (?:funciona|hago|se hace|puedo|se usa|se calcula|creo|cargo)\b"
    r"|what(?: is|'s) (?:an? |the (?:meaning|definition|difference))"
    r"|what(?: is|'s| are) (?!the\b)[^\W\d]+(?: [^\W\d]+)?$"
    r"|what does .{1,60} mean|(?:please )?(?:explain|define|describe)\b|(?:tell me|what) about "
    r"|how (?:does|do|can|should|to)\b|why\b|difference between\b"
    r")"
)


def asks_for_knowledge(text: str) -> bool:
    """Whether ``text`` asks what something is or how it works, and for no figures."""
    said = " ".join(re.sub(r"[^\w\s']", " ", fold(text[:MAX_QUESTION_CHARS])).split())
    return _KNOWLEDGE.match(said) is not None
