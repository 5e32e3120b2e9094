"""Anthropic's messages, as documented and as its servers stream them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from maverik_backend.clients.llm.base import Completion, ModelUsage, StopReason, ToolCall
from maverik_backend.errors import (
    UpstreamError,
    UpstreamInputTooLong,
    UpstreamOverloaded,
    UpstreamQuotaExhausted,
    UpstreamRateLimited,
    UpstreamUnknownModel,
    UpstreamWrongKey,
)
from maverik_backend.settings import LlmSettings
from tests.support.providers.server import sse
from tests.support.providers.vendor import KEY, MODEL, STREAMED, Failure, Scene, Vendor, Way, halves

REASONS = {
    StopReason.FINISHED: "end_turn",
    StopReason.TOOL_CALLS: "tool_use",
    StopReason.LENGTH: "max_tokens",
    StopReason.REFUSED: "refusal",
}


def _error(status: int, kind: str, message: str = "No.", **headers: str) -> Failure:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return Failure(status=status, body=body, headers=named)


class Anthropic(Vendor):
    name = "anthropic"
    failures: ClassVar[Mapping[type[UpstreamError], Failure]] = {
        UpstreamWrongKey: _error(401, "authentication_error", f"invalid x-api-key {KEY}"),
        UpstreamUnknownModel: _error(404, "not_found_error", f"model: {MODEL}"),
        UpstreamQuotaExhausted: _error(400, "invalid_request_error", "Your credit balance is too low to access it."),
        UpstreamRateLimited: _error(429, "rate_limit_error", retry_after="90"),
        UpstreamOverloaded: _error(529, "overloaded_error", retry_after="90"),
        UpstreamInputTooLong: _error(
            400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"
        ),
    }

    def settings(self, url: str) -> LlmSettings:
        return LlmSettings.isolated(anthropic_base_url=url, anthropic_api_key=KEY)

    def can_say(self, scene: Scene) -> bool:
        return scene.stop in REASONS

    def frames(self, scene: Scene) -> list[bytes]:
        early = {**_usage(scene.usage), "output_tokens": 1}
        start = {**_message(scene), "content": [], "stop_reason": None, "usage": early}
        events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
        for index, block in enumerate(_blocks(scene)):
            events += _streamed(index, block, scene)
        usage = {"output_tokens": scene.usage.output_tokens, "output_tokens_details": _details(scene.usage)}
        delta = {"stop_reason": REASONS[scene.stop], "stop_sequence": None}
        events += [{"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}]
        return [sse(event, event=event["type"]) for event in events]

    def whole(self, scene: Scene) -> Any:
        return _message(scene)

    def error_frame(self, failure: Failure) -> bytes:
        return sse(failure.body, event="error")

    def unknown_error(self) -> Any:
        return {"type": "error", "error": {"type": "api_error", "message": "Internal server error"}}

    def sdk(self, url: str, *, way: Way) -> Completion:
        import anthropic

        asked: Any = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": "hola"}]}
        with anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0) as client:
            if way == STREAMED:
                with client.messages.stream(**asked) as opened:
                    return _completion(opened.get_final_message())
            return _completion(client.messages.create(**asked))


def _message(scene: Scene) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": _blocks(scene),
        "stop_reason": REASONS[scene.stop],
        "stop_sequence": None,
        "usage": _usage(scene.usage),
    }


def _blocks(scene: Scene) -> list[dict[str, Any]]:
    texts = [{"type": "text", "text": scene.text}] if scene.pieces else []
    calls = [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in scene.calls]
    return [*texts, *calls]


def _streamed(index: int, block: dict[str, Any], scene: Scene) -> list[dict[str, Any]]:
    if block["type"] == "text":
        begun: dict[str, Any] = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in scene.pieces]
    else:
        begun = {**block, "input": {}}
        pieces = ("", *halves(json.dumps(block["input"]))) if block["input"] else ("",)
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return [
        {"type": "content_block_start", "index": index, "content_block": begun},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def _usage(usage: ModelUsage) -> dict[str, Any]:
    """Their input tokens are without those of the cache."""
    return {
        "input_tokens": usage.input_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "output_tokens_details": _details(usage),
        "service_tier": "standard",
    }


def _details(usage: ModelUsage) -> dict[str, int]:
    return {"thinking_tokens": usage.reasoning_tokens}


def _completion(read: Any) -> Completion:
    """The SDK's object in our words."""
    calls = [block for block in read.content if block.type == "tool_use"]
    usage = read.usage
    cached = usage.cache_read_input_tokens or 0
    return Completion(
        text="".join(block.text for block in read.content if block.type == "text"),
        stop_reason=next(ours for ours, theirs in REASONS.items() if theirs == read.stop_reason),
        tool_calls=tuple(ToolCall(id=call.id, name=call.name, arguments=call.input) for call in calls),
        usage=ModelUsage(
            input_tokens=usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0),
            output_tokens=usage.output_tokens,
            cached_tokens=cached,
            reasoning_tokens=usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else 0,
        ),
    )
