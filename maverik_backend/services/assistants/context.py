"""What a model may be told about the principal, by the names that definitions use."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from maverik_backend.clients.rag.base import Question

ContextSource = Callable[[Question], str]
"""Text for the model; empty when nothing is known."""

CONTEXT_SOURCES: Mapping[str, ContextSource] = {
    # The questionnaire's answers and the facts of the session, one a line.
    "investor_profile": lambda question: question.user_profile,
}
