"""What kind of file something is, by its bytes. What a client declares only decides between kinds of text."""

from __future__ import annotations

import codecs
import re
from enum import StrEnum

from maverik_backend.core.documents.limits import MAX_BYTES
from maverik_backend.core.documents.refusals import DocumentRefused, Refusal


class MediaType(StrEnum):
    """What can be read (IANA media types; RFC 7763 for Markdown)."""

    PDF = "application/pdf"
    HTML = "text/html"
    MARKDOWN = "text/markdown"
    TEXT = "text/plain"


_PDF_HEADER = b"%PDF-"
_HEADER_WITHIN = 1024  # ISO 32000-1, annex H.3.4.1: readers accept the header anywhere within the first 1,024 bytes
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LOOKED_AT_CHARS = 64 * 1024
_HTML = re.compile(
    r"\A\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--[^>]{0,2000}-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE
)
_MARKDOWN = re.compile(r"^(?:#{1,6} \S|```|\|.+\|\s*$|[-*] \S)", re.MULTILINE)
# Of a binary file, one in four bytes and more; of a text, next to none.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def media_type_of(content: bytes, *, declared: str = "", file_name: str = "") -> MediaType:
    """What ``content`` is.

    Raises:
        DocumentRefused: ``EMPTY``, ``TOO_LARGE``, ``NOT_PDF`` (it says that it is one), or ``NOT_TEXT``.
    """
    if not content.strip():
        raise DocumentRefused(Refusal.EMPTY)
    if len(content) > MAX_BYTES:
        raise DocumentRefused(Refusal.TOO_LARGE)
    if _PDF_HEADER in content[:_HEADER_WITHIN]:
        return MediaType.PDF
    if declared == MediaType.PDF or file_name.lower().endswith(".pdf"):
        raise DocumentRefused(Refusal.NOT_PDF)
    beginning = text_of(content)[:_LOOKED_AT_CHARS]
    if _HTML.search(beginning) or (declared == MediaType.HTML and "<" in beginning):
        return MediaType.HTML
    is_markdown = declared == MediaType.MARKDOWN or file_name.lower().endswith((".md", ".markdown"))
    return MediaType.MARKDOWN if is_markdown or _MARKDOWN.search(beginning) else MediaType.TEXT


def text_of(content: bytes) -> str:
    """``content`` decoded: by its byte order mark, as UTF-8, or as what Windows wrote before.

    Raises:
        DocumentRefused: ``NOT_TEXT`` when it has controls that no text has, NUL among them.
    """
    text = _decoded(content)
    if _CONTROLS.search(text):
        raise DocumentRefused(Refusal.NOT_TEXT)
    return text


def _decoded(content: bytes) -> str:
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
