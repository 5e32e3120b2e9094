"""Text on its way into a turn's log: cleaned and checked as it comes, before anything is emitted."""

from __future__ import annotations

from collections.abc import Iterable

from maverik_backend.core import markdown
from maverik_backend.core.markdown_stream import StreamCleaner
from maverik_backend.services.safety import OutputGuard
from maverik_backend.services.turns import Emit, TextDelta


class Writer:
    """Emits one turn's text, which comes in pieces. Called by one thread at a time.

    What is emitted has no markup (core/markdown_stream.py), promises no return and repeats no instructions
    (services/safety/output.py).
    """

    def __init__(self, emit: Emit, *, canary: str | None = None, instructions: str = "", lead: str = "") -> None:
        """``instructions`` are those of the model that writes, if one does; ``canary`` is the one in them.

        ``lead`` comes before the first piece.
        """
        self._emit = emit
        self._cleaner = StreamCleaner()
        self._guard = OutputGuard(canary=canary, instructions=instructions)
        self._lead = lead

    @property
    def is_empty(self) -> bool:
        """Whether nothing was emitted so far."""
        return self._cleaner.is_empty

    def add(self, piece: str) -> None:
        """Write the next piece; what may yet turn out to be markup is held back."""
        lead, self._lead = self._lead, ""
        self._emit_all(self._cleaner.feed(lead + piece))

    def break_paragraph(self) -> None:
        """Emit what was held back; what is added next begins a paragraph of its own."""
        self._emit_all(self._cleaner.feed("\n\n"))

    def end(self) -> None:
        """Emit what was held back, and close any block that was left open. Nothing may be added behind it."""
        self._emit_all(self._cleaner.end())
        self._emit_shown(self._guard.end())

    def _emit_all(self, clean: Iterable[str]) -> None:
        for piece in clean:  # each ends with a whole word
            self._emit_shown(self._guard.feed(piece, ends_word=True))

    def _emit_shown(self, pieces: Iterable[str]) -> None:
        if text := "".join(pieces):
            self._emit(TextDelta(text=text))


def write_whole(text: str, emit: Emit) -> bool:
    """Emit a text that came whole, as :class:`Writer` would; whether anything is left of it."""
    shown = OutputGuard().check(markdown.clean(text))
    if shown:
        emit(TextDelta(text=shown))
    return bool(shown)
