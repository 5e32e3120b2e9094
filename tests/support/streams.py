"""Streams of turns: an advisor whose pieces a test hands out, and a client that reads server-sent events."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import requests

from maverik_backend.clients.rag.base import Answer, Question
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable

EVENTS = {"Accept": "text/event-stream"}
PATIENCE_S = 60.0


class HandedOutAdvisor:
    """Streams what a test hands out: :meth:`say` a piece, :meth:`end` the answer or :meth:`fail` it.

    ``cancelled`` counts the answers that were cut off by a cancellation.
    """

    def __init__(self) -> None:
        self.questions: list[Question] = []
        self.cancelled = 0
        self._pieces: queue.Queue[str | UpstreamError | None] = queue.Queue()

    def say(self, *pieces: str) -> None:
        """Hand out pieces of the answer under way, or of the next one."""
        for piece in pieces:
            self._pieces.put(piece)

    def end(self) -> None:
        """Complete the answer."""
        self._pieces.put(None)

    def fail(self, error: UpstreamError | None = None) -> None:
        """Break the answer off."""
        self._pieces.put(error or UpstreamTimeout("rag"))

    def stream(self, question: Question, *, on_text: Callable[[str], None], deadline: Deadline) -> Answer:
        self.questions.append(question)
        text = ""
        with deadline.cancellation.calling(lambda: self._pieces.put(UpstreamUnreachable("rag", "cut off"))):
            while (piece := self._next(deadline)) is not None:
                on_text(piece)
                text += piece
        return Answer(text=text, origin="rag", sources=("Presupuesto",))

    def answer(self, question: Question, *, deadline: Deadline) -> Answer:
        return self.stream(question, on_text=lambda _piece: None, deadline=deadline)

    def check(self, *, deadline: Deadline) -> None:
        del deadline

    def _next(self, deadline: Deadline) -> str | None:
        try:
            piece = self._pieces.get(timeout=deadline.remaining_s() or PATIENCE_S)
        except queue.Empty:
            raise UpstreamTimeout("rag") from None
        if isinstance(piece, UpstreamError):
            self.cancelled += deadline.is_cancelled
            raise piece
        return piece


class EventStream:
    """A response of server-sent events, read part by part; a context manager."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()
        self.is_done = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.response.close()

    def parts(self) -> Iterator[dict[str, Any]]:
        """Each part as it comes, until the stream is done."""
        for line in self._lines:
            data = line.decode().removeprefix("data: ")
            if data == "[DONE]":
                self.is_done = True
                return
            if data and not data.startswith(":"):
                yield json.loads(data)

    def until(self, kind: str) -> list[dict[str, Any]]:
        """Parts up to the first of type ``kind``, that one with them."""
        seen = []
        for part in self.parts():
            seen.append(part)
            if part["type"] == kind:
                return seen
        raise AssertionError(f"no {kind} among {[part['type'] for part in seen]}")


def text_of(parts: list[dict[str, Any]]) -> str:
    """The text deltas of ``parts``, joined."""
    return "".join(part["delta"] for part in parts if part["type"] == "text-delta")


def parts_of(body: str) -> list[dict[str, Any]]:
    """The parts of a stream that was read whole."""
    frames = (line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: "))
    return [json.loads(frame) for frame in frames if frame != "[DONE]"]
