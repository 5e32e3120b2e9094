"""What every kind of assistant is to the conversations that it answers in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from maverik_backend.clients.rag.base import Question
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.principal import Principal
from maverik_backend.services.turns import Emit, Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantRequest:
    """One turn as an assistant gets it: the question, whose it is, and the id of the turn."""

    question: Question
    principal: Principal
    turn_id: int


class Assistant(Protocol):
    """Answers turns. Implementations are safe to call from several threads at once."""

    def answer(self, request: AssistantRequest, *, emit: Emit, deadline: Deadline) -> Ending:
        """Answer ``request``: emit what comes, in order, and return how it ended. No transaction is open.

        Every text delta is clean: joined with those before it, no renderer makes markup of it (core/markdown.py).

        Raises:
            Cancelled: when ``deadline`` was cancelled.
            UpstreamError: when there is no answer, or the rest of it does not come; what was emitted stays.
            DatabaseUnavailable: when something that it needs cannot be read.
        """
        ...
