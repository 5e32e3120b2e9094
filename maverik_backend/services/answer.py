"""An advisor's text made safe to keep and to show: Markdown without HTML, remote images or control characters.

Answers come from a service that may have read hostile pages. What a frontend's Markdown renderer could turn into a
request or into markup is taken out of the text itself, so that no renderer has to be trusted (OWASP LLM05:2025).
"""

from __future__ import annotations

import html
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_CHARS = 16_000
ELLIPSIS = "…"

_MAX_ROUNDS = 5
# C0 and C1 controls but tab and newline, invisible characters that reorder text (Unicode TR36), lone surrogates.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_LABEL = r"\[((?:[^\[\]\\]|\\.)*)\]"
_IMAGE = re.compile("!" + _LABEL + r"(?:\((?:[^()\\]|\\.|\([^()]*\))*\)|\[[^\]]*\])?")
_LINK = re.compile(_LABEL + r"\(\s*<?\s*([a-zA-Z][a-zA-Z0-9+.-]*):[^()]*(?:\([^()]*\)[^()]*)*\)")
_AUTOLINK_OR_TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
_SAFE_SCHEMES = {"http", "https", "mailto"}


def clean(text: str) -> str:
    """``text`` with everything taken out that is not plain Markdown, at most :data:`MAX_CHARS` long; may be empty."""
    text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _LINK.sub(lambda link: link[0] if link[2].lower() in _SAFE_SCHEMES else link[1], text)
    for _ in range(_MAX_ROUNDS):
        if not (found := _dangerous_tokens(text)):
            return _bounded(text.strip())
        text = _without(text, found)
    # It keeps turning into markup as it is taken apart: show it as characters.
    return _bounded(_AUTOLINK_OR_TAG_START.sub(r"\\<", text.replace("![", r"!\[")).strip())


def _without(text: str, found: list[Token]) -> str:
    import nh3  # noqa: PLC0415 - few answers need it

    for token in found:
        if token.type == "image":
            text = _IMAGE.sub(r"\1", text)
        else:
            text = text.replace(token.content, html.unescape(nh3.clean(token.content, tags=set())))
    return text


def _dangerous_tokens(text: str) -> list[Token]:
    """Raw HTML and images, as a CommonMark parser sees them (so not what stands inside code)."""
    blocks = _parser().parse(text)
    inline = [child for block in blocks for child in block.children or ()]
    return [token for token in [*blocks, *inline] if token.type in {"html_block", "html_inline", "image"}]


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - 45 ms that only a process that answers turns has to pay

    return MarkdownIt("commonmark", {"html": True})


def _bounded(text: str) -> str:
    """Cut at the last paragraph that fits, or in mid-sentence when there is none."""
    if len(text) <= MAX_CHARS:
        return text
    head = text[: MAX_CHARS - len(ELLIPSIS) - 2]
    paragraph_end = head.rfind("\n\n")
    return head[:paragraph_end] + "\n\n" + ELLIPSIS if paragraph_end > MAX_CHARS // 2 else head + ELLIPSIS
