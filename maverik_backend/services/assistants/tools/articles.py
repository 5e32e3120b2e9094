"""``search_articles``: passages of the articles that ship with the product."""

from __future__ import annotations

from pydantic import Field

from maverik_backend.clients.rag.base import PassageSearch
from maverik_backend.services.assistants.tools.base import Arguments, FunctionTool, Tool, ToolContext, ToolOutput
from maverik_backend.services.turns import Source

MAX_PASSAGES = 6


class SearchArguments(Arguments):
    query: str = Field(min_length=2, max_length=300, description="What to look for, in Spanish, in a few words.")


def search_articles(search: PassageSearch) -> Tool:
    """The tool over ``search``."""

    def run(arguments: SearchArguments, context: ToolContext) -> ToolOutput:
        del context
        found = search(arguments.query, limit=MAX_PASSAGES)
        return ToolOutput(
            value=[{"title": passage.title, "text": passage.text} for passage in found],
            sources=tuple(Source(title=title) for title in dict.fromkeys(passage.title for passage in found)),
        )

    return FunctionTool(
        name="search_articles",
        description=(
            "Searches the reviewed articles on saving and investing in Argentina. Call it before explaining anything "
            "about money; what it finds is named as a source. An empty list means that there is no article."
        ),
        arguments=SearchArguments,
        function=run,
    )
