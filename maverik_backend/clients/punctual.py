"""Reading from a socket without ever waiting past a deadline.

A socket's own timeout bounds each wait, not their sum: a service that sends one byte a second keeps its reader for as
long as it likes. Here each wait gets only what is left, so it does not matter what drips: headers, body or replies.
"""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING

from maverik_backend.core.deadline import Deadline

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SHORTEST_TIMEOUT_S = 0.001  # a timeout of zero means "do not block"


def open_reader(sock: socket.socket, deadline: Deadline) -> io.BufferedReader:
    """As ``sock.makefile("rb")``, but reading raises ``TimeoutError`` as soon as ``deadline`` has passed."""
    return io.BufferedReader(_PunctualReader(sock, deadline))


def set_timeout(sock: socket.socket, deadline: Deadline) -> None:
    """Let whatever ``sock`` does next take what is left until ``deadline``."""
    sock.settimeout(max(deadline.remaining_s(), _SHORTEST_TIMEOUT_S))


class _PunctualReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._sock = sock
        self._deadline = deadline
        self._stream = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        if self._deadline.passed:
            raise TimeoutError("the deadline passed")
        set_timeout(self._sock, self._deadline)
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()
