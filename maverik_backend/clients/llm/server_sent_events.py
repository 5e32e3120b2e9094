"""The data of server-sent events, out of the bytes of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html).

Only ``data`` is kept: every provider repeats in it what it says in ``event``. Lines end with LF or CRLF; no provider
sends the lone CR that the standard also has. A last event without its blank line counts, other than in the standard:
some compatible servers send it so.
"""

from __future__ import annotations

from collections.abc import Iterator

_DATA = b"data:"


class EventDecoder:
    """Splits one stream."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The events that ``data`` completes."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if line.startswith(_DATA):
                self._lines.append(line[len(_DATA) :].strip())
            elif self._lines and line in {b"", b"\r"}:
                yield self._take()

    def end(self) -> Iterator[bytes]:
        """What the end of the stream completes."""
        yield from self.feed(b"\n\n")

    def _take(self) -> bytes:
        lines, self._lines = self._lines, []
        return lines[0] if len(lines) == 1 else b"\n".join(lines)
