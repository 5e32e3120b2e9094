"""The client's address and program, read across the proxies that are ours.

Each proxy appends the address that it saw to ``X-Forwarded-For``; whatever stands further left was written by the
client and proves nothing. With two proxies of ours, the client's address is the second from the right.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from fastapi import Request
from starlette.requests import HTTPConnection

from maverik_backend.core.client_info import ClientInfo

MAX_ADDRESS_CHARS = 100
"""No IP address with brackets, zone and port is longer."""
_UNKNOWN = "unknown"


def client_info_of(request: HTTPConnection, *, trusted_proxy_count: int) -> ClientInfo:
    """The client's address, believed as far as our own proxies reach, and program."""
    peer = request.client.host if request.client else _UNKNOWN
    address = canonical_address(peer) or peer
    if trusted_proxy_count:
        chain = [part.strip() for value in request.headers.getlist("X-Forwarded-For") for part in value.split(",")]
        forwarded = chain[-trusted_proxy_count] if len(chain) >= trusted_proxy_count else peer
        address = canonical_address(forwarded) or address
    return ClientInfo(address=address, agent=request.headers.get("User-Agent"))


def is_from_this_machine(request: Request) -> bool:
    """Whether the client is on this machine, and not a proxy that is."""
    peer = canonical_address(request.client.host) if request.client else None
    return peer is not None and ipaddress.ip_address(peer).is_loopback and "X-Forwarded-For" not in request.headers


def canonical_address(address: str) -> str | None:
    """One spelling of an IP address, without a port; ``None`` when it is none."""
    return _canonical(address) if len(address) <= MAX_ADDRESS_CHARS else None


@lru_cache(maxsize=10_000)
def _canonical(address: str) -> str | None:
    bare = address[1:].partition("]")[0] if address.startswith("[") else address
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(bare)
    except ValueError:
        return None
    # A server that listens on both families sees IPv4 clients as ::ffff:192.0.2.1.
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
