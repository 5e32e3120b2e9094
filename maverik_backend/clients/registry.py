"""Which implementations there are, and how the configured one is made.

A new implementation is one module with a class that has ``from_context`` and one line here; it is imported only when
it is chosen. What a family promises stands in its ``base.py`` and is checked by one contract test that runs over every
line of its table (``tests/clients``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from maverik_backend.clients.embeddings.base import Embedder
from maverik_backend.clients.llm.base import Models
from maverik_backend.clients.llm.models import ConfiguredModels
from maverik_backend.clients.mail.base import MailSender
from maverik_backend.clients.optimizer.base import Optimizer
from maverik_backend.clients.rag.base import Advisor, PassageSearch
from maverik_backend.core.metrics import Metrics
from maverik_backend.settings import Settings

ADVISORS = {
    "http": "maverik_backend.clients.rag.http:HttpAdvisor",
    "embedded": "maverik_backend.advisor.embedded:EmbeddedAdvisor",
}
OPTIMIZERS = {
    "http": "maverik_backend.clients.optimizer.http:HttpOptimizer",
    "embedded": "maverik_backend.clients.optimizer.embedded:EmbeddedOptimizer",
}
EMBEDDERS = {
    "openai": "maverik_backend.clients.embeddings.openai:OpenAIEmbedder",
    "google": "maverik_backend.clients.embeddings.google:GoogleEmbedder",
}
MAIL_SENDERS = {
    "http_api": "maverik_backend.clients.mail.http_api:HttpApiSender",
    "smtp": "maverik_backend.clients.mail.smtp:SmtpSender",
    "local": "maverik_backend.clients.mail.local:LocalMailbox",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientContext:
    """What a client may need to make itself."""

    settings: Settings
    search: PassageSearch
    metrics: Metrics = field(default_factory=Metrics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """Everything outside the process that the use cases talk to, the database apart.

    ``fallback`` answers when ``advisor`` fails; ``None``: there is none. ``embedder`` makes vectors, where a model is
    configured for it. ``models`` are those of every provider that is configured.
    """

    advisor: Advisor
    optimizer: Optimizer
    mail: MailSender
    fallback: Advisor | None = None
    embedder: Embedder | None = None
    models: Models = field(default_factory=lambda: ConfiguredModels({}))


def make_clients(context: ClientContext) -> Clients:
    """The clients that the settings ask for.

    Raises:
        SettingsError: when one of them is chosen but cannot work.
    """
    settings = context.settings
    has_fallback = settings.advice.rag_fallback == "embedded" and settings.advice.advisor != "embedded"
    return Clients(
        fallback=_make(ADVISORS, "embedded", context) if has_fallback else None,
        advisor=_make(ADVISORS, settings.advice.advisor, context),
        optimizer=_make(OPTIMIZERS, settings.advice.optimizer, context),
        mail=_make(MAIL_SENDERS, settings.mail.sender, context),
        embedder=_make(EMBEDDERS, provider, context) if (provider := settings.embeddings.provider) else None,
        models=ConfiguredModels.from_context(context),
    )


def _make(table: Mapping[str, str], key: str, context: ClientContext) -> Any:  # noqa: ANN401
    module, _, name = table[key].partition(":")
    return getattr(import_module(module), name).from_context(context)
