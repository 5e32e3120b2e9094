"""Which models may be asked: the providers that there are, those that are configured, and what names mean.

A new provider is one module with a class that has ``from_context``, and one line in :data:`PROVIDERS`; it is imported
only when it is configured. The contract test (``tests/clients/llm``) runs over every line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from maverik_backend.clients.llm.base import Model, ModelName
from maverik_backend.errors import ModelUnavailable, SettingsError
from maverik_backend.settings import Settings

if TYPE_CHECKING:
    from maverik_backend.clients.llm.reader import Reader
    from maverik_backend.clients.registry import ClientContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Where a provider's class is (``module:Class``), whether the settings hold what it needs, and what that is."""

    target: str
    is_configured: Callable[[Settings], bool]
    needs: str


PROVIDERS: Mapping[str, Provider] = {
    "openai": Provider(
        target="maverik_backend.clients.llm.openai:OpenAIModel",
        is_configured=lambda settings: settings.llm.has_openai,
        needs="set OPENAI_API_KEY, or the OPENAI_BASE_URL of a server that wants no key",
    ),
    "anthropic": Provider(
        target="maverik_backend.clients.llm.anthropic:AnthropicModel",
        is_configured=lambda settings: settings.llm.anthropic_api_key is not None,
        needs="set ANTHROPIC_API_KEY",
    ),
    "gemini": Provider(
        target="maverik_backend.clients.llm.gemini:GeminiModel",
        is_configured=lambda settings: settings.llm.google_ai_api_key is not None,
        needs="set GOOGLE_AI_API_KEY",
    ),
    "perplexity": Provider(
        target="maverik_backend.clients.llm.perplexity:PerplexityModel",
        is_configured=lambda settings: settings.llm.perplexity_api_key is not None,
        needs="set PERPLEXITY_API_KEY",
    ),
    "scripted": Provider(
        target="maverik_backend.clients.llm.scripted:ScriptedModel",
        is_configured=lambda settings: not settings.app.is_production,
        needs="APP_ENV=prod has no models that answer by a script",
    ),
}
IN_PROCESS = frozenset({"scripted"})
"""Providers without a service."""
ALIASES: Mapping[str, str] = {
    # What the existing clients of the sister systems send and store.
    "openai-gpt4o": "openai:gpt-4o",
    "gpt-4o": "openai:gpt-4o",
    "gpt-4-turbo-preview": "openai:gpt-4-turbo-preview",
    "gpt-3.5-turbo": "openai:gpt-3.5-turbo",
    "anthropic-claude-opus-4": "anthropic:claude-opus-4-5-20251101",
    "google-gemini-2.5-pro": "gemini:gemini-2.5-pro",
    "gemini-2.0-flash": "gemini:gemini-2.0-flash",
    "gemini-1.5-pro": "gemini:gemini-1.5-pro",
    "gemini-1.5-flash": "gemini:gemini-1.5-flash",
    # The search models by the names they had before Perplexity's chat API ended; presets have taken their place.
    "sonar": "perplexity:fast-search",
    "sonar-pro": "perplexity:pro-search",
}


class ConfiguredModels:
    """The models of every provider that the settings configure: a :class:`~maverik_backend.clients.llm.base.Models`."""

    def __init__(
        self, models: Mapping[str, Model], *, default: str | None = None, reader: Reader | None = None
    ) -> None:
        """``reader`` is closed with this.

        Raises:
            ModelUnavailable: when ``default`` is none of them.
        """
        self._models = models
        self._reader = reader
        self._default = None if default is None else self.find(default)

    @classmethod
    def from_context(cls, context: ClientContext) -> Self:
        """Those that ``context.settings`` configure.

        Raises:
            SettingsError: when one of them, or the default, cannot work.
        """
        settings = context.settings
        chosen = [name for name, provider in PROVIDERS.items() if provider.is_configured(settings)]
        reader = _make_reader(settings) if {*chosen} - IN_PROCESS else None
        models = {name: _load(PROVIDERS[name].target).from_context(context, reader) for name in chosen}
        try:
            return cls(models, default=settings.llm.default_ai_model, reader=reader)
        except ModelUnavailable as error:
            raise SettingsError([f"DEFAULT_AI_MODEL cannot be used: {error}"]) from None

    @property
    def default(self) -> ModelName | None:
        return self._default

    @property
    def by_provider(self) -> Mapping[str, Model]:
        """One for each provider that is configured, by its name."""
        return self._models

    @property
    def remote(self) -> Mapping[str, Model]:
        return {name: model for name, model in self._models.items() if name not in IN_PROCESS}

    def find(self, name: str) -> ModelName:
        name = name.strip()
        try:
            found = ModelName.parse(ALIASES.get(name, name))
        except ValueError:
            raise ModelUnavailable(_spelling(name)) from None
        self.of(found)
        return found

    def of(self, name: ModelName) -> Model:
        if name.provider in self._models:
            return self._models[name.provider]
        if name.provider not in PROVIDERS:
            raise ModelUnavailable(_spelling(str(name)))
        raise ModelUnavailable(f"{name.provider} is not configured: {PROVIDERS[name.provider].needs}.")

    def close(self) -> None:
        """Close every connection."""
        if self._reader is not None:
            self._reader.close()


def _spelling(name: str) -> str:
    return f"{name[:60]!r} names no model: write provider:model, with a provider of {', '.join(PROVIDERS)}."


def _make_reader(settings: Settings) -> Reader:
    module = import_module("maverik_backend.clients.llm.reader")
    reader: Reader = module.Reader(max_connections=settings.app.worker_threads)
    return reader


def _load(target: str) -> Any:  # noqa: ANN401 - whichever class it is
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)
