"""Keys, tokens, limits and proxies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, SecretStr

from maverik_backend.invocation import own_command
from maverik_backend.settings.base import Group
from maverik_backend.settings.values import LongSecret, PaserkKeys, RateLimitStorage

# Keys that stand in published source; the first is in that of older installations.
PUBLISHED_KEYS = frozenset(
    {
        "k4.local.doPhJGTf4E4lAtRrC8WKUmr18LwF6T_r-kI9D1C_J-k",
        "k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8",  # the PASERK specification's test vectors
        "k4.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    }
)
# 43 random characters of 64 hold 31 different ones on average; so few mean that the key was typed.
MIN_DISTINCT_CHARS = 15


class SecuritySettings(Group):
    """Keys and tokens."""

    secret_key: PaserkKeys | None = None
    """One or several PASERK ``k4.local.`` keys separated by commas: the first encrypts, all decrypt."""
    access_token_ttl_minutes: int = Field(default=24 * 60, ge=1, le=7 * 24 * 60)
    short_access_token_ttl_minutes: int = Field(default=15, ge=1, le=24 * 60)
    """The same for clients that say at login that they refresh; never longer than the other."""
    refresh_token_ttl_days: int = Field(default=30, ge=1, le=365)
    temporary_key_ttl_hours: int = Field(default=72, ge=1, le=24 * 30)
    """How long a mailed key that was never used is accepted, and the link beside it."""
    reset_link_ttl_minutes: int = Field(default=60, ge=5, le=24 * 60)
    trusted_proxy_count: int = Field(default=0, ge=0, le=10)
    """How many proxies of ours stand before the server: so many entries of ``X-Forwarded-For`` are believed."""
    rate_limit_storage: RateLimitStorage = SecretStr("memory")
    """Where tries are counted: ``memory`` for one process, ``postgres`` or ``redis://...`` for several. The address of
    a Redis may hold its password."""
    rate_limits_enabled: bool = True
    """False turns every limit off, for load tests."""
    rate_limit_turns_per_minute: int | None = Field(default=None, ge=1)
    """By person, as the next; these three change the table in ``services/limits/throttle.py``."""
    rate_limit_history_reads_per_minute: int | None = Field(default=None, ge=1)
    rate_limit_requests_per_minute: int | None = Field(default=None, ge=1)
    """By address (of IPv6 by /64)."""
    operator_second_factor: Literal["required", "optional"] = "required"
    """Whether an operator's rights are refused to logins that were opened without a second factor."""
    metrics_token: LongSecret | None = None
    """What ``GET /metrics`` wants as its bearer token; without one there is no such route."""

    @property
    def counts_in_memory(self) -> bool:
        return self.rate_limit_storage.get_secret_value() == "memory"

    def key_problems(self) -> Iterator[str]:
        """What production refuses of ``SECRET_KEY``, a sentence each."""
        if self.secret_key is None:
            command = own_command("keys generate")
            yield f"SECRET_KEY is not set: production does not invent one; make it with `{command}`."
            return
        keys = [key.strip().rstrip("=") for key in self.secret_key.get_secret_value().split(",")]
        if any(key in PUBLISHED_KEYS or len(set(key.removeprefix("k4.local."))) < MIN_DISTINCT_CHARS for key in keys):
            yield f"SECRET_KEY holds a published or guessable key: make one with `{own_command('keys generate')}`."
