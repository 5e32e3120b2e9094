"""Markdown as plain text, for frontends that show an answer as it is.

=================  ====================================================================================
Markdown           Plain text
=================  ====================================================================================
Paragraphs         with a blank line between them; lines stay lines
Headings           a paragraph that ends with a colon unless it has a punctuation mark of its own
Emphasis, code     what it says
Lists              ``• `` or the number, a line an item, two blanks for each level
Links              ``text (https://...)``; the address alone where it is the text
Tables             a line a row: ``• first cell (heading: cell; heading: cell)``
Quotations         between angle quotation marks
=================  ====================================================================================

One frontend in production shows line ends as blanks: lists, headings and rows can be told apart without them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import zip_longest
from typing import TYPE_CHECKING

from maverik_backend.core import markdown as answer

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

BULLET = "•"
RULE = "———"
_INDENT = "  "
_PUNCTUATION = (".", ":", ";", ",", "?", "!", "…")
_SHOWN_SCHEMES = ("http://", "https://", "mailto:")

# What could mean anything to Markdown; most lines of most answers have none of it.
_MEANINGFUL = re.compile(r"[\\`*_#<>\[\]|&]|~~~|^(?:[ \t]|[-+=]|[0-9]{1,9}[.)])|[ \t]$", re.MULTILINE)


def of(markdown: str) -> str:
    """``markdown``, which was cleaned, as plain text; it may be longer, and is as harmless to any renderer."""
    if not _MEANINGFUL.search(markdown):
        return markdown
    from markdown_it.tree import SyntaxTreeNode  # noqa: PLC0415 - as the parser

    text = _blocks(SyntaxTreeNode(_parser().parse(markdown)).children)
    # What was escaped, or written as entities, stands there as it reads: not to be taken for markup by anything.
    return answer.inert(answer.without_controls(text))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - 45 ms that only a process that answers turns has to pay

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _blocks(nodes: Sequence[SyntaxTreeNode], *, between: str = "\n\n") -> str:
    return between.join(text for text in map(_block, nodes) if text)


def _block(node: SyntaxTreeNode) -> str:
    render = _BLOCKS.get(node.type)
    return render(node) if render else _inline(node)


def _heading(node: SyntaxTreeNode) -> str:
    text = _inline(node)
    return text if not text or text.endswith(_PUNCTUATION) else f"{text}:"


def _quotation(node: SyntaxTreeNode) -> str:
    text = _blocks(node.children)
    return f"«{text}»" if text else ""


def _list(node: SyntaxTreeNode) -> str:
    first = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    return "\n".join(
        _item(item, mark=BULLET if first is None else f"{first + number}{node.markup}")
        for number, item in enumerate(node.children)
    )


def _item(node: SyntaxTreeNode, *, mark: str) -> str:
    lines = _blocks(node.children, between="\n").split("\n")
    return f"\n{_INDENT}".join([f"{mark} {lines[0]}".rstrip(), *lines[1:]])


def _table(node: SyntaxTreeNode) -> str:
    headings, *rows = ([_inline(cell) for cell in row.children] for part in node.children for row in part.children)
    return "\n".join(_row(headings, row) for row in rows) or f"{BULLET} {'; '.join(headings)}"


def _row(headings: Sequence[str], cells: Sequence[str]) -> str:
    first, *rest = (
        f"{heading}: {cell}" if heading and cell and number else cell
        for number, (heading, cell) in enumerate(zip_longest(headings, cells, fillvalue=""))
    )
    known = "; ".join(filter(None, rest))
    return f"{BULLET} {f'{first} ({known})' if first and known else first or known}"


def _inline(node: SyntaxTreeNode) -> str:
    return "".join(_parts(node)).strip()


def _parts(node: SyntaxTreeNode) -> Iterator[str]:
    for child in node.children:
        if child.type in {"softbreak", "hardbreak"}:
            yield "\n"
        elif child.type == "link":
            yield _link(child)
        elif child.children:
            yield from _parts(child)
        else:
            yield child.content


def _link(node: SyntaxTreeNode) -> str:
    text, address = "".join(_parts(node)), str(node.attrs["href"])
    if not address.startswith(_SHOWN_SCHEMES) or text in {address, address.removeprefix("mailto:")}:
        return text
    return f"{text} ({address.removeprefix('mailto:')})"


_BLOCKS: dict[str, Callable[[SyntaxTreeNode], str]] = {
    "heading": _heading,
    "blockquote": _quotation,
    "bullet_list": _list,
    "ordered_list": _list,
    "table": _table,
    "fence": lambda node: node.content.rstrip("\n"),
    "code_block": lambda node: node.content.rstrip("\n"),
    "hr": lambda _node: RULE,
}
