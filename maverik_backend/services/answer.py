"""An advisor's text made safe to keep and to show: Markdown without HTML, remote images or control characters.

Answers come from a service that may have read hostile pages. What a frontend's Markdown renderer could turn into a
request or into markup is taken out of the text itself, so that no renderer has to be trusted (OWASP LLM05:2025).

The text is read by a CommonMark parser, which tells where HTML, images and links stand; they are cut out of those
places only, so code stays as it is. What is left is read again until nothing is found: the text that goes out is
exactly one that was read and found harmless. A text that cannot be taken apart loses its brackets instead.

Not every frontend reads CommonMark. For those that know footnotes too, whose content CommonMark takes for addresses or
code, none is left; for those that put text into a page as it is, no ``<`` outside code is left that could open a tag.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

MAX_CHARS = 16_000
ELLIPSIS = "…"

# Of a longer text only the beginning is read: what is taken out of it makes room for twice as much at most.
_MAX_READ_CHARS = 2 * MAX_CHARS
_MAX_ROUNDS = 8
# C0 and C1 controls but tab and newline, invisible characters that reorder text (Unicode UAX #9) or spell hidden
# words (the tags block), lone surrogates.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_ENTITY = re.compile(r"&#?\w{1,32};")
# Blank lines and up to three spaces; four of them would be code.
_LEADING_BLANKS = re.compile(r"\A(?:[ \t]*\n)*(?: {1,3}(?![ \t]))?")

# Relative addresses have no scheme and are fine.
_SAFE_SCHEMES = {"http", "https", "mailto"}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
# Browsers read an address without these (https://url.spec.whatwg.org/#url-parsing).
_IGNORED_IN_ADDRESSES = re.compile(r"[\x00-\x20]+")

# What blocks may begin with on a line, and then a footnote's definition or a reference's.
_FOOTNOTE = re.compile(r"((?:[ \t>]|(?:[-+*]|[0-9]{1,9}[.)])[ \t])*)(?=\[\^.*\]:)")
# HTML knows no other beginnings (https://html.spec.whatwg.org/#tag-open-state).
_TAG_LIKE = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)
# An address in angle brackets, which is none of HTML's tags unless it has attributes: <https:/onclick=...>.
_ANGLE_ADDRESS = re.compile(r"<(?:https?://|mailto:)[^\s<>\"'`=]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"[/\"']on\w+=", re.IGNORECASE)
_LOOKALIKE_TAG_START = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"

_HIDDEN_TEXT = re.compile(r"<(?:script|style)\b", re.IGNORECASE)
_ENDS_A_WORD = re.compile(
    r"<(?=/?(?:article|blockquote|br|dd|details|div|dl|dt|h[1-6]|hr|li|ol|p|pre|section|summary|t[dhr]|table|ul)\b)",
    re.IGNORECASE,
)
_LOOKALIKES = str.maketrans(
    {
        "<": _LOOKALIKE_TAG_START,
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        "[": "(",
        "]": ")",
    }
)


class _Cut(NamedTuple):
    """What stands from ``start`` to ``end`` of a block's content gives way to ``text``."""

    start: int
    end: int
    text: str


def clean(text: str) -> str:
    """``text`` with everything taken out that is not plain Markdown, at most :data:`MAX_CHARS` long; may be empty."""
    text = text[:_MAX_READ_CHARS]
    for _ in range(_MAX_ROUNDS):
        text = _without_controls(text)
        harmless = _without_markup(text)
        if harmless == text and len(text) <= MAX_CHARS:
            return text
        # A cut can turn what was code into markup, so that is read again as well.
        text = _bounded(text) if harmless == text else harmless
    # It keeps turning into markup as it is taken apart.
    return _bounded(_without_controls(text.translate(_LOOKALIKES)))


def _without_controls(text: str) -> str:
    """One kind of line end, no control characters, also none written as ``&#8238;``, no blank start or end."""
    text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _ENTITY.sub(lambda entity: " " if _is_control(html.unescape(entity[0])) else entity[0], text)
    return _LEADING_BLANKS.sub("", text.rstrip())


def _is_control(decoded: str) -> bool:
    """Also for what Python decodes to nothing because HTML forbids it, such as ``&#1;``."""
    return not decoded or _CONTROLS.search(decoded) is not None


