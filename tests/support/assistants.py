"""What assistants are asked in tests."""

from __future__ import annotations

from maverik_backend.clients.rag.base import Question
from maverik_backend.core.principal import Principal
from maverik_backend.services.assistants import AssistantRequest


def request_of(question: Question) -> AssistantRequest:
    """``question`` as turn 1 of principal 7."""
    return AssistantRequest(question=question, principal=Principal(id=7), turn_id=1)
