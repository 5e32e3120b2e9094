"""Limits: how often something may be tried (rates), and how much of it may run at once (concurrency slots)."""

from maverik_backend.services.limits.concurrency import ConcurrencyLimiter, Share
from maverik_backend.services.limits.storage import make_storage
from maverik_backend.services.limits.throttle import LIMITS, Action, Throttle, limits_from

__all__ = [
    "LIMITS",
    "Action",
    "ConcurrencyLimiter",
    "Share",
    "Throttle",
    "limits_from",
    "make_storage",
]
