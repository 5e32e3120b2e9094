"""What an assistant is: one definition, immutable, read from a TOML file by ``library.py``."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MAX_INSTRUCTIONS_CHARS: Final = 60_000
VERSION_CHARS: Final = 16

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class Kind(StrEnum):
    """Who answers for an assistant."""

    RAG = "rag"
    """The service at ``RAG_SERVICE_URL``."""
    EMBEDDED = "embedded"
    """The advisor inside the process."""
    MODEL = "model"
    """A language model, with tools."""
    QUERIES = "queries"
    """Declared queries over a database, chosen by their examples."""


class History(BaseModel):
    """How much of a conversation a model is sent, the latest turns first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_turns: int = Field(default=20, ge=0, le=200)
    max_tokens: int = Field(default=8_000, ge=0, le=1_000_000)


class Definition(BaseModel):
    """An assistant. ``instructions`` and ``output_schema`` hold the contents of the files that the TOML file names.

    ``model`` is ``provider:model`` or an alias, ``None`` for ``DEFAULT_AI_MODEL``. ``context`` names what the model is
    told of the principal (``context.py``), ``tools`` what it may call (``tools/registry.py``). ``fallback`` is the slug
    of who answers when this assistant fails. ``channels`` and ``projects`` name the surfaces that it serves; empty
    means that it is chosen by its slug alone. ``queries`` is what may be asked of a database (services/queries), whose
    rows are those of the first of ``projects``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: Slug
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    kind: Kind
    model: str | None = None
    instructions: Annotated[str, StringConstraints(max_length=MAX_INSTRUCTIONS_CHARS)] = Field(default="", repr=False)
    tools: tuple[str, ...] = ()
    collections: tuple[Slug, ...] = ()
    context: tuple[str, ...] = ()
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_output_tokens: int | None = Field(default=None, ge=16, le=200_000)
    output_schema: dict[str, Any] | None = None
    languages: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")], ...] = ("es",)
    history: History = History()
    fallback: Slug | None = None
    channels: tuple[Slug, ...] = ()
    projects: tuple[Slug, ...] = ()
    queries: dict[str, Any] | None = None

    @cached_property
    def content(self) -> str:
        """Everything in the definition as JSON with sorted names."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)

    @cached_property
    def version(self) -> str:
        """A digest of :attr:`content`: another one means that something was changed."""
        return hashlib.sha256(self.content.encode()).hexdigest()[:VERSION_CHARS]
