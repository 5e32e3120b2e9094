"""An advisor's text made safe to keep and to show: Markdown without HTML, remote images or control characters.

Answers come from a service that may have read hostile pages. What a frontend's Markdown renderer could turn into a
request or into markup is taken out of the text itself, so that no renderer has to be trusted (OWASP LLM05:2025).

It is done in two steps, repeated until neither finds anything: the text that goes out is exactly one that was read and
found harmless.

1. A CommonMark parser tells where HTML, images and odd links stand; they give way to what they say. A text that cannot
   be taken apart loses its brackets instead.
2. Not every frontend reads CommonMark, and what is code to one is markup to another. :func:`inert` therefore looks at
   characters alone, in code too: whatever could open a tag or an image, or follow a label with an address, is left only
   in the few forms that are harmless to all of them.
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

_MAX_ROUNDS = 8
# C0 and C1 controls but tab and newline, invisible characters that reorder text (Unicode UAX #9) or spell hidden
# words (the tags block), lone surrogates.
CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
# As HTML reads it (https://html.spec.whatwg.org/#numeric-character-reference-state): a number needs no semicolon.
_ENTITY = re.compile(
    r"&(?:#0*+(?P<decimal>[0-9]{1,7})|#x0*+(?P<hexadecimal>[0-9a-f]{1,6})|(?P<name>\w{1,32};));?", re.IGNORECASE
)
# Blank lines and up to three spaces; four of them would be code.
_LEADING_BLANKS = re.compile(r"\A(?:[ \t]*\n)*(?: {1,3}(?![ \t]))?")

# What could open a tag (https://html.spec.whatwg.org/#tag-open-state); a backslash does not stop every renderer.
_TAG_START = re.compile(r"\\?<(?=\\?[a-z/!?])", re.IGNORECASE)
# To CommonMark it is the same without; showdown takes a ">" further on for its other end.
_ESCAPED_LESS_THAN = re.compile(r"(?<!\\)\\++<")
# To HTML these are unknown tags; an attribute would follow a slash.
_ANGLED = r"<(?:(?:https?://|mailto:)[^\s<>\"'`=?#\\]*(?:[?#][^\s<>\"'`/\\]*)?|[\w.+-]+@[\w.-]+)>"
_ANGLE_ADDRESS = re.compile(_ANGLED, re.IGNORECASE)

# What may follow a label, without any character that a renderer could take for the end of an attribute.
_BEGINNING = r"(?:https?://|mailto:|\.{0,2}/|[?#]|[\w.%-]+(?=[/?#\s)>]|\Z))"
_ADDRESS = _BEGINNING + r"(?:[^\s\"'`<>\\\[\]{}|^()]|\([^\s\"'`<>\\\[\]{}|^()]*+\))*+"
_TITLE = r"""(?:[ \t]++(?:"[^"'`<>\\\[\](){}\n]*+"|'[^"'`<>\\\[\](){}\n]*+'))?"""
_TARGET = re.compile(rf"\((?:{_ANGLED}|{_ADDRESS}){_TITLE}[ \t]*+\)", re.IGNORECASE)
_DEFINED = re.compile(rf"(?:{_ANGLED}|{_ADDRESS})(?=[ \n]|\Z)", re.IGNORECASE)
# The end of a label with what may stand before an address: nothing to CommonMark, blanks and line ends to others.
_LABEL_END = re.compile(r"\](?:[\s>]*+(?=\()|:[\s>]*+)")
_MAX_ADDRESS_CHARS = 1_000
# showdown takes what begins the next paragraph for the title, and joins it to the line after that: a row of a table.
_DISTANT_TITLE = re.compile(r"(?<=\S)[ \t]*+(\n)[ \t]*+\n\s*+[\"'|(]")
# Nothing in them that could be a scheme or end an attribute; were they empty, showdown would go on reading.
_IN_PARENTHESES = re.compile(rf"\(\s*+[^\s)\]:&\"'<`=\\][^)\]:&\"'<`=\\]{{0,{_MAX_ADDRESS_CHARS}}}+\)")
_WORD = re.compile(rf"[^\s:&\"'<`=\\\[\]()]{{1,{_MAX_ADDRESS_CHARS}}}+(?=[ \n]|\Z)")

_IMAGE_START = re.compile(r"!(?=\[)")
# Attributes as extensions of several renderers write them: "{onclick=...}".
_ATTRIBUTES_START = re.compile(r"\{(?=[^{}\n]*(?:=|(?<![^\s:{])on))", re.IGNORECASE)
# What some make links of without being asked to.
_LINKED_SCHEME = re.compile(r"\b(?:ftp|dict):(?=//)", re.IGNORECASE)
# showdown takes code that follows for a part of the address, with the quotation marks in it.
ADDRESS_BEFORE_CODE = re.compile(r"(?<![^ \t\n`])(?>[^ \t\n`]*?(?:https?://|www\.))[^ \t\n`]*+(?=`)", re.IGNORECASE)
_QUOTATION_MARK = re.compile(r"[\"']")
# To showdown the marks belong to the mailbox: emphasis would end its attribute, and the slash begin another.
_MARKED_MAILBOX = re.compile(r"(?<!\S)[*_~]++(?=[^\s@/]*+/[^\s@]*+@)")
# What showdown writes into an attribute as it stands: the beginning of a fence ("class"), and the heading of a column
# ("id", blanks as "_"). A quotation mark would end it.
_FENCE = re.compile(r"^([ \t>*+:0-9.)-]*)(`{3,}+|~{3,}+)((?:[ \t]*+[\w+#.-]++)?)[^`\n]*$", re.MULTILINE)
# "```{figure} address", to mistune a directive whatever stands behind it; "`code`{name}" is an attribute to others.
_BRACE_AFTER_FENCE = re.compile(r"((?:`{3}|~{3})[ \t]*+|`(?=\{[\w-]++\}))\{")
_ROW_WITH_ATTRIBUTES = re.compile(r"^(?=[^\n]*\|)[^\n]*=[^\n]*", re.MULTILINE)
_WORD_WITH_ATTRIBUTE = re.compile(r"(?<!\S)(?=[^\s\"']*+[\"'])\S*=")
LOOKALIKE_QUOTES = str.maketrans({'"': "\N{RIGHT DOUBLE QUOTATION MARK}", "'": "\N{RIGHT SINGLE QUOTATION MARK}"})
# ".. figure:: address": a directive of reStructuredText, which mistune has a plugin for.
_DIRECTIVE_START = re.compile(r"\.\.(?=[ \t]++[\w-]++::)")
_LOOKALIKE_TAG_START = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"

_LOOKALIKE_BRACKETS = ("\N{FULLWIDTH LEFT SQUARE BRACKET}", "\N{FULLWIDTH RIGHT SQUARE BRACKET}")

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


def clean(text: str, *, max_chars: int = MAX_CHARS) -> str:
    """``text`` with everything taken out that is not plain Markdown, at most ``max_chars`` long; may be empty."""
    # Of a longer text only the beginning is read: what is taken out of it makes room for twice as much at most.
    text = text[: 2 * max_chars]
    for _ in range(_MAX_ROUNDS):
        text = without_controls(text)
        harmless = _without_markup(text)
        if harmless == text:
            harmless = inert(text)
        if harmless == text and len(text) <= max_chars:
            return text
        # A cut can turn what was code into markup, so that is read again as well.
        text = _bounded(text, max_chars) if harmless == text else harmless
    # It keeps turning into markup as it is taken apart.
    return _bounded(inert(without_controls(text.translate(_LOOKALIKES))), max_chars)


def inert(text: str) -> str:
    """``text`` with nothing in it that a renderer of any Markdown could make a tag, an image or an odd link of.

    It says the same: brackets become lookalikes that mean nothing. Linear in the length of ``text``.
    """
    for signs, pattern, replacement in SUBSTITUTIONS:
        if any(sign in text for sign in signs):
            text = pattern.sub(replacement, text)
    if _QUOTATION_MARK.search(text):
        for attributes in (_ROW_WITH_ATTRIBUTES, _WORD_WITH_ATTRIBUTE):
            text = attributes.sub(lambda match: match[0].translate(LOOKALIKE_QUOTES), text)
        text = ADDRESS_BEFORE_CODE.sub(r"\g<0> ", text)
    if "]" not in text:
        return text
    lines = {match.start(1) for match in _DISTANT_TITLE.finditer(text)}
    odd = {end.start() for end in _LABEL_END.finditer(text) if not _is_followed_by_harmless(text, end, lines)}
    return _without_labels(text, odd) if odd else text


def _tag_start(match: re.Match[str]) -> str:
    is_address = match[0] == "<" and _ANGLE_ADDRESS.match(match.string, match.start())
    return match[0] if is_address else _LOOKALIKE_TAG_START


SUBSTITUTIONS: Sequence[tuple[Sequence[str], re.Pattern[str], str | Callable[[re.Match[str]], str]]] = (
    (("<",), _TAG_START, _tag_start),
    (("<",), _ESCAPED_LESS_THAN, "<"),
    (("![",), _IMAGE_START, "! "),
    (("{",), _ATTRIBUTES_START, "("),
    (("://",), _LINKED_SCHEME, r"\g<0> "),
    (("@",), _MARKED_MAILBOX, r"\g<0> "),
    (("::",), _DIRECTIVE_START, ELLIPSIS),
    (("```", "~~~"), _FENCE, r"\1\2\3"),
    (("{",), _BRACE_AFTER_FENCE, r"\1("),
)
"""In this order. Whatever a pattern matches in, one of its signs is in: most answers hold none, and looking for a sign
takes a hundredth of what the pattern does."""


def _is_followed_by_harmless(text: str, label_end: re.Match[str], titled_lines: AbstractSet[int]) -> bool:
    """Whether a target, a definition's address or mere words follow; ``titled_lines`` are the ends of some lines."""
    is_definition = label_end[0].startswith("]:")
    if is_definition and text.find("\n", label_end.end()) in titled_lines:
        return False
    forms = (_DEFINED, _WORD) if is_definition else (_TARGET, _IN_PARENTHESES)
    return any(form.match(text, label_end.end()) for form in forms)


def _without_labels(text: str, ends: AbstractSet[int]) -> str:
    """``text`` with lookalikes for the brackets that end at ``ends`` and those that open them.

    No parentheses: after another label, they would be an address.
    """
    characters, open_brackets = list(text), []
    for position, character in enumerate(text):
        if character == "[":
            open_brackets.append(position)
        elif character == "]":
            opening = open_brackets.pop() if open_brackets else position
            if position in ends:
                for bracket, lookalike in zip((opening, position), _LOOKALIKE_BRACKETS, strict=True):
                    characters[bracket] = lookalike
                    if text[bracket - 1 : bracket] == "\\":  # it escaped a bracket, and would be shown
                        characters[bracket - 1] = ""
    return "".join(characters)


def without_controls(text: str) -> str:
    """One kind of line end, no control characters, also none written as ``&#8238;``, no blank start or end."""
    text = CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _ENTITY.sub(lambda entity: " " if _is_control(_decoded(entity)) else entity[0], text)
    return _LEADING_BLANKS.sub("", text.rstrip())


def _decoded(entity: re.Match[str]) -> str:
    """What HTML makes of it; nothing where HTML forbids it, as of ``&#1;``."""
    if entity["name"]:
        return html.unescape(entity[0])
    code = int(entity["decimal"]) if entity["decimal"] else int(entity["hexadecimal"], 16)
    return html.unescape(f"&#{code};")


def _is_control(decoded: str) -> bool:
    return not decoded or CONTROLS.search(decoded) is not None


def _bounded(text: str, max_chars: int) -> str:
    """Cut at the last paragraph that fits, or in mid-sentence when there is none."""
    if len(text) <= max_chars:
        return text
    head = text[: max(0, max_chars - len(ELLIPSIS) - 2)]
    paragraph_end = head.rfind("\n\n")
    return head[:paragraph_end] + "\n\n" + ELLIPSIS if paragraph_end > max_chars // 2 else head + ELLIPSIS


def _without_markup(text: str) -> str:
    """``text`` without the outermost HTML, images and bad links; the same text when there are none."""
    if {"<", "["}.isdisjoint(text):  # each of them needs one of these, and most answers have neither
        return text
    try:
        for parser in _parsers():
            found = [(block, cuts) for block in parser.parse(text) if (cuts := _cuts(block))]
            if found:
                rewritten = _rewritten(text, found)
                return rewritten if rewritten != text else text.translate(_LOOKALIKES)
    except (RecursionError, ValueError):
        return text.translate(_LOOKALIKES)
    return text


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
                start = lines[number].rindex(old)
                lines[number] = lines[number][:start] + new + lines[number][start + len(old) :]
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
    """Nothing for a link that every renderer reads as one to the web or to a mailbox; of others the text stays."""
    if token.markup == "autolink":
        is_harmless = _ANGLE_ADDRESS.fullmatch(state.src, start, state.pos) is not None
        return None if is_harmless else _Cut(start, state.pos, state.src[start + 1 : state.pos - 1])
    text_end = state.md.helpers.parseLinkLabel(state, start, True)
    if state.src[text_end + 1 : text_end + 2] == "(":
        is_harmless = _TARGET.fullmatch(state.src, text_end + 1, state.pos) is not None
    else:
        is_harmless = _DEFINED.match(str(token.attrs["href"])) is not None
    return None if is_harmless else _Cut(start, state.pos, state.src[start + 1 : text_end])
