"""OpenAI's chat completions, and all servers that speak them: Azure, Ollama, vLLM, OpenRouter, by ``OPENAI_BASE_URL``.

https://platform.openai.com/docs/api-reference/chat: usage comes in a last chunk without choices, if at all; calls come
in pieces by ``index``; ``[DONE]`` ends a stream, which some servers leave out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

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
from maverik_backend.clients.llm.reader import Reader

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext

_STOP_REASONS = {
    "stop": StopReason.FINISHED,
    "tool_calls": StopReason.TOOL_CALLS,
    "length": StopReason.LENGTH,
    "content_filter": StopReason.BLOCKED,
}
_OWN_HOSTS = ("api.openai.com", ".openai.azure.com")


class OpenAIModel(HttpModel):
    """Chat completions. A server that wants no key gets none."""

    provider = "openai"
    models_path = "/models"

    @classmethod
    def from_context(cls, context: ClientContext, reader: Reader) -> Self:
        settings = context.settings.llm
        key = settings.openai_api_key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        return cls(base_url=settings.openai_base_url, headers=headers, reader=reader, metrics=context.metrics)

    def path(self, request: ModelRequest, *, is_streamed: bool) -> str:  # noqa: ARG002 - the same for all
        return "/chat/completions"

    def body(self, request: ModelRequest, *, is_streamed: bool) -> Mapping[str, Any]:
        instructions = [{"role": "system", "content": request.instructions}] if request.instructions else []
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [*instructions, *map(_message, request.messages)],
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        if request.temperature is not None:
            body["temperature"] = request.temperature
        if request.max_output_tokens is not None:
            body[self._limit_name] = request.max_output_tokens
        if request.output_schema is not None:
            body["response_format"] = {"type": "json_schema", "json_schema": _format(request.output_schema)}
        if is_streamed:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body

    def read_event(self, event: Any, into: CompletionBuilder) -> bool:  # noqa: ANN401 - decoded JSON
        if event.get("error") or event.get("object") == "error":
            raise self.failure(event)
        for choice in event.get("choices") or ():
            self._read_choice(choice, choice.get("delta") or {}, into)
        if usage := event.get("usage"):
            into.usage = _usage(usage)
        return False

    def read_whole(self, answer: Any, into: CompletionBuilder) -> None:  # noqa: ANN401 - decoded JSON
        if answer.get("error") or answer.get("object") == "error":
            raise self.failure(answer)
        for choice in answer["choices"]:
            self._read_choice(choice, choice["message"], into)
        into.usage = _usage(answer.get("usage") or {})

    @property
    def _limit_name(self) -> str:
        """OpenAI's reasoning models know only the new name, many compatible servers only the old one."""
        host = urlsplit(self._base_url).hostname or ""
        return "max_completion_tokens" if host.endswith(_OWN_HOSTS) else "max_tokens"

    def _read_choice(self, choice: Mapping[str, Any], message: Mapping[str, Any], into: CompletionBuilder) -> None:
        into.add_text(message.get("content"))
        if refusal := message.get("refusal"):
            into.add_text(refusal)
            into.is_refused = True
        if calls := message.get("tool_calls"):
            for number, call in enumerate(calls):
                _read_call(call, call.get("index", number), into)
        if reason := choice.get("finish_reason"):
            into.stop_reason = _STOP_REASONS.get(reason, StopReason.FINISHED)


def _read_call(call: Mapping[str, Any], index: int, into: CompletionBuilder) -> None:
    """A whole call or a piece of one; some servers give every whole call the index 0, with an id of its own."""
    function, call_id = call.get("function") or {}, call.get("id")
    known = into.id_of_call(index)
    if known is None or (call_id and call_id != known and function.get("name")):
        into.begin_call(index, name=function.get("name") or "", call_id=call_id)
    into.add_arguments(index, function.get("arguments"))


def _message(message: Message) -> dict[str, Any]:
    match message:
        case UserMessage(text=text):
            return {"role": "user", "content": text}
        case ToolResult(call_id=call_id, text=text):
            return {"role": "tool", "tool_call_id": call_id, "content": text}
        case AssistantMessage(text=text, tool_calls=()):
            return {"role": "assistant", "content": text}
        case AssistantMessage(text=text, tool_calls=calls):
            return {"role": "assistant", "content": text or None, "tool_calls": [_call(call) for call in calls]}


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(call.arguments or {}, ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _format(schema: Mapping[str, Any]) -> dict[str, Any]:
    closed = schemas.closed(schema)
    return {"name": "answer", "schema": closed, "strict": schemas.is_strict(closed)}


def _usage(usage: Mapping[str, Any]) -> ModelUsage:
    return ModelUsage(
        input_tokens=usage.get("prompt_tokens") or 0,
        output_tokens=usage.get("completion_tokens") or 0,
        cached_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
        reasoning_tokens=(usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0,
    )
