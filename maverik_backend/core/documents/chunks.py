"""Cutting a document into passages: paragraphs of one section together, long ones at the ends of sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from maverik_backend.core.documents.blocks import Block
from maverik_backend.core.documents.limits import (
    MAX_CHARS,
    MAX_HEADING_CHARS,
    MAX_HEADINGS,
    MAX_PASSAGE_CHARS,
    MIN_CHARS,
    PASSAGE_CHARS,
)
from maverik_backend.core.documents.refusals import DocumentRefused, Refusal

_SENTENCE_END = re.compile(r"(?<=[.!?;:])\s+|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A passage: at most ``MAX_PASSAGE_CHARS`` characters, the headings above it, and its pages where there are any."""

    text: str
    headings: tuple[str, ...] = ()
    first_page: int | None = None
    last_page: int | None = None


def passages(blocks: Iterable[Block]) -> Iterator[Passage]:
    """The passages of a document, in order.

    Raises:
        DocumentRefused: ``NO_TEXT`` or ``TOO_MUCH_TEXT``, the latter once so much has been read.
    """
    cutter = _Cutter()
    chars = 0
    for block in blocks:
        chars += len(block.text)
        if chars > MAX_CHARS:
            raise DocumentRefused(Refusal.TOO_MUCH_TEXT)
        if block.level is not None:
            yield from cutter.begin_section(block.text, block.level)
            continue
        for piece in _pieces(block.text):
            yield from cutter.add(piece, page=block.page)
    yield from cutter.flush()
    if chars < MIN_CHARS:
        raise DocumentRefused(Refusal.NO_TEXT)


class _Cutter:
    """Collects pieces until a passage is long enough, or its section ends."""

    def __init__(self) -> None:
        self._headings: list[tuple[int, str]] = []
        self._pieces: list[str] = []
        self._chars = 0
        self._pages: list[int] = []
        self._is_section_empty = False

    def begin_section(self, title: str, level: int) -> Iterator[Passage]:
        """A heading ends the passage before it; its title is the text of a section that has none."""
        yield from self.flush()
        yield from self._empty_section(level)
        kept = [heading for heading in self._headings if heading[0] < level][: MAX_HEADINGS - 1]
        self._headings = [*kept, (level, title[:MAX_HEADING_CHARS])]
        self._is_section_empty = True

    def add(self, piece: str, *, page: int | None) -> Iterator[Passage]:
        if self._pieces and self._chars + len(piece) > PASSAGE_CHARS:
            yield from self.flush()
        self._is_section_empty = False
        self._pieces.append(piece)
        self._chars += len(piece) + 1
        if page is not None:
            self._pages.append(page)

    def flush(self) -> Iterator[Passage]:
        if self._pieces:
            yield Passage(
                text="\n".join(self._pieces),
                headings=tuple(title for _, title in self._headings),
                first_page=min(self._pages, default=None),
                last_page=max(self._pages, default=None),
            )
        self._pieces, self._chars, self._pages = [], 0, []

    def _empty_section(self, next_level: int) -> Iterator[Passage]:
        """A heading that nothing stands below, neither text nor a lower heading, is found by what it says itself."""
        if self._is_section_empty and self._headings and next_level <= self._headings[-1][0]:
            yield Passage(text=self._headings[-1][1], headings=tuple(title for _, title in self._headings))


def _pieces(text: str) -> Iterator[str]:
    """``text`` in pieces that fit into a passage: whole where it can be, else at ends of sentences, else at blanks."""
    if len(text) <= MAX_PASSAGE_CHARS:
        yield text
        return
    piece = ""
    for sentence in _SENTENCE_END.split(text):
        if piece and len(piece) + 1 + len(sentence) > PASSAGE_CHARS:
            yield piece
            piece = ""
        piece = f"{piece} {sentence}" if piece else sentence
        while len(piece) > MAX_PASSAGE_CHARS:
            cut = piece.rfind(" ", PASSAGE_CHARS // 2, PASSAGE_CHARS)
            cut = PASSAGE_CHARS if cut < 0 else cut
            yield piece[:cut].strip()
            piece = piece[cut:].strip()
    if piece.strip():
        yield piece
