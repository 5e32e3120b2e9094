"""The embedded advisor's articles: files in ``knowledge/``, read once.

A file is a title (``# ...``), a line of topics (``temas: ...``) and passages separated by blank lines. The title and
the topics decide what an article is about; the passages are what people read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

_TITLE = "# "
_TOPICS = "temas: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article. ``slug`` is its file's name."""

    slug: str
    title: str
    topics: str
    passages: tuple[str, ...]


def read_articles() -> tuple[Article, ...]:
    """Every article shipped with the product, in order of slug."""
    folder = files(__package__) / "knowledge"
    sources = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".md")), key=lambda entry: entry.name)
    return tuple(_parse(entry.name.removesuffix(".md"), entry.read_text(encoding="utf-8")) for entry in sources)


def version_of(articles: Sequence[Article]) -> str:
    """A digest that changes whenever an article does."""
    return hashlib.sha256(repr(articles).encode()).hexdigest()


def _parse(slug: str, source: str) -> Article:
    head, *passages = (block.strip() for block in source.strip().split("\n\n"))
    title, _, topics = head.partition("\n")
    if not (title.startswith(_TITLE) and topics.startswith(_TOPICS) and "\n" not in topics and passages):
        raise ValueError(f"{slug}: not an article")
    return Article(
        slug=slug, title=title.removeprefix(_TITLE), topics=topics.removeprefix(_TOPICS), passages=tuple(passages)
    )
