"""What clients may cost this process below HTTP: bytes, time and connections (OWASP API4:2023).

uvicorn's httptools parser has no bounds of its own: it keeps a request's head however long it grows and however long it
takes. :class:`BoundedProtocol` adds them, and :class:`BoundedWebSocket` those of upgraded connections; every number
stands in :class:`ConnectionLimits`.
"""

from maverik_backend.connections.limits import ConnectionLimits, limits_from, raise_open_files_limit
from maverik_backend.connections.protocol import BoundedProtocol, make_refusals
from maverik_backend.connections.table import ConnectionTable
from maverik_backend.connections.websocket import BoundedWebSocket

__all__ = [
    "BoundedProtocol",
    "BoundedWebSocket",
    "ConnectionLimits",
    "ConnectionTable",
    "limits_from",
    "make_refusals",
    "raise_open_files_limit",
]
