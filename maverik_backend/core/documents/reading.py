"""Reading a document in a child process, which a limit may end at any time without harm to this one.

The child gets neither our settings nor our environment. What it answers is bounded again here: it may have been taken
over by what it reads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import maverik_backend
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.documents.chunks import Passage
from maverik_backend.core.documents.limits import (
    MAX_CHARS,
    MAX_HEADING_CHARS,
    MAX_HEADINGS,
    MAX_LINE_BYTES,
    MAX_PAGES,
    MAX_PASSAGE_CHARS,
    ReadingLimits,
)
from maverik_backend.core.documents.refusals import DocumentRefused, Refusal
from maverik_backend.core.documents.sniffing import MediaType

_MODULE = "maverik_backend.core.documents.worker"
_PACKAGE_FOLDER = Path(maverik_backend.__file__).parent.parent
# What an interpreter needs to find itself, its libraries and its locale.
_KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "LANG", "LD_LIBRARY_PATH")

OnPage = Callable[[int, int], None]


def read_passages(
    content: bytes, media_type: MediaType, *, on_page: OnPage, deadline: Deadline, limits: ReadingLimits | None = None
) -> list[Passage]:
    """The passages of a document; ``on_page`` is told how many pages were read, of how many.

    Raises:
        DocumentRefused: when it cannot be read; ``TOO_MUCH_WORK`` when a limit or the deadline ended it.
        OSError: when no process could be started.
    """
    limits = limits or ReadingLimits()
    wall_s = min(limits.wall_s, deadline.remaining_s())
    with _child(media_type, limits, wall_s=wall_s) as process:
        with suppress(BrokenPipeError):  # it ended before it had read everything
            _feed(process, content)
        return list(_passages(process, on_page))


@contextmanager
def _child(media_type: MediaType, limits: ReadingLimits, *, wall_s: float) -> Iterator[subprocess.Popen[bytes]]:
    """The process; killed after ``wall_s``, and in any case at the end of the block."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", _MODULE, media_type.value, json.dumps(asdict(limits))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        close_fds=True,
    )
    timer = threading.Timer(wall_s, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield process
    finally:
        timer.cancel()
        process.kill()
        with suppress(BrokenPipeError):
            process.communicate()


def environment() -> dict[str, str]:
    """The variables of the child process: none of ours."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    path = os.pathsep.join([str(_PACKAGE_FOLDER), *filter(None, sys.path)])
    return {**kept, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}


def _feed(process: subprocess.Popen[bytes], content: bytes) -> None:
    if process.stdin is None:
        raise OSError("no pipe to the reading process")
    try:
        process.stdin.write(content)
    finally:
        process.stdin.close()
        process.stdin = None  # communicate() would flush it


def _passages(process: subprocess.Popen[bytes], on_page: OnPage) -> Iterator[Passage]:
    chars = 0
    for message in _messages(process):
        if "page" in message:
            on_page(min(int(message["page"]), MAX_PAGES), min(int(message["pages"]), MAX_PAGES))
        elif "refused" in message:
            raise DocumentRefused(Refusal(message["refused"]))
        elif "done" in message:
            return
        else:
            passage = _passage(message["passage"])
            chars += len(passage.text)
            if chars > MAX_CHARS:
                raise DocumentRefused(Refusal.TOO_MUCH_TEXT)
            yield passage
    raise DocumentRefused(Refusal.TOO_MUCH_WORK)


def _messages(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """What it tells, until it ends; a line that is cut off or too long is the end."""
    while process.stdout and (line := process.stdout.readline(MAX_LINE_BYTES)).endswith(b"\n"):
        yield json.loads(line)


def _passage(told: dict[str, Any]) -> Passage:
    headings = tuple(str(heading)[:MAX_HEADING_CHARS] for heading in told["headings"][:MAX_HEADINGS])
    return Passage(
        text=str(told["text"])[:MAX_PASSAGE_CHARS],
        headings=headings,
        first_page=told["first_page"],
        last_page=told["last_page"],
    )
