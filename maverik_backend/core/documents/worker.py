"""The child process that reads one document: ``python -m maverik_backend.core.documents.worker MEDIA_TYPE LIMITS``.

The document comes on standard input. Every line on standard output is a JSON object: ``{"page": n, "pages": m}`` as
pages are read, ``{"passage": {...}}``, and last ``{"refused": reason}`` or ``{"done": true}``. A process that ends
without one of these two was ended by a limit, or by a defect of a library.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from maverik_backend.core.documents.blocks import Block
from maverik_backend.core.documents.chunks import passages
from maverik_backend.core.documents.html import html_blocks
from maverik_backend.core.documents.limits import ReadingLimits
from maverik_backend.core.documents.plain import markdown_blocks, text_blocks
from maverik_backend.core.documents.refusals import DocumentRefused, Refusal
from maverik_backend.core.documents.sniffing import MediaType, text_of

Tell = Callable[[dict[str, Any]], None]


def main() -> None:
    """Read the document and tell what is in it."""
    media_type, limits = MediaType(sys.argv[1]), ReadingLimits(**json.loads(sys.argv[2]))
    logging.disable()
    content = sys.stdin.buffer.read()
    bound(limits)
    try:
        for passage in passages(_blocks(content, media_type, limits)):
            _tell({"passage": asdict(passage)})
    except DocumentRefused as refused:
        _tell({"refused": refused.refusal})
    except (MemoryError, RecursionError):
        _tell({"refused": Refusal.TOO_MUCH_WORK})
    else:
        _tell({"done": True})


def bound(limits: ReadingLimits) -> None:
    """Let the kernel end this process, or refuse it memory, beyond ``limits``; Windows has no such limits."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (allowed, allowed))


def _blocks(content: bytes, media_type: MediaType, limits: ReadingLimits) -> Iterator[Block]:
    match media_type:
        case MediaType.PDF:
            from maverik_backend.core.documents.pdf import pdf_blocks  # noqa: PLC0415 - half a second for other formats

            yield from pdf_blocks(content, limits=limits, on_page=_tell_page)
        case MediaType.HTML:
            yield from html_blocks(text_of(content))
        case MediaType.MARKDOWN:
            yield from markdown_blocks(text_of(content))
        case MediaType.TEXT:
            yield from text_blocks(text_of(content))


def _tell_page(number: int, total: int) -> None:
    _tell({"page": number, "pages": total})


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
