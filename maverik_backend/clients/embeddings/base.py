"""What an embeddings provider is: it makes vectors of texts, such that texts of like meaning lie close together."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from maverik_backend.core.deadline import Deadline

MAX_TEXT_CHARS = 6_000
"""What of a text is embedded: about 2,000 tokens, which every provider's models take."""
MAX_DIMENSIONS = 4_000
"""What pgvector can index as ``halfvec``."""

Vector = list[float]


class Purpose(StrEnum):
    """What a vector is for: some models make others for questions than for what is to be found."""

    PASSAGE = "passage"
    QUESTION = "question"


class Embedder(Protocol):
    """A provider bound to one model. Implementations are safe to call from several threads at once."""

    @property
    def name(self) -> str:
        """``provider:model``, with ``/dimensions`` where they are set: vectors of the same name can be compared."""
        ...

    def embed(self, texts: Sequence[str], *, purpose: Purpose, deadline: Deadline) -> list[Vector]:
        """A vector for each of ``texts``, in order, all of one length and finite.

        Raises:
            UpstreamError: when there is none for each before ``deadline``.
        """
        ...

    def check(self, *, deadline: Deadline) -> None:
        """See whether it could answer, without asking it anything that costs.

        Raises:
            UpstreamError: when it could not, or does not say so before ``deadline``.
        """
        ...
