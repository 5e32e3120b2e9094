"""OpenAI's embeddings, and of every server that speaks them (Ollama, vLLM, Azure): ``POST /embeddings``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from maverik_backend.clients.embeddings.base import Purpose, Vector
from maverik_backend.clients.embeddings.batches import MAX_ANSWER_BYTES, SERVICE, embed_in_batches, vectors_of
from maverik_backend.clients.http import HttpService
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import UpstreamBadAnswer

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext


class OpenAIEmbedder:
    """One POST a batch. ``dimensions`` is asked for where it is set; not every model takes it."""

    def __init__(
        self, base_url: str, *, model: str, api_key: str | None, dimensions: int | None, metrics: Metrics | None = None
    ) -> None:
        self._service = HttpService(
            SERVICE,
            base_url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            max_answer_bytes=MAX_ANSWER_BYTES,
            metrics=metrics,
        )
        self._model = model
        self._dimensions = dimensions
        self.name = f"openai:{model}" if dimensions is None else f"openai:{model}/{dimensions}"

    @classmethod
    def from_context(cls, context: ClientContext) -> Self:
        settings, llm = context.settings.embeddings, context.settings.llm
        key = settings.embeddings_api_key or llm.openai_api_key
        return cls(
            settings.embeddings_base_url or llm.openai_base_url,
            model=settings.model_of_provider,
            api_key=key.get_secret_value() if key else None,
            dimensions=settings.embeddings_dimensions,
            metrics=context.metrics,
        )

    def embed(self, texts: Sequence[str], *, purpose: Purpose, deadline: Deadline) -> list[Vector]:
        del purpose  # its models make the same vector for both
        return embed_in_batches(texts, lambda batch: self._embed(batch, deadline))

    def check(self, *, deadline: Deadline) -> None:
        self._service.check(deadline=deadline)

    def _embed(self, batch: Sequence[str], deadline: Deadline) -> list[Vector]:
        payload: dict[str, Any] = {"model": self._model, "input": list(batch), "encoding_format": "float"}
        if self._dimensions is not None:
            payload["dimensions"] = self._dimensions
        return self._service.ask(
            "/embeddings", payload, parse=lambda body: _vectors(body, len(batch)), deadline=deadline
        )


def _vectors(body: Any, expected: int) -> list[Vector]:  # noqa: ANN401 - decoded JSON
    """The vectors in the order of the texts: each says its ``index``."""
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise UpstreamBadAnswer(SERVICE, "no data")
    by_index = {one.get("index", place): one.get("embedding") for place, one in enumerate(data)}
    if set(by_index) != set(range(expected)):
        raise UpstreamBadAnswer(SERVICE, "another number of vectors")
    return vectors_of([by_index[place] for place in range(expected)], expected=expected)
