"""OpenAI's chat completions, as documented and as its servers stream them."""

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
    StopReason.FINISHED: "stop",
    StopReason.TOOL_CALLS: "tool_calls",
    StopReason.LENGTH: "length",
    StopReason.BLOCKED: "content_filter",
    StopReason.REFUSED: "stop",
}


def _error(status: int, kind: str, code: str | None, message: str = "No.", **headers: str) -> Failure:
    error = {"message": message, "type": kind, "param": None, "code": code}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Failure(status=status, body={"error": error}, headers=named)


class OpenAI(Vendor):
    name = "openai"
    failures: ClassVar[Mapping[type[UpstreamError], Failure]] = {
        UpstreamWrongKey: _error(401, "invalid_request_error", "invalid_api_key", f"Incorrect API key: {KEY}"),
        UpstreamUnknownModel: _error(404, "invalid_request_error", "model_not_found"),
        UpstreamQuotaExhausted: _error(429, "insufficient_quota", "insufficient_quota"),
        UpstreamRateLimited: _error(429, "tokens", "rate_limit_exceeded", retry_after_ms="90000", retry_after="1"),
        UpstreamOverloaded: _error(503, "server_error", "server_overloaded", retry_after="90"),
        UpstreamInputTooLong: _error(400, "invalid_request_error", "context_length_exceeded"),
    }

    def settings(self, url: str) -> LlmSettings:
        return LlmSettings.isolated(openai_base_url=f"{url}/v1", openai_api_key=KEY)

    def frames(self, scene: Scene) -> list[bytes]:
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "" if scene.pieces else None}]
        said = "refusal" if scene.stop is StopReason.REFUSED else "content"
        deltas += [{said: piece} for piece in scene.pieces]
        deltas += self._calls(scene)
        chunks = [_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
        chunks.append(_chunk([{"index": 0, "delta": {}, "finish_reason": REASONS[scene.stop]}]))
        chunks.append({**_chunk([]), "usage": _usage(scene.usage)})
        return [*map(sse, chunks), sse("[DONE]")]

    def whole(self, scene: Scene) -> Any:
        said = "refusal" if scene.stop is StopReason.REFUSED else "content"
        message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, said: scene.text or None}
        if scene.calls:
            message["tool_calls"] = [_call(call, call.arguments) for call in scene.calls]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": REASONS[scene.stop]}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1763700000,
            "model": MODEL,
            "choices": [choice],
            "usage": _usage(scene.usage),
        }

    def is_only_usage(self, frame: bytes) -> bool:
        return b'"choices": []' in frame

    def error_frame(self, failure: Failure) -> bytes:
        return sse(failure.body)

    def unknown_error(self) -> Any:
        return {"error": {"message": "The server had an error.", "type": "server_error", "code": None}}

    def sdk(self, url: str, *, way: Way) -> Completion:
        import openai

        question: Any = [{"role": "user", "content": "hola"}]
        with openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
            if way == STREAMED:
                with client.chat.completions.stream(
                    model=MODEL, messages=question, stream_options={"include_usage": True}
                ) as opened:
                    snapshots = [opened.current_completion_snapshot for _ in opened]
                    return _completion(snapshots[-1])
            return _completion(client.chat.completions.create(model=MODEL, messages=question))

    def _calls(self, scene: Scene) -> list[dict[str, Any]]:
        """Calls begin one after the other, and their arguments come in turns."""
        begun = [{"index": number, **_call(call, None)} for number, call in enumerate(scene.calls)]
        pieces = [
            {"index": number, "function": {"arguments": piece}}
            for half in (0, 1)
            for number, call in enumerate(scene.calls)
            for piece in [halves(json.dumps(call.arguments))[half]]
        ]
        return [{"tool_calls": [piece]} for piece in begun + pieces]


def _chunk(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1763700000,
        "model": MODEL,
        "system_fingerprint": "fp_1",
        "choices": choices,
        "usage": None,
    }


def _call(call: ToolCall, arguments: Any) -> dict[str, Any]:
    text = "" if arguments is None else json.dumps(arguments)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": text}}


def _usage(usage: ModelUsage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens, "audio_tokens": 0},
    }


def _completion(read: Any) -> Completion:
    """The SDK's object in our words."""
    choice = read.choices[0]
    reason = next(ours for ours, theirs in REASONS.items() if theirs == choice.finish_reason)
    calls = tuple(
        ToolCall(id=call.id, name=call.function.name, arguments=json.loads(call.function.arguments))
        for call in choice.message.tool_calls or ()
    )
    return Completion(
        text=choice.message.content or choice.message.refusal or "",
        stop_reason=StopReason.REFUSED if choice.message.refusal else reason,
        tool_calls=calls,
        usage=ModelUsage(
            input_tokens=read.usage.prompt_tokens,
            output_tokens=read.usage.completion_tokens,
            cached_tokens=read.usage.prompt_tokens_details.cached_tokens,
            reasoning_tokens=read.usage.completion_tokens_details.reasoning_tokens,
        ),
    )
