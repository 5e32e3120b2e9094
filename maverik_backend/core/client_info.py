"""Where a request comes from: what limits count, security events keep and logins show of its address and program."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

MAX_AGENT_CHARS = 200


class _Bits(NamedTuple):
    """Leading bits of an address by its version."""

    of_ipv4: int
    of_ipv6: int


# How much of an address is kept: enough to recognise a network, not a person (ASVS 5.0, 14.2).
_KEPT_BITS = _Bits(24, 48)
# How much of an address limits count by: a household has one IPv4 address, and 2^64 of IPv6.
_LIMITED_BITS = _Bits(32, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientInfo:
    """The network address of the client in full, and the text of its ``User-Agent``.

    ``address`` is not always an IP address: behind a proxy that names none, or in tests, it is any text.
    """

    address: str
    agent: str | None = None

    @property
    def truncated_address(self) -> str | None:
        """The network the address is in, /24 of IPv4 or /48 of IPv6; ``None`` when it is no IP address."""
        return _network(self.address, _KEPT_BITS)

    @property
    def limit_address(self) -> str:
        """What limits by address count: the address, of IPv6 its /64."""
        network = _network(self.address, _LIMITED_BITS)
        return network.removesuffix("/32") if network else self.address

    @property
    def network(self) -> str:
        """The network the address is in, or the text where it is no IP address."""
        return self.truncated_address or self.address

    @property
    def short_agent(self) -> str | None:
        return self.agent[:MAX_AGENT_CHARS] if self.agent else None


@lru_cache(maxsize=10_000)
def _network(address: str, bits: _Bits) -> str | None:
    """The network around ``address`` with as many leading bits as its IP version has in ``bits``."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    leading = bits.of_ipv4 if parsed.version == 4 else bits.of_ipv6  # noqa: PLR2004 - the versions of IP
    return str(ipaddress.ip_network((parsed, leading), strict=False))
