"""Which tools there are: one line each. A tool that cannot work as configured is ``None``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maverik_backend.clients.rag.base import PassageSearch
from maverik_backend.services.assistants.tools.articles import search_articles
from maverik_backend.services.assistants.tools.base import Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolClients:
    """What tools are made of."""

    search: PassageSearch


TOOLS: Mapping[str, Callable[[ToolClients], Tool | None]] = {
    "search_articles": lambda clients: search_articles(clients.search),
}


def make_tools(clients: ToolClients) -> Mapping[str, Tool]:
    """Every tool that can work, by name."""
    made = {name: make(clients) for name, make in TOOLS.items()}
    return {name: tool for name, tool in made.items() if tool is not None}
