"""``web_search``: pages of the web, found and summed up by a model that searches."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field

from maverik_backend.clients.llm.base import Citation, ModelRequest, Models, UserMessage
from maverik_backend.errors import ModelUnavailable
from maverik_backend.services.assistants.tools.base import (
    Arguments,
    FunctionTool,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutput,
)
from maverik_backend.services.assistants.usage import Meter, event_of
from maverik_backend.services.turns import Source

MODEL = "sonar"
MAX_CITATIONS = 10


class WebSearchArguments(Arguments):
    query: str = Field(min_length=3, max_length=500, description="What to find out, as one whole question.")


def web_search(models: Models) -> Tool | None:
    """The tool, when a model that searches is configured."""
    try:
        name = models.find(MODEL)
    except ModelUnavailable:
        return None
    model = models.of(name)

    def run(arguments: WebSearchArguments, context: ToolContext) -> ToolOutput:
        request = ModelRequest(model=name.model, messages=(UserMessage(arguments.query),))
        completion = model.complete(request, deadline=context.deadline)
        if not completion.text:
            raise ToolFailed("Nothing was found.")
        citations = [citation for citation in completion.citations if is_web_page(citation)][:MAX_CITATIONS]
        return ToolOutput(
            value={"answer": completion.text, "citations": [citation.url for citation in citations]},
            sources=tuple(Source(title=citation.title, url=citation.url) for citation in citations),
            usage=event_of(Meter(request).of(completion), name),
        )

    return FunctionTool(
        name="web_search",
        description="Searches the web for what changes: news, rules, dates, prices. Gives a text and its pages.",
        arguments=WebSearchArguments,
        function=run,
    )


def is_web_page(citation: Citation) -> bool:
    """Whether the address is one of a public web page: what a model cites becomes a link that people follow."""
    try:
        parts = urlsplit(citation.url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
