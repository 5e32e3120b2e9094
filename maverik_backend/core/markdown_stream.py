"""Cleaning of an answer that arrives in pieces, of which nothing is taken back once it was sent.

**Guarantee.** After every piece, all that was sent so far, joined, is a text ``T`` with
:func:`inert(T) == T <maverik_backend.core.markdown.inert>`, however the raw text was split and whatever follows: no
renderer makes a tag, an image or an odd link of it. ``T`` has at most :attr:`StreamCleaner.MAX_CHARS` characters, about
:attr:`StreamCleaner.MAX_HELD_CHARS` of the raw text are held back at most, and the time is linear in its length.

How it holds:

1. Every form that ``inert`` looks for needs something of :data:`_SUSPICIOUS`. Words without are sent as they come; from
   the first word with, the rest of the unit is held.
2. A *unit* is a paragraph, or a line inside a fenced block; a longer one is cut by a line end. It is cleaned when it is
   complete, and read once more behind what was sent of its first line. If that would have to change, the unit is sent
   without any character that means something (:data:`_MEANINGLESS`).
3. A line end separates two units. Of all forms only two reach over it. One is the end of a label (``[a]``, ``[a]:``)
   with what the next unit begins with: a lookalike takes the place of that character. The other is an address before
   code in a text with quotation marks: behind the one, the other is not sent as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from maverik_backend.core.markdown import (
    ADDRESS_BEFORE_CODE,
    CONTROLS,
    ELLIPSIS,
    LOOKALIKE_QUOTES,
    MAX_CHARS,
    clean,
    inert,
    without_controls,
)

# What cannot be sent as part of a word; all of it can be seen in the word itself.
_SUSPICIOUS = re.compile(
    r"""[\[\]{}|`\\@] | <(?=[a-z/!?]) | ~~ | :: | &(?:\#|\w{1,32};) | (?:ftp|dict): | (?<!\S)[^\s"']*+["']\S*=""",
    re.IGNORECASE | re.VERBOSE,
)
# No form that `inert` looks for ends in a text without these.
_MEANINGLESS = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        "[": "\N{FULLWIDTH LEFT SQUARE BRACKET}",
        "]": "\N{FULLWIDTH RIGHT SQUARE BRACKET}",
        "(": "\N{FULLWIDTH LEFT PARENTHESIS}",
        ")": "\N{FULLWIDTH RIGHT PARENTHESIS}",
        "{": "\N{FULLWIDTH LEFT CURLY BRACKET}",
        "}": "\N{FULLWIDTH RIGHT CURLY BRACKET}",
        "|": "\N{BROKEN BAR}",
        '"': "\N{RIGHT DOUBLE QUOTATION MARK}",
        "'": "\N{RIGHT SINGLE QUOTATION MARK}",
        ":": "\N{MODIFIER LETTER COLON}",
        "&": "\N{FULLWIDTH AMPERSAND}",
        "@": "\N{FULLWIDTH COMMERCIAL AT}",
        "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
        "~": "\N{TILDE OPERATOR}",
        "\\": "\N{SET MINUS}",
    }
)
_BLANKS = " \t\n"
_MAX_ROUNDS = 4

# An address may follow a label after blank lines; showdown also takes a title from the paragraph after a definition.
_ENDS_WITH_LABEL = re.compile(r"\][\s>]*+\Z")
_AFTER_LABEL = "("
_AFTER_DEFINITION = "(\"'|"
_BEGINNING = re.compile(r"\A[\s>]*+")

_MAX_FENCE_CHARS = 20
_FENCE = re.compile(
    r"[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)?"
    rf"(?P<marker>`{{3,{_MAX_FENCE_CHARS}}}+(?![^\n]*`)|~{{3,{_MAX_FENCE_CHARS}}}+(?!~))"
)
# Alone, a line of code that ends so would look like a label without an address: it waits for the next one.
_OPEN_LINE = re.compile(r"\]:?[\s>]*+\Z")
_OPEN_LINE_CHARS = 200


class _Hidden(NamedTuple):
    """HTML that is not shown and that blank lines do not end (https://spec.commonmark.org/0.31.2/#html-blocks)."""

    opening: str
    start: re.Pattern[str]
    end: re.Pattern[str]


_HIDDEN = tuple(
    _Hidden(opening, re.compile(rf" {{0,3}}{start}", re.IGNORECASE), re.compile(end, re.IGNORECASE))
    for opening, start, end in (
        ("<script>", r"<(?:script|style)(?:[\s>]|\Z)", r"</(?:script|style|pre|textarea)>"),
        ("<!--", "<!--", "-->"),
        ("<?", r"<\?", r"\?>"),
        ("<![CDATA[", r"<!\[CDATA\[", r"\]\]>"),
    )
)


class StreamCleaner:
    """Takes raw pieces, gives clean ones. For one answer, in one thread."""

    MAX_CHARS = MAX_CHARS
    MAX_HELD_CHARS = 4_000

    def __init__(self) -> None:
        self._sent = _Sent(self.MAX_CHARS)
        self._held = ""  # raw, not sent
        self._line = ""  # raw, the line that has not ended, sent or not
        self._holds_words = False
        self._hidden: _Hidden | None = None
        self._ends_with_return = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was sent so far."""
        return not self._sent.chars

    def feed(self, piece: str) -> Iterator[str]:
        """What can be sent now that ``piece`` has come."""
        for line in self._normalised(piece).splitlines(keepends=True):
            for start in range(0, len(line), self.MAX_HELD_CHARS):
                if self._sent.is_full:
                    return
                yield from self._take(line[start : start + self.MAX_HELD_CHARS])

    def end(self) -> Iterator[str]:
        """What was held back, when nothing follows, and the end of a fenced block that has none."""
        yield from self.feed("\n")
        yield from self._send_held(len(self._held))
        yield from self._sent.close_fence()

    def _normalised(self, piece: str) -> str:
        """``piece`` with one kind of line end, also where CR and LF come apart, and without control characters."""
        if not piece:
            return piece
        rest = piece.removeprefix("\n") if self._ends_with_return else piece
        self._ends_with_return = piece.endswith("\r")
        return CONTROLS.sub("", rest.replace("\r\n", "\n").replace("\r", "\n"))

    def _take(self, part: str) -> Iterator[str]:
        """A part of a line, with its end or without."""
        self._held += part
        if len(self._line) < self.MAX_HELD_CHARS:
            self._line += part
        if part.endswith("\n"):
            line, self._line = self._line, ""
            yield from self._end_line_of_code(line) if self._sent.fence else self._end_line(line)
        while len(self._held) > self.MAX_HELD_CHARS:
            yield from self._send_first_half()
            part = self._held
        if not self._holds_words and not self._sent.fence and not set(_BLANKS).isdisjoint(part):
            yield from self._send_words()

    def _end_line(self, line: str) -> Iterator[str]:
        """A blank line ends a paragraph, and so does the beginning of a fenced block."""
        if self._hidden is None:
            self._hidden = next((hidden for hidden in _HIDDEN if hidden.start.match(line)), None)
        if self._hidden is not None:
            if not self._hidden.end.search(line):
                return
            self._hidden = None
        if not line.strip(_BLANKS):
            yield from self._send_held(len(self._held), line_ends=2)
        elif fence := _FENCE.match(line):
            if line_start := self._held.rfind("\n", 0, -1) + 1:
                yield from self._send_held(line_start)
            self._sent.fence = fence["marker"]
            yield from self._send_code()

    def _end_line_of_code(self, line: str) -> Iterator[str]:
        fence = self._sent.fence
        if len(marker := line.strip("> \t\n")) >= len(fence) and set(marker) == set(fence):
            yield from self._send_code()
            self._sent.fence = ""
        elif not _OPEN_LINE.search(self._held[-_OPEN_LINE_CHARS:]):
            yield from self._send_code()

    def _send_words(self) -> Iterator[str]:
        """Whole words at the beginning of what is held, up to one that may become a part of something."""
        words = _whole_words(self._held)
        if suspicious := _SUSPICIOUS.search(words):
            self._holds_words = True
            words = _whole_words(words[: suspicious.start()])
        self._held = self._held[len(words) :]
        yield from self._sent.add(words)

    def _send_first_half(self) -> Iterator[str]:
        """The beginning of a unit that is too long, up to where a line end does the least harm."""
        half, whole = self.MAX_HELD_CHARS // 2, self.MAX_HELD_CHARS
        places = (self._held.rfind(blank, half, whole) + 1 for blank in "\n ")
        yield from self._send_code() if self._sent.fence else self._send_held(next(filter(None, places), whole))
        if self._hidden is not None:
            self._held = self._hidden.opening + self._held

    def _send_held(self, end: int, *, line_ends: int = 1) -> Iterator[str]:
        """What is held up to ``end``, as a unit that so many line ends separate from the next one."""
        unit, self._held = self._held[:end], self._held[end:]
        self._holds_words = False
        if unit.strip(_BLANKS):
            yield from self._sent.add_unit(_indented_as(unit, clean(unit)))
        self._sent.separate(line_ends)

    def _send_code(self) -> Iterator[str]:
        unit, self._held = self._held, ""
        self._holds_words = False
        if unit.strip(_BLANKS):
            yield from self._sent.add_unit(_indented_as(unit, _harmless_code(unit)))
        self._sent.separate_further()


class _Sent:
    """What was sent, as far as it matters to what follows. Everything goes through :meth:`add`, which counts it."""

    def __init__(self, max_chars: int) -> None:
        self.chars = 0
        self.is_full = False
        self.fence = ""  # of the block that is open
        self._room = max_chars - len(f"\n{'`' * _MAX_FENCE_CHARS}\n\n{ELLIPSIS}")
        self._max_separator_chars = max_chars
        self._separator = ""
        self._line: list[str] = []  # what was sent of the line that has not ended
        self._ends_with_label = self._has_definition = False  # the unit before
        self._has_address_before_code = False
        self._quotes = ""  # a line of its own, if there were any

    def separate(self, line_ends: int) -> None:
        """At least so many line ends before what follows."""
        self._separator = max(self._separator, "\n" * line_ends, key=len)

    def separate_further(self) -> None:
        """One more line end before what follows."""
        if len(self._separator) < self._max_separator_chars:
            self._separator += "\n"

    def add_unit(self, text: str) -> Iterator[str]:
        """``text``, a cleaned unit or the rest of one, made harmless behind what was sent of its line."""
        text = self._inert_here(text)
        yield from self.add(text)
        self._has_address_before_code = self._has_address_before_code or ADDRESS_BEFORE_CODE.search(text) is not None
        if text.strip("> \t\n"):
            self._ends_with_label = _ENDS_WITH_LABEL.search(text) is not None
            self._has_definition = "]:" in text

    def add(self, text: str) -> Iterator[str]:
        """``text``, which is harmless behind what was sent of its line."""
        if not self.chars:
            text, self._separator = text.lstrip(_BLANKS), ""
        if self.is_full or not text.strip(_BLANKS):
            return
        if self._has_address_before_code:
            text = text.translate(LOOKALIKE_QUOTES)
        elif not set(LOOKALIKE_QUOTES).isdisjoint(map(ord, text)):
            self._quotes = '"\n'
        text, self._separator = self._separator + self._with_harmless_beginning(text), ""
        yield self._counted(text if self.chars + len(text) <= self._room else self._cut(text))

    def close_fence(self) -> Iterator[str]:
        """The end of the fenced block that is open, for which there is always room."""
        if self.fence and not self.is_full:
            yield self._counted(f"\n{self.fence}")
            self.fence = ""

    def _counted(self, text: str) -> str:
        self.chars += len(text)
        _, line_end, line = text.rpartition("\n")
        self._line = [line] if line_end else [*self._line, line]
        return text

    def _inert_here(self, text: str) -> str:
        before = self._quotes + ("" if self._separator else "".join(self._line))
        whole = inert(before + text)
        if whole.startswith(before) and inert(whole) == whole:
            return whole[len(before) :]
        return text.translate(_MEANINGLESS)

    def _with_harmless_beginning(self, text: str) -> str:
        """``text`` with a lookalike where it begins with what would belong to a label in the unit before."""
        start = len(text) - len(_BEGINNING.sub("", text, count=1))
        if start == len(text):
            return text
        is_distant = (self._separator + text[:start]).count("\n") > 1
        forbidden = _AFTER_LABEL * self._ends_with_label + _AFTER_DEFINITION * (self._has_definition and is_distant)
        self._ends_with_label = self._has_definition = False
        is_harmless = text[start] not in forbidden
        return text if is_harmless else text[:start] + text[start].translate(_MEANINGLESS) + text[start + 1 :]

    def _cut(self, text: str) -> str:
        """As much of ``text`` as there is room for, and a sign that more was said."""
        self.is_full = True
        text = text[: max(0, self._room - self.chars)].rstrip()
        end_of_fence = f"\n{self.fence}" if self.fence else ""
        sign = ELLIPSIS if text and not self.fence else f"{end_of_fence}\n\n{ELLIPSIS}"
        before = "" if text.startswith("\n") else "".join(self._line)
        whole = before + text + sign
        return (text if inert(whole) == whole else text.translate(_MEANINGLESS)) + sign


def _whole_words(text: str) -> str:
    """``text`` without its last word, which may go on, and the blanks before that."""
    return text[: max(map(text.rfind, _BLANKS)) + 1].rstrip(_BLANKS)


def _indented_as(unit: str, cleaned: str) -> str:
    """What is left of ``unit`` behind the blanks that it began with; nothing when nothing is left."""
    body = cleaned.strip(_BLANKS)
    return unit[: len(unit) - len(unit.lstrip(_BLANKS))] + body if body else ""


def _harmless_code(text: str) -> str:
    for _ in range(_MAX_ROUNDS):
        harmless = inert(without_controls(text))
        if harmless == text:
            return text
        text = harmless
    return without_controls(text.translate(_MEANINGLESS))
