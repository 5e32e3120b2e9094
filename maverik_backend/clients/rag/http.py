"""The RAG service over HTTP: ``POST /api/chat``, or the address itself where its path ends in ``/chat``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

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

    def __init__(self, url: str, *, max_connections: int = 64, metrics: Metrics | None = None) -> None:
        base_url, self._path = _split(url)
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
            "userProfile": "\n".join([question.user_profile, *question.instructions]),
            "chatHistory": [list(turn) for turn in question.chat_history],
            "input": question.input,
        }
        text = self._service.ask(self._path, payload, parse=_text_of, deadline=deadline)
        return Answer(text=text, origin=self.origin)


def _split(url: str) -> tuple[str, str]:
    """The address of the service, and the path of its endpoint below: two kinds of installation are about.

    The service alone answers at ``/chat``, mounted behind another one at ``/api/chat``. A closing slash means nothing.
    """
    base = url.rstrip("/")
    if urlsplit(base).path.endswith("/chat"):
        return base.removesuffix("/chat"), "/chat"
    return base, "/api/chat"


def _text_of(body: Any) -> str:  # noqa: ANN401 - decoded JSON
    text = body.get("response") if isinstance(body, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise UpstreamBadAnswer("rag", "no response text")
    return text
