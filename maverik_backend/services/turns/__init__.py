"""Turns of every principal and surface: one engine for every kind of conversation.

Start reading at ``engine.py``; docs/decisions/0001-one-turn-engine.md says why it is so.
"""

from maverik_backend.services.turns.accepting import Acceptance, Answered, TurnRequest
from maverik_backend.services.turns.engine import Streamed, TurnEngine
from maverik_backend.services.turns.following import Follower
from maverik_backend.services.turns.heartbeat import Heartbeat
from maverik_backend.services.turns.idempotency import MAX_KEY_CHARS
from maverik_backend.services.turns.records import Turn
from maverik_backend.services.turns.running import RunningTurns
from maverik_backend.services.turns.store import Lease, get_page

__all__ = [
    "MAX_KEY_CHARS",
    "Acceptance",
    "Answered",
    "Follower",
    "Heartbeat",
    "Lease",
    "RunningTurns",
    "Streamed",
    "Turn",
    "TurnEngine",
    "TurnRequest",
    "get_page",
]