def _bounded(text: str) -> str:
    """Cut at the last paragraph that fits, or in mid-sentence when there is none."""
    if len(text) <= MAX_CHARS:
        return text
    head = text[: MAX_CHARS - len(ELLIPSIS) - 2]
    paragraph_end = head.rfind("\n\n")
    return head[:paragraph_end] + "\n\n" + ELLIPSIS if paragraph_end > MAX_CHARS // 2 else head + ELLIPSIS


def _without_markup(text: str) -> str:
    """``text`` without the outermost HTML, images and bad links; the same text when there are none."""
    if {"<", "["}.isdisjoint(text):  # each of them needs one of these, and most answers have neither
        return text
    try:
        text = _without_definitions(text)
        for parser in _parsers():
            found = [(block, cuts) for block in parser.parse(text) if (cuts := _cuts(block))]
            if found:
                rewritten = _rewritten(text, found)
                return rewritten if rewritten != text else text.translate(_LOOKALIKES)
    except (RecursionError, ValueError):
        return text.translate(_LOOKALIKES)
    return text


def _without_definitions(text: str) -> str:
    """``text`` without footnotes' definitions, and without tags in the definitions of references.

    Neither is content to CommonMark, so no token tells of them. With a backslash before it a footnote's definition is
    a paragraph to every parser, and what it holds is read as one.
    """
    if "]:" not in text:
        return text
    blocks = _parsers()[0].parse(text)
    code = _lines_of(blocks, {"fence", "code_block"})
    content = _lines_of(blocks, {"inline", "html_block"})
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if number not in code and (start := _FOOTNOTE.match(line)):
            lines[number] = start[1] + "\\" + line[start.end() :]
        elif number not in code | content:
            lines[number] = _without_tags(line)
    return "\n".join(lines)


def _lines_of(blocks: Sequence[Token], types: AbstractSet[str]) -> set[int]:
    return {line for block in blocks if block.map and block.type in types for line in range(*block.map)}


def _without_tags(source: str) -> str:
    """``source`` with lookalikes for what could open a tag, but for plain addresses in angle brackets."""
    return _TAG_LIKE.sub(
        lambda tag: tag[0] if _ANGLE_ADDRESS.match(source, tag.start()) else _LOOKALIKE_TAG_START, source
    )


def _cuts(block: Token) -> list[_Cut]:
    """What has to leave a block. Of cuts inside each other only the outermost: the next round finds the others."""
    if block.type == "html_block":
        return [_Cut(0, len(block.content), _text_of(block.content))]
    outermost: list[_Cut] = []
    for cut in sorted(_inline_cuts(block.children or ()), key=lambda cut: (cut.start, -cut.end)):
        if not outermost or cut.start >= outermost[-1].end:
            outermost.append(cut)
    return outermost


def _inline_cuts(tokens: Sequence[Token]) -> Iterator[_Cut]:
    marked = [token for token in tokens if "cut" in token.meta]
    yield from (token.meta["cut"] for token in marked)
    for opening, closing in pairwise(marked):
        if _HIDDEN_TEXT.match(opening.content) and closing.content.startswith("</"):
            yield _Cut(opening.meta["cut"].start, closing.meta["cut"].end, "")


def _rewritten(text: str, found: Sequence[tuple[Token, Sequence[_Cut]]]) -> str:
    """``text`` with the cuts made. A block's lines keep their number, so what stands before them stays (``> ``).

    Raises:
        ValueError: when a block's line does not stand in the text as the parser tells it (a tab that became spaces).
    """
    lines = text.split("\n")
    for block, cuts in found:
        content = block.content
        for start, end, replacement in reversed(cuts):
            missing = content.count("\n", start, end) - replacement.count("\n")
            content = content[:start] + replacement + "\n" * missing + content[end:]
        first = block.map[0] if block.map else 0
        for number, (old, new) in enumerate(zip(block.content.split("\n"), content.split("\n"), strict=False), first):
            if old != new:
                place = lines[number].rindex(old)
                lines[number] = lines[number][:place] + new + lines[number][place + len(old) :]
    return "\n".join(lines)


