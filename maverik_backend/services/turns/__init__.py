"""Turns of every principal and surface: one engine for every kind of conversation.

Start reading at ``engine.py``; docs/decisions/0001-one-turn-engine.md says why it is so.
"""

from maverik_backend.services.turns.accepting import Acceptance, Answered, TurnRequest
from maverik_backend.services.turns.adapter import ConversationAdapter
from maverik_backend.services.turns.engine import Streamed, TurnEngine
from maverik_backend.services.turns.events import (
    Data,
    Emit,
    Failed,
    Finished,
    Started,
    StoredEvent,
    TextDelta,
    ToolCall,
    ToolResult,
    TurnEvent,
    Usage,
    is_last,
)
from maverik_backend.services.turns.following import Follower
from maverik_backend.services.turns.heartbeat import Heartbeat
from maverik_backend.services.turns.idempotency_store import MAX_KEY_CHARS
from maverik_backend.services.turns.log import Subscription, TurnLog
from maverik_backend.services.turns.records import PORTFOLIO, AnsweredBy, Attempt, Ending, Outcome, Source, Turn
from maverik_backend.services.turns.running import RunningTurns
from maverik_backend.services.turns.store import Lease, get_page

__all__ = [
    "MAX_KEY_CHARS",
    "PORTFOLIO",
    "Acceptance",
    "Answered",
    "AnsweredBy",
    "Attempt",
    "ConversationAdapter",
    "Data",
    "Emit",
    "Ending",
    "Failed",
    "Finished",
    "Follower",
    "Heartbeat",
    "Lease",
    "Outcome",
    "RunningTurns",
    "Source",
    "Started",
    "StoredEvent",
    "Streamed",
    "Subscription",
    "TextDelta",
    "ToolCall",
    "ToolResult",
    "Turn",
    "TurnEngine",
    "TurnEvent",
    "TurnLog",
    "TurnRequest",
    "Usage",
    "get_page",
    "is_last",
]
