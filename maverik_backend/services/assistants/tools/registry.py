"""Which tools there are: one line each. A tool that cannot work as configured is ``None``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from maverik_backend.clients.llm.base import Models
from maverik_backend.services.advice import Proposals
from maverik_backend.services.assistants.tools.base import Tool
from maverik_backend.services.assistants.tools.calculator import CALCULATOR
from maverik_backend.services.assistants.tools.documents import search_documents
from maverik_backend.services.assistants.tools.portfolio import suggest_portfolio
from maverik_backend.services.assistants.tools.web_search import web_search
from maverik_backend.services.knowledge import DocumentSearch


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolClients:
    """What tools are made of."""

    documents: DocumentSearch
    models: Models
    proposals: Proposals


def _as_it_is(tool: Tool, _clients: ToolClients) -> Tool:
    return tool


TOOLS: Mapping[str, Callable[[ToolClients], Tool | None]] = {
    "search_documents": lambda clients: search_documents(clients.documents),
    "suggest_portfolio": lambda clients: suggest_portfolio(clients.proposals),
    "web_search": lambda clients: web_search(clients.models),
    **{tool.spec.name: partial(_as_it_is, tool) for tool in CALCULATOR},
}


def make_tools(clients: ToolClients) -> Mapping[str, Tool]:
    """Every tool that can work, by name."""
    made = {name: make(clients) for name, make in TOOLS.items()}
    return {name: tool for name, tool in made.items() if tool is not None}