def _text_of(markup: str) -> str:
    """What HTML says, on as many lines or fewer."""
    import nh3  # noqa: PLC0415 - few answers need it

    text = html.unescape(nh3.clean(_ENDS_A_WORD.sub(" <", markup), tags=set()))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return "\n".join(lines[: markup.count("\n") + 1])


@cache
def _parsers() -> tuple[MarkdownIt, ...]:
    """Parsers as frontends have them: with any address in a link or only some, with tables or without."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - 45 ms that only a process that answers turns has to pay

    class AnyAddress(MarkdownIt):
        def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - overrides
            return True

        def normalizeLink(self, url: str) -> str:  # noqa: N802 - overrides
            return url

    # Nesting is bounded by Python's stack alone: at a limit of its own the parser would stop looking.
    options = {"html": True, "maxNesting": 1_000_000}
    parsers = (
        AnyAddress("commonmark", options),
        MarkdownIt("commonmark", options),
        MarkdownIt("commonmark", options).enable("table"),
    )
    for parser in parsers:
        _mark_cuts(parser)
    return parsers


def _mark_cuts(parser: MarkdownIt) -> None:
    """Make the parser's rules note on each token that has to go where it stands and what may stay of it."""
    from markdown_it import rules_inline  # noqa: PLC0415 - as above

    for name, rule, cut_of in (
        ("html_inline", rules_inline.html_inline, _cut_of_html),
        ("image", rules_inline.image, _cut_of_image),
        ("link", rules_inline.link, _cut_of_link),
        ("autolink", rules_inline.autolink, _cut_of_link),
    ):
        parser.inline.ruler.at(name, _marking(rule, cut_of))
    parser.inline.ruler.before("escape", "escaped_tag", _escaped_tag)
    parser.inline.ruler.push("tag_as_text", _tag_as_text)  # the last: what no other rule wants is text


def _escaped_tag(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser's signature
    if not _TAG_LIKE.match(state.src, state.pos + 1) or state.src[state.pos] != "\\":
        return False
    return _mark_text(state, 2, silent=silent)


def _tag_as_text(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser's signature
    return _TAG_LIKE.match(state.src, state.pos) is not None and _mark_text(state, 1, silent=silent)


def _mark_text(state: StateInline, length: int, *, silent: bool) -> bool:
    if not silent:
        # A type of its own: the parser joins texts, and would lose the note.
        token = state.push("tag_as_text", "", 0)
        token.meta["cut"] = _Cut(state.pos, state.pos + length, _LOOKALIKE_TAG_START)
    state.pos += length
    return True


def _marking(
    rule: Callable[[StateInline, bool], bool], cut_of: Callable[[StateInline, Token, int], _Cut | None]
) -> Callable[[StateInline, bool], bool]:
    def marking(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser's signature
        start, known = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        if not silent:
            # Pending text may have been pushed before.
            token = next(token for token in state.tokens[known:] if token.type != "text")
            if cut := cut_of(state, token, start):
                token.meta["cut"] = cut
        return True

    return marking


def _cut_of_html(state: StateInline, token: Token, start: int) -> _Cut:
    return _Cut(start, state.pos, " " if _ENDS_A_WORD.match(token.content) else "")


def _cut_of_image(state: StateInline, token: Token, start: int) -> _Cut:
    return _Cut(start, state.pos, token.content)


def _cut_of_link(state: StateInline, token: Token, start: int) -> _Cut | None:
    """Nothing for a link to the web or to a mailbox; of others the text stays."""
    scheme = _SCHEME.match(_IGNORED_IN_ADDRESSES.sub("", str(token.attrs["href"])))
    is_safe = scheme is None or scheme[1].lower() in _SAFE_SCHEMES
    is_autolink = token.markup == "autolink"
    if is_safe and not is_autolink and "<" not in state.src[start : state.pos]:
        return None
    text_end = state.pos - 1 if is_autolink else state.md.helpers.parseLinkLabel(state, start, True)
    beyond_text = state.src[start if is_autolink else text_end : state.pos]
    hides_tag = _ATTRIBUTE.search(beyond_text) if is_autolink else _without_tags(beyond_text) != beyond_text
    if is_safe and not hides_tag:
        return None
    return _Cut(start, state.pos, state.src[start + 1 : text_end])
