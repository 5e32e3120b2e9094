"""HTML: what a person would read. Scripts, styles, forms' options and comments are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from maverik_backend.core.documents.blocks import Block, clean

_NOT_READ = frozenset({"script", "style", "template", "noscript", "svg", "math", "select", "iframe", "object", "head"})
_BLOCKS = """
    address article aside blockquote body br caption dd details div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul
"""
_ENDS_A_BLOCK = frozenset(_BLOCKS.split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLANKS = re.compile(r"\s+")


def html_blocks(text: str) -> Iterator[Block]:
    """The headings and paragraphs of an HTML document."""
    reader = _Reader()
    reader.feed(_without_comments(text))
    reader.close()
    reader.end_block()
    yield from reader.blocks


def _without_comments(text: str) -> str:
    """``text`` up to a comment that does not end, and without those before: the parser would look for each end anew."""
    kept: list[str] = []
    at = 0
    while (begins := text.find("<!--", at)) >= 0:
        kept.append(text[at:begins])
        ends = text.find("-->", begins + 4)
        if ends < 0:
            return "".join(kept)
        at = ends + 3
    return "".join([*kept, text[at:]])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._text: list[str] = []
        self._level: int | None = None
        self._unread: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NOT_READ or (not self._unread and _is_hidden(attrs) and tag not in _ENDS_ALONE):
            self._unread.append(tag)
        if tag in _ENDS_A_BLOCK:
            self.end_block()
        if tag in _HEADINGS:
            self._level = _HEADINGS[tag]

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unread:  # also ends what was opened inside and never closed
            del self._unread[self._unread.index(tag) :]
        if tag in _ENDS_A_BLOCK:
            self.end_block()

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self._text.append(data)

    def end_block(self) -> None:
        """Close the block that is open; a heading's level ends with it."""
        if text := _BLANKS.sub(" ", clean("".join(self._text))).strip():
            self.blocks.append(Block(text=text, level=self._level))
        self._text.clear()
        self._level = None


_ENDS_ALONE = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr", "area", "base", "col", "embed", "source"})


def _is_hidden(attrs: list[tuple[str, str | None]]) -> bool:
    """Whether a person sees nothing of it: a place for instructions to a model."""
    found = dict(attrs)
    style = _BLANKS.sub("", found.get("style") or "").lower()
    return "hidden" in found or "display:none" in style or "visibility:hidden" in style
