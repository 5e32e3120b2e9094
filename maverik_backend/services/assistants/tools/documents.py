"""``search_documents``: passages of the collections that the assistant's definition names."""

from __future__ import annotations

from pydantic import Field

from maverik_backend.services.assistants.tools.base import Arguments, FunctionTool, Tool, ToolContext, ToolOutput
from maverik_backend.services.knowledge import DocumentSearch, FoundPassage, Scope
from maverik_backend.services.turns import Source

MAX_PASSAGES = 6


class SearchArguments(Arguments):
    query: str = Field(min_length=2, max_length=300, description="What to look for, in the documents' language.")


def search_documents(search: DocumentSearch) -> Tool:
    """The tool over ``search``: of those collections, the shared ones, the assistant's own and the principal's own."""

    def run(arguments: SearchArguments, context: ToolContext) -> ToolOutput:
        definition = context.definition
        scope = Scope(
            principal_id=context.request.principal.id, assistant=definition.slug, slugs=definition.collections
        )
        found = search(arguments.query, scope=scope, limit=MAX_PASSAGES, deadline=context.deadline)
        return ToolOutput(value=[_for_model(passage) for passage in found], sources=tuple(map(_source, found)))

    return FunctionTool(
        name="search_documents",
        description=(
            "Searches the reviewed articles and documents. Call it before explaining anything; what it finds is named "
            "as a source. An empty list means that there is nothing about it."
        ),
        arguments=SearchArguments,
        function=run,
    )


def _for_model(passage: FoundPassage) -> dict[str, object]:
    return {"title": passage.title, "headings": list(passage.headings), "text": passage.text}


def _source(passage: FoundPassage) -> Source:
    return Source(
        title=passage.title,
        document_id=passage.document_id,
        page=passage.first_page,
        passage_id=passage.passage_id,
    )
