"""Language models: the providers, by their keys and addresses, and the model that is asked by default."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from maverik_backend.settings.base import Group
from maverik_backend.settings.values import ApiKey, HttpUrl, is_encrypted

OPENAI_URL = "https://api.openai.com/v1"


class LlmSettings(Group):
    """Providers of language models; each is there once its key is set."""

    openai_api_key: ApiKey | None = None
    openai_base_url: HttpUrl = OPENAI_URL
    """OpenAI, or any server that speaks its chat completions; one of these may want no key."""
    anthropic_api_key: ApiKey | None = None
    anthropic_base_url: HttpUrl = "https://api.anthropic.com"
    google_ai_api_key: ApiKey | None = None
    google_ai_base_url: HttpUrl = "https://generativelanguage.googleapis.com"
    perplexity_api_key: ApiKey | None = None
    perplexity_base_url: HttpUrl = "https://api.perplexity.ai"
    default_ai_model: str | None = None
    """``provider:model`` or an alias (``clients/llm/models.py``): what assistants use that name no model."""
    scripted_model_file: Path | None = None
    """What the provider ``scripted`` answers by; for tests and demonstrations only."""

    @property
    def has_openai(self) -> bool:
        """Whether OpenAI, or a compatible server, is configured."""
        return self.openai_api_key is not None or self.openai_base_url != OPENAI_URL

    def production_problems(self) -> Iterator[str]:
        """What production refuses, a sentence each."""
        for name, url, key in self._addresses():
            if key is not None and not is_encrypted(url):
                yield f"{name} sends the key and people's conversations in clear: production uses an https:// address."
        if self.scripted_model_file is not None:
            yield "SCRIPTED_MODEL_FILE is set: production has no model that answers by a script."

    def _addresses(self) -> Iterator[tuple[str, str, SecretStr | None]]:
        yield "OPENAI_BASE_URL", self.openai_base_url, self.openai_api_key
        yield "ANTHROPIC_BASE_URL", self.anthropic_base_url, self.anthropic_api_key
        yield "GOOGLE_AI_BASE_URL", self.google_ai_base_url, self.google_ai_api_key
        yield "PERPLEXITY_BASE_URL", self.perplexity_base_url, self.perplexity_api_key
