"""The RAG service over HTTP: ``POST /api/chat``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from maverik_backend.clients.http import HttpService
from maverik_backend.clients.rag.base import Answer, Question
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import UpstreamBadAnswer

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext


class HttpAdvisor:
    """Hands the question on and takes ``response`` as the answer."""

    origin = "rag"

    def __init__(self, base_url: str, *, max_connections: int = 64, metrics: Metrics | None = None) -> None:
        self._service = HttpService("rag", base_url, max_connections=max_connections, metrics=metrics)

    @classmethod
    def from_context(cls, context: ClientContext) -> Self:
        settings = context.settings
        url = settings.advice.rag_service_url or ""
        return cls(url, max_connections=settings.app.worker_threads, metrics=context.metrics)

    def check(self, *, deadline: Deadline) -> None:
        self._service.check(deadline=deadline)

    def answer(self, question: Question, *, deadline: Deadline) -> Answer:
        payload = {
            "userProfile": question.user_profile,
            "chatHistory": [list(turn) for turn in question.chat_history],
            "input": question.input,
        }
        text = self._service.ask("/api/chat", payload, parse=_text_of, deadline=deadline)
        return Answer(text=text, origin=self.origin)


def _text_of(body: Any) -> str:  # noqa: ANN401 - decoded JSON
    text = body.get("response") if isinstance(body, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise UpstreamBadAnswer("rag", "no response text")
    return text
