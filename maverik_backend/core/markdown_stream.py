"""Cleaning of an answer that arrives in pieces: nothing is sent that cleaning the whole would take out.

Text without any character that could begin markup is sent word by word. From the first such character on, the rest of
its paragraph (of its fenced block, with the blank lines in it) is held until it is complete and cleaned as a whole
(:func:`~maverik_backend.core.markdown.clean`). What was sent is never taken back, and the pieces joined are what is
stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from maverik_backend.core.markdown import clean, inert, without_brackets

# What clean() may change anything at: tags, labels and images, attributes, entities, controls, and "ftp://".
_SUSPICIOUS = re.compile(
    r"[<>\[\]{}&`~|\\\"'\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff\ud800-\udfff"
    r"\U000e0000-\U000e007f]|ftp:|dict:|::|@",
    re.IGNORECASE,
)
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n+")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_LOOK_BACK_CHARS = 2_000
_LAST_BLANK = re.compile(r"[ \t]+(?=\S*\Z)")


class StreamCleaner:
    """Takes raw pieces, gives clean ones. For one answer, in one thread."""

    def __init__(self) -> None:
        self._held = ""
        self._sent = ""
        self._separator = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was sent so far."""
        return not self._sent

    def feed(self, piece: str) -> Iterator[str]:
        """What can be sent now that ``piece`` has come."""
        self._held += piece.replace("\r\n", "\n").replace("\r", "\n")
        while (end := self._paragraph_end()) is not None:
            paragraph, self._held = self._held[: end.start()], self._held[end.end() :]
            yield from self._send(paragraph)
            self._separator = "\n\n" if self._sent else ""
        yield from self._send_words()

    def end(self) -> Iterator[str]:
        """What was held back, when nothing follows."""
        held, self._held = self._held, ""
        yield from self._send(held)

    def _paragraph_end(self) -> re.Match[str] | None:
        """The first blank line that is not inside a fenced block."""
        for end in _PARAGRAPH_END.finditer(self._held):
            if len(_FENCE.findall(self._held, 0, end.start())) % 2 == 0:
                return end
        return None

    def _send_words(self) -> Iterator[str]:
        """Whole words at the beginning of what is held, as long as they are harmless beyond doubt."""
        suspicious = _SUSPICIOUS.search(self._held)
        harmless = self._held[: suspicious.start()] if suspicious else self._held
        blank = _LAST_BLANK.search(harmless)
        if blank is not None and blank.start():
            words, self._held = self._held[: blank.start()], self._held[blank.start() :]
            yield from self._send(words, is_harmless=True)

    def _send(self, text: str, *, is_harmless: bool = False) -> Iterator[str]:
        """``text`` cleaned, with the blank line before it that ended the paragraph before."""
        cleaned = text if is_harmless else self._cleaned(text)
        if not self._sent:
            cleaned = cleaned.lstrip()
        if not cleaned.strip():
            return
        cleaned, self._separator = self._separator + cleaned, ""
        self._sent += cleaned
        yield cleaned

    def _cleaned(self, text: str) -> str:
        """``text`` by itself and behind what was sent: a label there must not meet an address here."""
        body = text.lstrip(" \t") if self._sent and not self._separator else text
        cleaned = text[: len(text) - len(body)] + clean(body)
        together = self._sent[-_LOOK_BACK_CHARS:] + self._separator + cleaned
        return cleaned if inert(together) == together else without_brackets(cleaned)
