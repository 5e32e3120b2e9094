"""What the adapters share: texts cut and sent in batches, answers checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from maverik_backend.clients.embeddings.base import MAX_DIMENSIONS, MAX_TEXT_CHARS, Vector
from maverik_backend.clients.llm.failures import failure_of
from maverik_backend.errors import UpstreamBadAnswer, UpstreamError, UpstreamRejected

SERVICE = "embeddings"
BATCH = 64
MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""64 vectors of 4,000 numbers of up to 25 characters are 6.4 MB."""


def embed_in_batches(texts: Sequence[str], embed: Callable[[Sequence[str]], list[Vector]]) -> list[Vector]:
    """The vectors of ``texts``, asked for in batches of :data:`BATCH`, each text cut to what models take.

    Raises:
        UpstreamError: what ``embed`` raises, in the words of providers; ``UpstreamBadAnswer`` when lengths differ.
    """
    found: list[Vector] = []
    for at in range(0, len(texts), BATCH):
        batch = [text[:MAX_TEXT_CHARS] or " " for text in texts[at : at + BATCH]]
        found += _asked(batch, embed)
    if len({len(vector) for vector in found}) > 1:
        raise UpstreamBadAnswer(SERVICE, "vectors of several lengths")
    return found


def vectors_of(values: Sequence[Any], *, expected: int) -> list[Vector]:
    """Checked vectors.

    Raises:
        UpstreamBadAnswer: when they are not ``expected`` lists of finite numbers that are not all zero.
    """
    if len(values) != expected:
        raise UpstreamBadAnswer(SERVICE, "another number of vectors")
    return [_vector_of(value) for value in values]


def _asked(batch: Sequence[str], embed: Callable[[Sequence[str]], list[Vector]]) -> list[Vector]:
    try:
        return embed(batch)
    except UpstreamRejected as error:
        raise _in_words(error) from None


def _in_words(error: UpstreamRejected) -> UpstreamError:
    """The kind that the status means; the body was not read."""
    return failure_of(SERVICE, {}, status=error.status)


def _vector_of(value: Any) -> Vector:  # noqa: ANN401 - decoded JSON
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_DIMENSIONS:
        raise UpstreamBadAnswer(SERVICE, "no vector")
    vector = list(_numbers(value))
    if not any(vector):
        raise UpstreamBadAnswer(SERVICE, "a vector of zeros")
    return vector


def _numbers(value: list[Any]) -> Iterator[float]:
    for number in value:
        if not isinstance(number, int | float) or isinstance(number, bool) or not math.isfinite(number):
            raise UpstreamBadAnswer(SERVICE, "a vector with something else than numbers")
        yield float(number)
