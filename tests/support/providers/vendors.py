"""Every provider over HTTP, as tests play it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from maverik_backend.clients.llm.base import Completion, Model, ModelRequest, OnText, UserMessage
from maverik_backend.clients.llm.models import ConfiguredModels
from maverik_backend.clients.registry import ClientContext
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.settings import Settings
from tests.support.providers.anthropic import Anthropic
from tests.support.providers.gemini import Gemini
from tests.support.providers.openai import OpenAI
from tests.support.providers.perplexity import Perplexity
from tests.support.providers.scenes import SCENES
from tests.support.providers.vendor import MODEL, STREAMED, Vendor, Way

VENDORS: dict[str, Vendor] = {vendor.name: vendor for vendor in (OpenAI(), Anthropic(), Gemini(), Perplexity())}
READABLE = [
    pytest.param(vendor, scene, id=f"{vendor.name}-{name}")
    for vendor in VENDORS.values()
    for name, scene in SCENES.items()
    if vendor.can_say(scene)
]
"""Each provider with each answer that it has."""
AMPLE_S = 30.0
REQUEST = ModelRequest(model=MODEL, messages=[UserMessage("hola")], instructions="Sé breve.")


@contextmanager
def model_at(vendor: Vendor, url: str, *, metrics: Metrics | None = None) -> Iterator[Model]:
    """The provider's model, asked at ``url``."""
    settings = Settings(llm=vendor.settings(url))
    context = ClientContext(settings=settings, search=lambda _text, *, limit: [][:limit], metrics=metrics or Metrics())
    models = ConfiguredModels.from_context(context)
    try:
        yield models.by_provider[vendor.name]
    finally:
        models.close()


def complete(
    model: Model,
    *,
    way: Way = STREAMED,
    on_text: OnText | None = None,
    request: ModelRequest = REQUEST,
    deadline: Deadline | None = None,
) -> Completion:
    """One completion; streamed, its pieces must be its text."""
    pieces: list[str] = []
    collect = on_text or pieces.append
    completion = model.complete(
        request, on_text=collect if way == STREAMED else None, deadline=deadline or Deadline.after(AMPLE_S)
    )
    if way == STREAMED and on_text is None:
        assert "".join(pieces) == completion.text
        assert all(pieces)
    return completion
