"""Every bound on a document, in one table."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 20 * 1024 * 1024
"""A file as it is uploaded."""
MAX_PAGES = 2_000
MAX_CHARS = 5_000_000
"""The text of a document: about 1,700 printed pages."""
MIN_CHARS = 20
"""A file with less text than this has none: a scanned PDF, an empty page."""
PASSAGE_CHARS = 1_200
"""What a passage aims at; the longest has :data:`MAX_PASSAGE_CHARS`."""
MAX_PASSAGE_CHARS = 1_600
MAX_HEADINGS = 6
MAX_HEADING_CHARS = 200
MAX_LINE_BYTES = 64 * 1024
"""One line of what the child process answers: a passage as JSON, every character escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLimits:
    """What the process that reads a document may use. The kernel keeps to the first two (POSIX, ``setrlimit``)."""

    memory_bytes: int = 512 * 1024 * 1024
    """Of address space; the interpreter and its libraries take about 100 MB of it."""
    cpu_s: int = 120
    wall_s: float = 300.0
    stream_bytes: int = 24 * 1024 * 1024
    """What one compressed stream of a PDF may unpack to."""
