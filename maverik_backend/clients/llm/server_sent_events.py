"""The data of server-sent events, out of the bytes of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html).

Only ``data`` is kept: every provider repeats in it what it says in ``event``. Lines end with LF or CRLF; no provider
sends the lone CR that the standard also has. A last event without its blank line counts, other than in the standard:
some compatible servers send it so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_DATA = b"data:"
_DATA_SPACE, _END = b"data: ", b"\n\n"


class EventDecoder:
    """Splits one stream."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []

    def feed(self, data: bytes) -> Sequence[bytes]:
        """The events that ``data`` completes."""
        if not self._rest and not self._lines and data.startswith(_DATA_SPACE) and data.find(b"\n") == len(data) - 2:
            return (data[len(_DATA_SPACE) : -2],)  # one event, as most providers send each piece
        return list(self._split(data))

    def end(self) -> Sequence[bytes]:
        """What the end of the stream completes."""
        return self.feed(_END)

    def _split(self, data: bytes) -> Iterator[bytes]:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if line.startswith(_DATA):
                self._lines.append(line[len(_DATA) :].strip())
            elif self._lines and line in {b"", b"\r"}:
                yield b"\n".join(self._lines)
                self._lines.clear()
