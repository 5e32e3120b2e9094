"""PDF by pypdf: the text of each page, and the outline as headings."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pypdf import Configuration, PdfReader, apply_configuration
from pypdf.errors import LimitReachedError, PyPdfError
from pypdf.generic import Destination

from maverik_backend.core.documents.blocks import Block, clean
from maverik_backend.core.documents.limits import MAX_PAGES, ReadingLimits
from maverik_backend.core.documents.refusals import DocumentRefused, Refusal

MAX_OUTLINE = 5_000
# What pypdf raises over a damaged file, besides its own errors.
_DAMAGED = (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, OSError)
_HYPHENATED = re.compile(r"(?<=\w)-\n(?=[a-zà-ÿ])")
# A line that does not end a sentence goes on in the next one.
_BROKEN_LINE = re.compile(r"(?<=[^\n.:;!?])\n(?=\S)")
_BLANKS = re.compile(r"[ \t]+")

OnPage = Callable[[int, int], None]


def pdf_blocks(content: bytes, *, limits: ReadingLimits, on_page: OnPage) -> Iterator[Block]:
    """The headings and paragraphs of a PDF; ``on_page`` is told the number of each page that was read, and of all.

    Raises:
        DocumentRefused: ``ENCRYPTED``, ``TOO_MANY_PAGES``, ``TOO_MUCH_WORK``, or ``UNREADABLE``.
    """
    apply_configuration(_configuration(limits))
    reader = _open(content)
    pages = _pages(reader)
    headings = _headings(reader)
    failures = 0
    for number, page in enumerate(pages, start=1):
        yield from headings.get(number, ())
        try:
            text = page.extract_text()
        except LimitReachedError:
            raise DocumentRefused(Refusal.TOO_MUCH_WORK) from None
        except _DAMAGED:
            failures += 1
            text = ""
        yield from _paragraphs(text, page=number)
        on_page(number, len(pages))
    if failures == len(pages):
        raise DocumentRefused(Refusal.UNREADABLE)


def _configuration(limits: ReadingLimits) -> Configuration:
    most = limits.stream_bytes
    return Configuration(
        maximum_declared_stream_length=most,
        array_based_stream_maximum_output_length=most,
        lzw_maximum_output_length=most,
        run_length_maximum_output_length=most,
        zlib_maximum_output_length=most,
        brotli_maximum_output_length=most,
        stream_decoding_work_maximum_length=4 * most,
        outline_maximum_entries=MAX_OUTLINE,
        outline_maximum_depth=16,
        jbig2dec_binary=None,
        disable_legacy_handling=True,
    )


def _open(content: bytes) -> PdfReader:
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        is_encrypted = reader.is_encrypted
    except _DAMAGED:
        raise DocumentRefused(Refusal.UNREADABLE) from None
    if is_encrypted:
        raise DocumentRefused(Refusal.ENCRYPTED)
    return reader


def _pages(reader: PdfReader) -> list[Any]:
    try:
        count = len(reader.pages)
        if count > MAX_PAGES:
            raise DocumentRefused(Refusal.TOO_MANY_PAGES)
        pages = [reader.pages[number] for number in range(count)]
    except _DAMAGED:
        raise DocumentRefused(Refusal.UNREADABLE) from None
    if not pages:
        raise DocumentRefused(Refusal.NO_TEXT)
    return pages


def _headings(reader: PdfReader) -> Mapping[int, list[Block]]:
    """The entries of the outline by the page that they lead to; none of an outline that cannot be read."""
    found: dict[int, list[Block]] = {}
    try:
        for level, entry in _entries(reader.outline, 1):
            number = reader.get_destination_page_number(entry)
            title = _BLANKS.sub(" ", clean(str(entry.title)).replace("\n", " ")).strip()
            if number is not None and title:
                block = Block(text=title, level=level, page=number + 1)
                found.setdefault(number + 1, []).append(block)
    except _DAMAGED:
        return {}
    return found


def _entries(outline: list[Any], level: int) -> Iterator[tuple[int, Destination]]:
    for entry in outline:
        if isinstance(entry, list):
            yield from _entries(entry, level + 1)
        else:
            yield level, entry


def _paragraphs(text: str, *, page: int) -> Iterator[Block]:
    joined = _BROKEN_LINE.sub(" ", _HYPHENATED.sub("", _BLANKS.sub(" ", clean(text)).replace(" \n", "\n")))
    for paragraph in joined.split("\n"):
        if stripped := paragraph.strip():
            yield Block(text=stripped, page=page)
