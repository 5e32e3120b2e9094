"""What the earlier turns say about this one: what was spoken of, what was shown, what a follow-up points back to.

The advisor keeps nothing between turns. What it needs to know of its own earlier answers it reads from their fixed
parts: the line that names the sources and the disclaimer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from maverik_backend.clients.rag.base import Passage
from maverik_backend.core.text import fold
from maverik_backend.texts import advice as texts

_SOURCES = re.compile("{}(.+?){}".format(*map(re.escape, texts.SOURCES.split("{titles}"))))
_MAX_QUOTED = 3
_MAX_QUOTED_CHARS = 150

_POINTS_BACK = re.compile(r"\b(eso|esto|esos|esas|ese|esa|aquello|lo anterior|lo mismo|ahi)\b")
_GOES_ON = re.compile(r"^(y|pero|entonces|o sea)\b")
_MAX_POINTING_WORDS = 12
_MAX_GOING_ON_WORDS = 4
_MAX_ASPECT_WORDS = 7
# What can be asked of anything one can put money into. A question with nothing else in it is about what came before.
_ASPECTS = re.compile(
    r"\b(riesg\w+|rinde\w*|rendimient\w*|rentab\w+|ganancias?|gan[ao]|comision(?:es)?|costos?|cuesta|impuestos?|liquidez|"
    r"legal(?:es)?|mejor|ventajas?|desventajas?|segur[ao]|minimo|plazos?(?! fijo)|pierdo|perder|beneficios?|"
    r"contras?|pros|compr[ao]\w*|vend[eo]r?|rescat\w+|retir[ao]r?|conviene|diferencias?|abr[oe]|abrir|contrat\w+|suscrib\w+|"
    r"eli[jg]\w+|empez\w+|empiez\w+|funcionan?|calcul\w+|sac[oa]r?|consig\w+|tardan?|duran?|sirven?)\b"
)
_SMALL_WORDS = re.compile(
    r"\b(y|e|o|pero|entonces|que|cual(?:es)?|cuant[oa]s?|como|cuando|donde|quien|por|para|en|a|de|con|sin|hay|es|son|"
    r"el|la|los|las|lo|un|una|unos|mi|me|te|se|le|su|sus|tiene[ns]?|tengo|tienen|puedo|puede|mas|muy|es[eao]s?|esto|"
    r"ahi|primero|antes|despues|ahora|hoy|siempre|tambien|daria[ns]?|dan?|recomend\w+|aconsej\w+|arranc\w+|vos|"
    r"pag[ao]|cobran?|hago|hace|al|del|no|si|tanto|mucho|algun\w*)\b"
)


@dataclass(frozen=True)
class Conversation:
    """The turns before this one, oldest first, as (person, advisor)."""

    turns: Sequence[tuple[str, str]]

    @cached_property
    def subject(self) -> tuple[str, ...]:
        """What the latest answer with sources was about: the first of their titles, or all that it put together."""
        for _, advisor in reversed(self.turns):
            if sources := _SOURCES.findall(advisor):
                titles = sources[-1].split("; ")
                joined = [title for title in titles if texts.UNDER_TITLE.format(title=title, text="") in advisor]
                return tuple(joined or titles[:1])
        return ()

    @property
    def has_advice(self) -> bool:
        """Whether any answer so far was more than small talk."""
        return any(texts.DISCLAIMER in said for _, said in self.turns)

    @property
    def latest_questions(self) -> list[str]:
        """What the person said last, on one line each and cut where it gets long, oldest first."""
        said = [" ".join(person.split()) for person, _ in self.turns[-_MAX_QUOTED:]]
        return [text if len(text) <= _MAX_QUOTED_CHARS else f"{text[:_MAX_QUOTED_CHARS]}…" for text in said]

    def has_shown(self, passage: Passage) -> bool:
        return any(passage.text in advisor for _, advisor in self.turns)


def follows_on(text: str) -> bool:
    """Whether a question can only be understood with the one before it."""
    plain = fold(text).lstrip("¿¡ ")
    words = len(plain.split())
    if words <= _MAX_POINTING_WORDS and _POINTS_BACK.search(plain):
        return True
    if goes_on(text):
        return True
    return words <= _MAX_ASPECT_WORDS and not own_subject(text)


def goes_on(text: str) -> bool:
    """Whether a few words go on from what was said: "¿y en la bolsa?"."""
    plain = fold(text).lstrip("¿¡ ")
    return len(plain.split()) <= _MAX_GOING_ON_WORDS and bool(_GOES_ON.search(plain))


def aspects_of(text: str) -> str:
    """The properties that a question asks about: "riesgos" in "¿y eso qué riesgos tiene?"."""
    aspects = " ".join(_ASPECTS.findall(fold(text)))
    return f"{aspects} rendimiento" if "rind" in aspects else aspects


def own_subject(text: str) -> str:
    """What a question names besides a property: "bonos" in "¿y qué riesgos tienen los bonos?"."""
    rest = _SMALL_WORDS.sub(" ", _ASPECTS.sub(" ", fold(text)))
    return " ".join(re.sub(r"[^\w\s]", " ", rest).split())
