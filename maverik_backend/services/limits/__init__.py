"""Limits: how often something may be tried (rates), how much of it may run at once, and who waits for whom."""

from maverik_backend.services.limits.concurrency import ConcurrencyLimiter, Share
from maverik_backend.services.limits.fair_queue import FairQueue
from maverik_backend.services.limits.storage import make_storage
from maverik_backend.services.limits.throttle import LIMITS, Action, Throttle, limits_from

__all__ = [
    "LIMITS",
    "Action",
    "ConcurrencyLimiter",
    "FairQueue",
    "Share",
    "Throttle",
    "limits_from",
    "make_storage",
]
