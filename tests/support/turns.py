"""Turns as services hand them around, made for tests."""

from __future__ import annotations

from typing import Any

from maverik_backend.models import TurnState
from maverik_backend.services.turns.events import Finished
from maverik_backend.services.turns.records import Turn


def make_turn(**changes: Any) -> Turn:
    """An answered turn; ``changes`` are fields of it."""
    fields: dict[str, Any] = {
        "id": 7,
        "conversation_id": 3,
        "attempt": 1,
        "message": "hola",
        "markdown": "¡Hola!",
        "plain_text": "¡Hola!",
        "state": TurnState.COMPLETED,
        "origin": "rag",
        "portfolio": None,
        "sources": (),
        "created_at": None,
    }
    return Turn(**{**fields, **changes})


def finished(state: TurnState = TurnState.COMPLETED) -> Finished:
    """The last event of a turn that ended in ``state``."""
    return Finished(turn=make_turn(state=state))
