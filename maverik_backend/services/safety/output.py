"""What no assistant may tell a person: promises of returns, and its own instructions.

HTML and images are taken out before (``core/markdown.py``). Text is passed on as it comes; only from a word that may
start a promise is a sentence held back until it ends.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from functools import lru_cache

from maverik_backend.core.phrases import any_of, squeezed, words_of
from maverik_backend.core.text import fold
from maverik_backend.texts import care as texts

MAX_HELD_CHARS = 600
LEAKED_WORDS = 9
"""So many words of the instructions in a row are no coincidence."""
_CANARY_BYTES = 9
_PROMISE = any_of(
    r"(?:garantiz(?:o|a|amos|an|ad[oa]s?)|asegur(?:o|a|amos|an))(?: \w+){0,6} (?:rendimientos?|ganancias?|retornos?|"
    r"utilidad\w*|interes\w*|duplic\w+|"
    r"triplic\w+|%|\d+)",
    r"(?:rendimientos?|ganancias?|retornos?|utilidades)(?: \w+){0,4} (?:garantizad|asegurad|segur)[oa]s?",
    r"vas a (?:\w+ )?(?:ganar|duplicar|triplicar|multiplicar)(?: \w+){0,8}(?: (?:segur[oa]|sin riesgo|si o si|"
    r"garantizado))",
    r"(?:ganancia|inversion|negocio|retorno|rinde|rendir|ganas)(?: [\w%]+){0,6} sin (?:ningun )?riesgos?",
    r"(?:imposible|no podes|no se puede|nunca vas a) perder",
    r"va a (?:subir|duplicar\w*|triplicar\w*|rendir)(?: \w+){0,6} (?:segur[oa]|garantizado|si o si|con certeza)",
)
# Said about promises, against them, or of deposits whose rate is agreed beforehand.
_NO_PROMISE = any_of(
    r"no|nadie|(?<!sin )ningun\w*|nunca|jamas|ni|tampoco|desconfi\w+|estaf\w+|alerta|cuidado|ojo|promet\w+|ofrec\w+|"
    r"ponzi|"
    r"fraude|fals\w+|dud\w+|sospech\w+|"
    r"supuest\w+|plazos? fijos?|cauci\w+|letras?|lecaps?|deposit\w+"
)
_SURE_PROMISE = any_of(r"imposible perder|nunca vas a perder|no podes perder|no se puede perder")
# A look for these takes a fifth of what the phrases do, and most sentences have none.
_IN_EVERY_PROMISE = re.compile(r"garanti|segur|riesg|perder|\bvas?\b")
_STARTS = re.compile(
    r"garanti|asegur|segur|sin ning|sin ries|imposible|vas a|va a|perder|rendim|ganan|retorn|utilid", re.IGNORECASE
)
# A start may be of two words, the first of which was shown.
_MAX_START_CHARS = 10
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"[.!?](?=\s)|\n")


@lru_cache(maxsize=64)
def _secret_runs(instructions: str) -> frozenset[tuple[str, ...]]:
    return frozenset(_runs(_WORD.findall(fold(instructions))))


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every :data:`LEAKED_WORDS` words in a row."""
    return (tuple(words[start : start + LEAKED_WORDS]) for start in range(len(words) - LEAKED_WORDS + 1))


def make_canary() -> str:
    """A word that only an assistant's instructions contain: in an answer it shows that they leak."""
    return f"mvk{secrets.token_hex(_CANARY_BYTES)}"


def is_promise(sentence: str) -> bool:
    """Whether a sentence promises a return."""
    if not _IN_EVERY_PROMISE.search(squeezed(sentence)):
        return False
    said = words_of(sentence)
    if _SURE_PROMISE.search(said):
        return True
    return bool(_PROMISE.search(said)) and not _NO_PROMISE.search(said)


class OutputGuard:
    """Checks one answer, whole or piece by piece. Not for use by several threads at once."""

    def __init__(self, *, canary: str | None = None, instructions: str = "") -> None:
        """``instructions`` are those of the assistant that answers, if it has any; ``canary`` is the one in them."""
        self._canary = canary
        self._secret_runs = _secret_runs(instructions)
        self._last_words: list[str] = []
        self._held = ""
        self._begun = ""  # what of the sentence in hand was shown: "no te" changes what follows
        self._has_leaked = False
        self._has_shown = False

    def feed(self, piece: str, *, ends_word: bool = False) -> Iterator[str]:
        """What of the text so far may be shown and was not shown yet.

        With ``ends_word`` the last word of ``piece`` is complete; otherwise it waits for what follows.
        """
        if self._has_leaked:
            return
        self._held += piece
        yield from self._release(is_end=False, ends_word=ends_word)

    def end(self) -> Iterator[str]:
        """The rest."""
        if not self._has_leaked:
            yield from self._release(is_end=True, ends_word=True)

    def check(self, text: str) -> str:
        """A whole answer, as it may be shown."""
        return "".join([*self.feed(text), *self.end()])

    def _release(self, *, is_end: bool, ends_word: bool) -> Iterator[str]:
        if self._leaks():
            self._has_leaked = True
            yield f"\n\n{texts.LEAKED}" if self._has_shown else texts.LEAKED  # behind no opening of a block
            return
        while match := _SENTENCE_END.search(self._held):
            sentence, self._held = self._held[: match.end()], self._held[match.end() :]
            yield self._shown(sentence)
        if is_end or len(self._held) > MAX_HELD_CHARS:
            rest, self._held = self._held, ""
            if rest:
                yield self._shown(rest)
        elif not _STARTS.search(self._begun[-_MAX_START_CHARS:] + self._held):
            safe = len(self._held) if ends_word else self._held.rfind(" ") + 1
            ready, self._held = self._held[:safe], self._held[safe:]
            if not ready:
                return
            self._begun += ready
            self._remember(ready)
            yield ready

    def _leaks(self) -> bool:
        """Whether what is held repeats the instructions, with the words before it."""
        if self._canary and self._canary in self._held:
            return True
        if not self._secret_runs:
            return False
        return not self._secret_runs.isdisjoint(_runs([*self._last_words, *_WORD.findall(fold(self._held))]))

    def _remember(self, released: str) -> None:
        self._has_shown = True
        if self._secret_runs:
            self._last_words = [*self._last_words, *_WORD.findall(fold(released))][1 - LEAKED_WORDS :]

    def _shown(self, sentence: str) -> str:
        """The end of a sentence, or what stands in its place."""
        begun, self._begun = self._begun, ""
        self._remember(sentence)
        if not is_promise(begun + sentence):
            return sentence
        blanks = sentence[: len(sentence) - len(sentence.lstrip())]
        return f"{blanks}{texts.NO_PROMISES}" + ("\n" if sentence.endswith("\n") else "")
