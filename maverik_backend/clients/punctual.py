"""Reading from a socket without ever waiting past a deadline, or on after its cancellation.

A socket's own timeout bounds each wait, not their sum: a service that sends one byte a second keeps its reader for as
long as it likes. Here each wait gets only what is left, so it does not matter what drips: headers, body or replies.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from maverik_backend.core.deadline import Deadline

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_current: ContextVar[Call] = ContextVar("call")
_SHORTEST_TIMEOUT_S = 0.001  # a timeout of zero means "do not block"


class Call:
    """One call to a service: its deadline, and the socket that is cut off when the deadline is cancelled.

    Connecting is not cut off; it has a limit of its own, and nothing is read afterwards.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def use(self, sock: socket.socket) -> None:
        """Cut off ``sock`` when the call is cancelled; reading looks at the deadline first, so none is missed."""
        with self._lock:
            self._socket = sock

    def release(self) -> None:
        """Leave the socket alone from now on: the answer is complete, and another call may use the connection."""
        with self._lock:
            self._socket = None

    def cut_off(self) -> None:
        """Wake the thread that waits for the socket: it reads the end of the stream."""
        with self._lock, suppress(OSError):  # it may be closed
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def calling(deadline: Deadline) -> Iterator[None]:
    """Let connections that are opened or used again within the block read by ``deadline``."""
    call = Call(deadline)
    token = _current.set(call)
    try:
        with deadline.cancellation.calling(call.cut_off):
            yield
    finally:
        _current.reset(token)


def current_call() -> Call:
    """The call that :func:`calling` began in this thread."""
    return _current.get()


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
