"""What every protocol of ours does about clients that do not read what they are sent."""

from __future__ import annotations

import asyncio

from maverik_backend.connections.table import ConnectionTable, Cut


class WatchedWriting(asyncio.Protocol):
    """Stands before one of uvicorn's protocols, which has the connection's ``transport`` and ``loop``."""

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop

    def _watch(self, table: ConnectionTable) -> None:
        """Begin; to be called once the protocol below is made."""
        self._table = table
        self._limits = table.limits
        self._unsent_mark_bytes = 0
        self.unread_since = self.loop.time()

    @property
    def unsent_bytes(self) -> int:
        return self.transport.get_write_buffer_size()

    def abort(self) -> None:
        self.transport.abort()

    def check(self, now: float) -> None:
        if self._is_unread(now):
            self._table.count(Cut.UNREAD)
            self.abort()
        else:
            self._check_time(now)

    def _check_time(self, now: float) -> None:
        """End the connection when it took too long."""
        raise NotImplementedError

    def _is_unread(self, now: float) -> bool:
        """Whether the client took less than ``min_read_bytes`` of what it is sent for ``unread_window_s``."""
        unsent = self.unsent_bytes
        if not unsent or unsent <= self._unsent_mark_bytes - self._limits.min_read_bytes:
            self._note_reading(now)
        self._unsent_mark_bytes = max(self._unsent_mark_bytes, unsent)
        return now - self.unread_since >= self._limits.unread_window_s

    def _note_reading(self, now: float) -> None:
        self._unsent_mark_bytes = self.unsent_bytes
        self.unread_since = now

    def pause_writing(self) -> None:
        super().pause_writing()
        self._table.set_unread(self, is_unread=True)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._table.set_unread(self, is_unread=False)
        self._note_reading(self.loop.time())
