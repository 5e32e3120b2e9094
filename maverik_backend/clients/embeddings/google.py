"""Google's embeddings: ``POST /v1beta/models/{model}:batchEmbedContents`` of the Gemini API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from maverik_backend.clients.embeddings.base import Purpose, Vector
from maverik_backend.clients.embeddings.batches import MAX_ANSWER_BYTES, SERVICE, embed_in_batches, vectors_of
from maverik_backend.clients.http import HttpService
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import UpstreamBadAnswer

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext

_TASKS: Mapping[Purpose, str] = {Purpose.PASSAGE: "RETRIEVAL_DOCUMENT", Purpose.QUESTION: "RETRIEVAL_QUERY"}


class GoogleEmbedder:
    """One POST a batch; questions and passages get vectors of their own kind."""

    def __init__(
        self, base_url: str, *, model: str, api_key: str, dimensions: int | None, metrics: Metrics | None = None
    ) -> None:
        self._service = HttpService(
            SERVICE,
            base_url,
            headers={"x-goog-api-key": api_key},
            max_answer_bytes=MAX_ANSWER_BYTES,
            metrics=metrics,
        )
        self._model = f"models/{model}"
        self._dimensions = dimensions
        self.name = f"google:{model}" if dimensions is None else f"google:{model}/{dimensions}"

    @classmethod
    def from_context(cls, context: ClientContext) -> Self:
        settings, llm = context.settings.embeddings, context.settings.llm
        key = settings.embeddings_api_key or llm.google_ai_api_key
        return cls(
            settings.embeddings_base_url or llm.google_ai_base_url,
            model=settings.model_of_provider,
            api_key=key.get_secret_value() if key else "",
            dimensions=settings.embeddings_dimensions,
            metrics=context.metrics,
        )

    def embed(self, texts: Sequence[str], *, purpose: Purpose, deadline: Deadline) -> list[Vector]:
        return embed_in_batches(texts, lambda batch: self._embed(batch, _TASKS[purpose], deadline))

    def check(self, *, deadline: Deadline) -> None:
        self._service.check(deadline=deadline)

    def _embed(self, batch: Sequence[str], task: str, deadline: Deadline) -> list[Vector]:
        return self._service.ask(
            f"/v1beta/{self._model}:batchEmbedContents",
            {"requests": [self._request(text, task) for text in batch]},
            parse=lambda body: _vectors(body, len(batch)),
            deadline=deadline,
        )

    def _request(self, text: str, task: str) -> dict[str, Any]:
        request: dict[str, Any] = {"model": self._model, "content": {"parts": [{"text": text}]}, "taskType": task}
        if self._dimensions is not None:
            request["outputDimensionality"] = self._dimensions
        return request


def _vectors(body: Any, expected: int) -> list[Vector]:  # noqa: ANN401 - decoded JSON
    found = body.get("embeddings") if isinstance(body, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UpstreamBadAnswer(SERVICE, "no embeddings")
    return vectors_of([one.get("values") for one in found], expected=expected)
