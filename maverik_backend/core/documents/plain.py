"""Text and Markdown: paragraphs between blank lines; in Markdown also headings (CommonMark 0.31, sections 4.2, 4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from maverik_backend.core.documents.blocks import Block, clean

_FENCE = re.compile(r" {0,3}(?:`{3,}|~{3,})")
_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*\Z")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*\Z")


def text_blocks(text: str) -> Iterator[Block]:
    """The paragraphs of a text."""
    for paragraph in re.split(r"\n[ \t]*\n", clean(text)):
        if stripped := paragraph.strip():
            yield Block(text=stripped)


def markdown_blocks(text: str) -> Iterator[Block]:
    """The headings and paragraphs of a Markdown text; what is code is a paragraph, whatever it looks like."""
    lines: list[str] = []
    in_code = False
    for line in clean(text).split("\n"):
        in_code ^= bool(_FENCE.match(line))
        heading = None if in_code else _heading(line, lines)
        if heading is not None:
            yield from _paragraph(lines)
            yield heading
        elif line.strip() or in_code:
            lines.append(line)
        else:
            yield from _paragraph(lines)
    yield from _paragraph(lines)


def _heading(line: str, before: list[str]) -> Block | None:
    """The heading that ``line`` is, or that it makes of the single line ``before``, which is taken out."""
    if found := _ATX.match(line):
        return Block(text=found[2], level=len(found[1])) if found[2] else None
    if len(before) == 1 and (found := _SETEXT.match(line)):
        return Block(text=before.pop().strip(), level=1 if found[1][0] == "=" else 2)
    return None


def _paragraph(lines: list[str]) -> Iterator[Block]:
    if text := "\n".join(lines).strip():
        yield Block(text=text)
    lines.clear()
