"""Anthropic's messages (https://docs.anthropic.com/en/api/messages).

Content comes in blocks by ``index``; usage is cumulative; an error may follow a 200 as an event. Blocks of thinking,
where a model has them, go back unchanged with the calls that followed them.
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
    ToolResult,
    UserMessage,
)
from maverik_backend.clients.llm.building import CompletionBuilder
from maverik_backend.clients.llm.http_model import HttpModel
from maverik_backend.clients.llm.messages import by_side, sign, signed
from maverik_backend.clients.llm.reader import Reader

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext

API_VERSION = "2023-06-01"
DEFAULT_MAX_TOKENS = 8192
"""The API has no default of its own."""
MAX_TEMPERATURE = 1.0
_STOP_REASONS = {
    "end_turn": StopReason.FINISHED,
    "stop_sequence": StopReason.FINISHED,
    "tool_use": StopReason.TOOL_CALLS,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "pause_turn": StopReason.LENGTH,  # of tools on their side, which are never asked for
    "refusal": StopReason.REFUSED,
}
_THINKING = frozenset({"thinking", "redacted_thinking"})
_BLOCKS, _USAGE = "blocks", "usage"


class AnthropicModel(HttpModel):
    """Claude."""

    provider = "anthropic"
    models_path = "/v1/models"

    @classmethod
    def from_context(cls, context: ClientContext, reader: Reader) -> Self:
        settings = context.settings.llm
        key = settings.anthropic_api_key
        headers = {"x-api-key": key.get_secret_value() if key else "", "anthropic-version": API_VERSION}
        return cls(base_url=settings.anthropic_base_url, headers=headers, reader=reader, metrics=context.metrics)

    def path(self, request: ModelRequest, *, is_streamed: bool) -> str:  # noqa: ARG002 - the same for all
        return "/v1/messages"

    def body(self, request: ModelRequest, *, is_streamed: bool) -> Mapping[str, Any]:
        body: dict[str, Any] = {
            "model": request.model,
            "max_tokens": request.max_output_tokens or DEFAULT_MAX_TOKENS,
            "messages": list(_messages(request)),
        }
        if request.instructions:
            body["system"] = request.instructions
        if request.tools:
            body["tools"] = [
                {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
                for tool in request.tools
            ]
        if request.temperature is not None:
            body["temperature"] = min(request.temperature, MAX_TEMPERATURE)
        if request.output_schema is not None:
            schema = schemas.closed(request.output_schema)
            body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        if is_streamed:
            body["stream"] = True
        return body

    def read_event(self, event: Any, into: CompletionBuilder) -> bool:  # noqa: ANN401 - decoded JSON
        match event["type"]:
            case "content_block_delta":
                _read_delta(event["index"], event["delta"], into)
            case "content_block_start":
                _begin_block(event["index"], event["content_block"], into)
            case "message_start":
                _read_usage(event["message"]["usage"], into)
            case "message_delta":
                _read_usage(event.get("usage") or {}, into)
                _end(event["delta"].get("stop_reason"), into)
            case "error":
                raise self.failure(event)
            case "message_stop":
                return True
        return False

    def read_whole(self, answer: Any, into: CompletionBuilder) -> None:  # noqa: ANN401 - decoded JSON
        if answer["type"] == "error":
            raise self.failure(answer)
        for index, block in enumerate(answer["content"]):
            _begin_block(index, block, into)
            if block["type"] == "tool_use":
                into.add_arguments(index, json.dumps(block["input"]))
        _read_usage(answer["usage"], into)
        _end(answer["stop_reason"], into)


def _begin_block(index: int, block: Mapping[str, Any], into: CompletionBuilder) -> None:
    match block["type"]:
        case "text":
            into.add_text(block["text"])
        case "tool_use":
            into.begin_call(index, name=block["name"], call_id=block["id"])
        case kind if kind in _THINKING:
            into.notes.setdefault(_BLOCKS, {})[index] = dict(block)


def _read_delta(index: int, delta: Mapping[str, Any], into: CompletionBuilder) -> None:
    match delta["type"]:
        case "text_delta":
            into.add_text(delta["text"])
        case "input_json_delta":
            into.add_arguments(index, delta["partial_json"])
        case "thinking_delta":
            into.notes[_BLOCKS][index]["thinking"] += delta["thinking"]
        case "signature_delta":
            into.notes[_BLOCKS][index]["signature"] = delta["signature"]


def _end(stop_reason: str | None, into: CompletionBuilder) -> None:
    if stop_reason is not None:
        into.stop_reason = _STOP_REASONS.get(stop_reason, StopReason.FINISHED)
        if blocks := into.notes.get(_BLOCKS):
            into.signature = sign(AnthropicModel.provider, json.dumps(list(blocks.values())))


def _read_usage(usage: Mapping[str, Any], into: CompletionBuilder) -> None:
    """Cumulative, and not every field comes each time."""
    known = into.notes.setdefault(_USAGE, {})
    known.update({name: value for name, value in usage.items() if value is not None})
    cached = known.get("cache_read_input_tokens", 0)
    into.usage = ModelUsage(
        input_tokens=known.get("input_tokens", 0) + cached + known.get("cache_creation_input_tokens", 0),
        output_tokens=known.get("output_tokens", 0),
        cached_tokens=cached,
        reasoning_tokens=known.get("output_tokens_details", {}).get("thinking_tokens", 0),
    )


def _messages(request: ModelRequest) -> Iterator[dict[str, Any]]:
    for is_of_model, messages in by_side(request.messages):
        blocks = [block for message in messages for block in _blocks(message)]
        yield {"role": "assistant" if is_of_model else "user", "content": blocks}


def _blocks(message: Message) -> Iterator[dict[str, Any]]:
    match message:
        case UserMessage(text=text):
            yield {"type": "text", "text": text}
        case ToolResult(call_id=call_id, text=text, is_error=is_error):
            yield {"type": "tool_result", "tool_use_id": call_id, "content": text, "is_error": is_error}
        case AssistantMessage(text=text, tool_calls=calls, signature=signature):
            if calls:  # without a call that waits, thinking is not wanted back
                yield from json.loads(signed(AnthropicModel.provider, signature) or "[]")
            if text:
                yield {"type": "text", "text": text}
            for call in calls:
                yield {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments or {}}
