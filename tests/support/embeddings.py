"""Embeddings servers of both wire formats, whose vectors are of the words of the texts: deterministic, and no model.

A vector counts the words of a text, each in a place that its stem hashes to. Texts that share words are close; that two
words mean the same it does not know, unless they stand in :data:`SYNONYMS`.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from maverik_backend.clients import registry
from maverik_backend.clients.embeddings.base import Embedder, Purpose, Vector
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.text import fold
from maverik_backend.settings import EmbeddingsSettings, Settings
from tests.support.servers import Reply, Request, ScriptedServer

DIMENSIONS = 128
_STEM_CHARS = 6
SYNONYMS: Mapping[str, str] = {"auto": "vehiculo", "coche": "vehiculo", "casa": "vivienda", "depa": "vivienda"}
_COMMON_WORDS = """
    antes anos cada como conviene cosa cual cuando cuanta cuanto cuantos desde despues dinero donde entre esos esta
    estas este estos hacer hago hasta mejor menos misma mismo mucho otra otras otro otros para pero pesos plata porque
    puede pueden puedo quiero segun sirve sobre tambien tengo tiene toda todas todo todos
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_SHORT_WORDS = "ccl cbu cer cft cvu dca etf fci ipc mep oro per tea tna uva"
_SHORT = frozenset(_SHORT_WORDS.split())
_TITLE_WEIGHT = 3.0


def vector_of(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """The vector of ``text``, of length 1. The first of several lines counts as a title."""
    counts: defaultdict[str, float] = defaultdict(float)
    lines = text.split("\n")
    for place, line in enumerate(lines):
        weight = _TITLE_WEIGHT if place == 0 and len(lines) > 1 else 1.0
        for word in re.findall(r"\w{3,}", fold(line)):
            if word not in _COMMON and (len(word) > 3 or word in _SHORT):
                counts[SYNONYMS.get(word, word)[:_STEM_CHARS]] += weight
    numbers = [0.0] * dimensions
    for stem, count in counts.items():
        digest = hashlib.blake2b(stem.encode(), digest_size=4).digest()
        numbers[int.from_bytes(digest, "big") % dimensions] += 1.0 + math.log(count)
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers] if length else [1.0, *numbers[1:]]


class WordEmbedder:
    """The same vectors made here, where no time of a provider is to be measured."""

    def __init__(self, dimensions: int = DIMENSIONS) -> None:
        self._dimensions = dimensions
        self.name = f"scripted:words/{dimensions}"

    def embed(self, texts: Sequence[str], *, purpose: Purpose, deadline: Deadline) -> list[Vector]:
        del purpose, deadline
        return [vector_of(one, self._dimensions) for one in texts]

    def check(self, *, deadline: Deadline) -> None:
        del deadline


class OpenAIEmbeddingsServer(ScriptedServer):
    """``POST /embeddings``; answers out of order, as the format allows."""

    def answer(self, request: Request) -> Reply:
        if (request.method, request.path) != ("POST", "/embeddings"):
            return Reply.json({"error": {"code": "not_found"}}, status=404)
        dimensions = request.json.get("dimensions", DIMENSIONS)
        data: list[dict[str, Any]] = [
            {"object": "embedding", "index": place, "embedding": vector_of(text, dimensions)}
            for place, text in enumerate(request.json["input"])
        ]
        return Reply.json({"object": "list", "data": data[::-1], "usage": {"prompt_tokens": 1, "total_tokens": 1}})


class GoogleEmbeddingsServer(ScriptedServer):
    """``POST /v1beta/models/{model}:batchEmbedContents``."""

    def answer(self, request: Request) -> Reply:
        if not (request.method == "POST" and request.path.endswith(":batchEmbedContents")):
            return Reply.json({"error": {"status": "NOT_FOUND"}}, status=404)
        asked = request.json["requests"]
        texts = [one["content"]["parts"][0]["text"] for one in asked]
        dimensions = [one.get("outputDimensionality", DIMENSIONS) for one in asked]
        found = [{"values": vector_of(text, length)} for text, length in zip(texts, dimensions, strict=True)]
        return Reply.json({"embeddings": found})


SERVERS: Mapping[str, type[ScriptedServer]] = {"openai": OpenAIEmbeddingsServer, "google": GoogleEmbeddingsServer}


def make_embedder(provider: str, url: str, *, model: str = "prueba", dimensions: int | None = None) -> Embedder:
    """The embedder that the registry makes for these settings."""
    embeddings = EmbeddingsSettings.isolated(
        embeddings_model=f"{provider}:{model}",
        embeddings_base_url=url,
        embeddings_api_key="sk-una-clave-de-prueba",
        embeddings_dimensions=dimensions,
    )
    context = registry.ClientContext(
        settings=Settings(embeddings=embeddings), search=lambda _text, *, limit: [][:limit]
    )
    embedder = registry.make_clients(context).embedder
    if embedder is None:
        raise AssertionError("the registry made none")
    return embedder


@contextmanager
def running(provider: str = "openai", **options: Any) -> Iterator[tuple[ScriptedServer, Embedder]]:
    """A server and what asks it."""
    with SERVERS[provider]() as server:
        yield server, make_embedder(provider, server.url, **options)
