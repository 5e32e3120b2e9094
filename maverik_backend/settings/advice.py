"""Who answers a turn, how long it may take, how many there may be at once."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from maverik_backend.settings.base import Group
from maverik_backend.settings.values import HttpUrl

MIN_TURNS_PER_ADDRESS = 10


class AdviceSettings(Group):
    """The services that answer a turn. Without an address, the embedded ones do."""

    rag_service_url: HttpUrl | None = None
    """Where questions go: to the address itself when its path ends in ``/chat``, else to ``/api/chat`` below it."""
    rag_fallback: Literal["text", "embedded"] = "text"
    """What a person gets when the RAG service fails: an apology, or also what the embedded advisor has to say."""
    portfolio_optimization_url: HttpUrl | None = None
    external_service_timeout: float = Field(default=50.0, ge=1, le=300)
    """Seconds that a whole turn may spend waiting for other services."""
    max_concurrent_turns: int = Field(default=500, ge=1, le=5000)
    """Turns worked on at once in a process; another one is told at once to come back, instead of waiting in a queue.
    Keep it below ``WORKER_THREADS``, so that everything else always finds a free thread."""
    max_concurrent_turns_per_person: int = Field(default=3, ge=1, le=5000)
    """Of these, how many one person may have at once."""
    max_concurrent_turns_per_address: int | None = Field(default=None, ge=1, le=5000)
    """Of these, how many the people behind one address (of IPv6 one /64) may have at once; ``None`` is a share of all,
    see :attr:`turns_per_address`."""
    max_sessions_per_person: int = Field(default=1000, ge=1, le=100_000)
    history_max_turns: int = Field(default=20, ge=0, le=200)
    history_max_chars: int = Field(default=24_000, ge=0, le=200_000)

    @property
    def turns_per_address(self) -> int:
        """Turns at once for one address: unless it is set, a fifth of all, but enough for a small office."""
        if self.max_concurrent_turns_per_address is not None:
            return self.max_concurrent_turns_per_address
        return max(MIN_TURNS_PER_ADDRESS, self.max_concurrent_turns // 5)

    @property
    def advisor(self) -> str:
        """Key into the registry of advisors."""
        return "http" if self.rag_service_url else "embedded"

    @property
    def optimizer(self) -> str:
        """Key into the registry of optimisers."""
        return "http" if self.portfolio_optimization_url else "embedded"
