"""Fair shares of hashing passwords in requests (OWASP API4:2023).

Argon2 takes a processor for 26 ms and 19 MiB meanwhile (``core/security.py`` runs it once a processor). Requests that
hash or verify a password wait here, before the account is looked up: what a client can see of waits and refusals does
not depend on the account.

================  =====================================================================================================
Rule              Value
================  =====================================================================================================
In a slot         as many requests as there are processors, and :data:`SPARE_SLOTS` more that talk to the database
Order             by turns between addresses (of IPv6 /64s), first come first served within one: an address that sends
                  many at once delays the request of another by one of its own at a time
Of an address     :data:`MAX_PER_ADDRESS` in a slot or waiting; one more is refused at once (``AddressBusy``)
In a process      :data:`MAX_AT_ONCE` in a slot or waiting; one more is refused at once (``Overloaded``)
Wait              :data:`MAX_WAIT_S`, then ``Overloaded``
================  =====================================================================================================
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.security import PasswordHasher
from maverik_backend.errors import AddressBusy
from maverik_backend.services.limits import ConcurrencyLimiter, FairQueue, Share

SPARE_SLOTS = 2
# People behind one address who sign in at the same moment: the last of them waits for 0.2 s where there are two
# processors.
MAX_PER_ADDRESS = 16
# Each one keeps a thread: together with MAX_CONCURRENT_TURNS (500) fewer than WORKER_THREADS (600).
MAX_AT_ONCE = 96
MAX_WAIT_S = 5.0


class Hashing:
    """Lends the hasher to one request after the other; what hashes in a request has no other way to it."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._concurrency = ConcurrencyLimiter(MAX_AT_ONCE)
        self._queue = FairQueue((os.cpu_count() or 1) + SPARE_SLOTS)

    @contextmanager
    def slot(self, client_info: ClientInfo) -> Iterator[PasswordHasher]:
        """The hasher, once it is the turn of the client's address; call it with no transaction open.

        Within the block transactions may be opened, but no second slot taken: its holders would wait for each other.

        Raises:
            AddressBusy: when the address has as many requests here as it may.
            Overloaded: when the process has, or no slot came free in time.
        """
        address = client_info.limit_address
        share = Share(kind="address", key=address, limit=MAX_PER_ADDRESS, refusal=AddressBusy)
        with self._concurrency.slot(share), self._queue.slot(address, timeout_s=MAX_WAIT_S):
            yield self._hasher
