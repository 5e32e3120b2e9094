"""Every bound on connections, in one table, and how many of them the open-files limit allows."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import structlog

from maverik_backend.settings import Settings

# What a soft limit of open files is raised to where the hard one allows it; 1,024 is a common default.
WANTED_OPEN_FILES = 65_536
# Listener, event loop, log, embedded PostgreSQL's files, counters shared by workers, and connections that were accepted
# but not yet counted.
RESERVED_OPEN_FILES = 128
MIN_CONNECTIONS = 16
# A chunk costs as much as some hundred bytes of content: beyond ``max_framing_bytes`` they have to be larger than that.
CONTENT_BYTES_PER_FRAMING_BYTE = 16
# Without a proxy, how much of all connections one address may hold.
SHARE_OF_ADDRESS = 4
# How many of four connections may be WebSockets, which stay as long as their clients like: requests need the rest.
QUARTERS_OF_WEBSOCKETS = 3

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Bounds of one process. A connection waits, sends a head, has a request under way, or is being closed."""

    max_connections: int = 4096
    max_connections_per_address: int | None = 1024
    """``None`` behind a proxy, whose address all connections have."""

    max_head_bytes: int = 32 * 1024
    """Request line and header fields together; what nginx's default buffers hold (RFC 6585, section 5)."""
    max_headers: int = 100
    max_body_wire_bytes: int = 42 * 1024 * 1024
    """A body as sent, twice the largest upload; ``web/middleware/body_limit.py`` bounds its content."""
    max_framing_bytes: int = 4 * 1024
    """Chunk sizes, extensions and trailers of a body of any size (RFC 9112, section 7.1)."""
    max_drained_bytes: int = 64 * 1024
    """How much of a body may still come after the answer."""

    sweep_interval_s: float = 1.0
    """How often all of them are looked at: times below are exceeded by up to this."""
    head_s: float = 10.0
    """From connecting, or from the first byte of a later request, to the end of the head."""
    keep_alive_s: float = 5.0
    """How long an answered connection may wait for the next request."""
    drain_s: float = 10.0
    """How long the rest of a body may keep coming after the answer."""
    linger_s: float = 2.0
    max_discarded_bytes: int = 1024 * 1024
    """How long and how much a refused client may still send: closing at once would reset the connection before it reads
    the answer (RFC 9112, section 9.6)."""

    unread_window_s: float = 30.0
    min_read_bytes: int = 32 * 1024
    """What a client reads of a waiting answer in each window, or all of it: about 1 KB/s."""
    max_unsent_bytes: int = 128 * 1024 * 1024
    """Answers that clients have not read yet, of all connections together."""

    ping_interval_s: float = 20.0
    """How often a WebSocket is pinged (RFC 6455, section 5.5.2), which takes the place of the times above."""
    ping_timeout_s: float = 20.0
    """How long it may take to answer: 1011."""
    max_message_bytes: int = 64 * 1024
    """A message of a WebSocket, all its fragments together: 1009."""
    max_fragments: int = 128
    """Frames of one message: 1008. Empty ones would not count as bytes."""
    max_frames_per_s: float = 100.0
    max_frames_at_once: int = 200
    """Frames of one WebSocket, messages, pings and pongs alike: 1008. Twilio sends 50 a second of a call's sound."""

    @property
    def max_websockets(self) -> int:
        return self.max_connections * QUARTERS_OF_WEBSOCKETS // 4


def limits_from(settings: Settings, *, open_files: int) -> ConnectionLimits:
    """The table for ``settings``, in a process that may hold ``open_files`` open."""
    wanted = settings.app.max_connections
    possible = (
        open_files - RESERVED_OPEN_FILES - settings.database.pool_size
    ) // 2  # the other half: calls of services
    total = max(MIN_CONNECTIONS, min(wanted, possible))
    if total < wanted:
        _log.warning("connections_limited_by_open_files", max_connections=total, wanted=wanted, open_files=open_files)
    per_address = settings.app.max_connections_per_address or max(MIN_CONNECTIONS, total // SHARE_OF_ADDRESS)
    return ConnectionLimits(
        max_connections=total,
        max_connections_per_address=None if settings.security.trusted_proxy_count else min(total, per_address),
        keep_alive_s=settings.app.keep_alive_s,
    )


if sys.platform == "win32":

    def raise_open_files_limit() -> int:
        """:data:`WANTED_OPEN_FILES`: Windows has no such limit on sockets."""
        return WANTED_OPEN_FILES

else:
    import resource

    def raise_open_files_limit() -> int:
        """Raise the soft limit as far as the hard one and :data:`WANTED_OPEN_FILES` allow; what it is then."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        soft, hard = (WANTED_OPEN_FILES if limit == resource.RLIM_INFINITY else limit for limit in limits)
        wanted = min(hard, WANTED_OPEN_FILES)
        if soft >= wanted:
            return soft
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, limits[1]))
        except (OSError, ValueError) as error:  # macOS has a lower bound that it does not tell
            _log.warning("open_files_limit_not_raised", soft=soft, detail=str(error))
            return soft
        return wanted
