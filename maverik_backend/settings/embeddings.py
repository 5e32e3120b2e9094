"""Who makes vectors of documents and questions."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from maverik_backend.settings.base import Group
from maverik_backend.settings.llm import LlmSettings
from maverik_backend.settings.values import ApiKey, HttpUrl, is_encrypted

PROVIDERS = ("openai", "google")


class EmbeddingsSettings(Group):
    """The embeddings provider; without a model, documents are searched by their words alone."""

    embeddings_model: str | None = None
    """``provider:model``: ``openai:text-embedding-3-small``, ``google:gemini-embedding-001``."""
    embeddings_dimensions: int | None = Field(default=None, ge=16, le=4000)
    """How long the vectors shall be; ``None``: as the model makes them."""
    embeddings_base_url: HttpUrl | None = None
    """Where, unless at the address of the provider's language models."""
    embeddings_api_key: ApiKey | None = None
    """With which key, unless that of the provider's language models."""

    @property
    def provider(self) -> str | None:
        """Key into the registry of embedders."""
        return None if self.embeddings_model is None else self.embeddings_model.partition(":")[0]

    @property
    def model_of_provider(self) -> str:
        """The model as its provider calls it."""
        return (self.embeddings_model or "").partition(":")[2]

    def problems(self, llm: LlmSettings) -> Iterator[str]:
        """What is missing for the model that is named, a sentence each."""
        if self.embeddings_model is None:
            return
        if self.provider not in PROVIDERS or not self.model_of_provider:
            yield "EMBEDDINGS_MODEL must be openai:MODEL or google:MODEL, for example openai:text-embedding-3-small."
        elif self.provider == "google" and not (self.embeddings_api_key or llm.google_ai_api_key):
            yield "EMBEDDINGS_MODEL names a model of Google: set GOOGLE_AI_API_KEY, or EMBEDDINGS_API_KEY."
        elif self.provider == "openai" and not (self.embeddings_api_key or self.embeddings_base_url or llm.has_openai):
            yield "EMBEDDINGS_MODEL names a model of OpenAI: set OPENAI_API_KEY, or EMBEDDINGS_BASE_URL."

    def production_problems(self) -> Iterator[str]:
        """What production refuses, a sentence each."""
        if self.embeddings_api_key and self.embeddings_base_url and not is_encrypted(self.embeddings_base_url):
            yield "EMBEDDINGS_BASE_URL sends the key and people's documents in clear: production uses https://."
