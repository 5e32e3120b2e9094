"""Perplexity's responses: models that search the web first (https://docs.perplexity.ai/api-reference/).

A model is a preset (``fast-search``), which searches by itself, or another vendor's model (``openai/gpt-5``), which is
given the web search. Pages that were found come as results of the search. The events are those of OpenAI's responses,
of which ``response.incomplete`` and refusals are read as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from maverik_backend.clients.llm import schemas
from maverik_backend.clients.llm.base import (
    AssistantMessage,
    Message,
    ModelRequest,
    ModelUsage,
    StopReason,
    ToolCall,
    ToolResult,
    ToolSpec,
    UserMessage,
)
from maverik_backend.clients.llm.building import CompletionBuilder
from maverik_backend.clients.llm.http_model import HttpModel
from maverik_backend.clients.llm.messages import sign, signed
from maverik_backend.clients.llm.reader import Reader

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext

_INCOMPLETE = {"max_output_tokens": StopReason.LENGTH, "content_filter": StopReason.BLOCKED}


class PerplexityModel(HttpModel):
    """Answers with citations."""

    provider = "perplexity"
    models_path = "/v1/models"

    @classmethod
    def from_context(cls, context: ClientContext, reader: Reader) -> Self:
        settings = context.settings.llm
        key = settings.perplexity_api_key
        headers = {"Authorization": f"Bearer {key.get_secret_value() if key else ''}"}
        return cls(base_url=settings.perplexity_base_url, headers=headers, reader=reader, metrics=context.metrics)

    def path(self, request: ModelRequest, *, is_streamed: bool) -> str:  # noqa: ARG002 - the same for all
        return "/v1/responses"

    def body(self, request: ModelRequest, *, is_streamed: bool) -> Mapping[str, Any]:
        """Temperature is not theirs to choose, so it is left out."""
        is_preset = "/" not in request.model
        tools = [*([] if is_preset else [{"type": "web_search"}]), *map(_tool, request.tools)]
        body: dict[str, Any] = {
            "preset" if is_preset else "model": request.model,
            "input": [item for message in request.messages for item in _items(message)],
        }
        if request.instructions:
            body["instructions"] = request.instructions
        if tools:
            body["tools"] = tools
        if request.max_output_tokens is not None:
            body["max_output_tokens"] = request.max_output_tokens
        if request.output_schema is not None:
            schema = {"name": "answer", "schema": schemas.closed(request.output_schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if is_streamed:
            body["stream"] = True
        return body

    def read_event(self, event: Any, into: CompletionBuilder) -> bool:  # noqa: ANN401 - decoded JSON
        match event["type"]:
            case "response.output_text.delta":
                into.add_text(event["delta"])
            case "response.refusal.delta":
                into.add_text(event["delta"])
                into.is_refused = True
            case "response.output_item.done":
                _read_item(event["item"], into)
            case "response.reasoning.search_results":
                _read_results(event["results"], into)
            case "response.completed" | "response.incomplete":
                self._end(event["response"], into)
                return True
            case "response.failed" | "error":
                raise self.failure(event.get("response") or event)
        return False

    def read_whole(self, answer: Any, into: CompletionBuilder) -> None:  # noqa: ANN401 - decoded JSON
        if answer.get("error"):
            raise self.failure(answer)
        for item in answer["output"]:
            _read_item(item, into)
            for part in item.get("content") or () if item["type"] == "message" else ():
                into.add_text(part.get("text") or part.get("refusal"))
                into.is_refused = into.is_refused or part["type"] == "refusal"
        self._end(answer, into)

    def _end(self, response: Mapping[str, Any], into: CompletionBuilder) -> None:
        if response["status"] == "failed":
            raise self.failure(response)
        for item in response.get("output") or ():
            if item["type"] == "search_results":
                _read_item(item, into)
        reason = (response.get("incomplete_details") or {}).get("reason")
        into.stop_reason = _INCOMPLETE.get(reason, StopReason.LENGTH) if reason else StopReason.FINISHED
        into.usage = _usage(response.get("usage") or {})


def _read_item(item: Mapping[str, Any], into: CompletionBuilder) -> None:
    match item["type"]:
        case "function_call":
            key = object()
            signature = sign(PerplexityModel.provider, item.get("thought_signature"))
            into.begin_call(key, name=item["name"], call_id=item["call_id"], signature=signature)
            into.add_arguments(key, item["arguments"])
        case "search_results":
            _read_results(item["results"], into)
        case "message":
            for part in item.get("content") or ():
                for note in part.get("annotations") or ():
                    into.add_citation(note.get("url"), note.get("title"))


def _read_results(results: list[Mapping[str, Any]], into: CompletionBuilder) -> None:
    for result in results:
        into.add_citation(result["url"], result.get("title"))


def _usage(usage: Mapping[str, Any]) -> ModelUsage:
    details = usage.get("input_tokens_details") or {}
    return ModelUsage(
        input_tokens=usage.get("input_tokens") or 0,
        output_tokens=usage.get("output_tokens") or 0,
        cached_tokens=details.get("cache_read_input_tokens") or details.get("cached_tokens") or 0,
        reasoning_tokens=(usage.get("output_tokens_details") or {}).get("reasoning_tokens") or 0,
    )


def _items(message: Message) -> Iterator[dict[str, Any]]:
    match message:
        case UserMessage(text=text):
            yield {"type": "message", "role": "user", "content": text}
        case ToolResult(call_id=call_id, name=name, text=text):
            yield {"type": "function_call_output", "call_id": call_id, "name": name, "output": text}
        case AssistantMessage(text=text, tool_calls=calls):
            if text:
                yield {"type": "message", "role": "assistant", "content": text}
            yield from map(_call, calls)


def _call(call: ToolCall) -> dict[str, Any]:
    item = {"type": "function_call", "call_id": call.id, "name": call.name}
    item["arguments"] = json.dumps(call.arguments or {}, ensure_ascii=False)
    signature = signed(PerplexityModel.provider, call.signature)
    return {**item, "thought_signature": signature} if signature else item


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters}
