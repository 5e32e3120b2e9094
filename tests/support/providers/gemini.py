"""Google's Gemini, as documented and as its servers stream it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
from tests.support.providers.vendor import KEY, MODEL, STREAMED, Failure, Scene, Vendor, Way

SIGNATURE = "Zmlybw=="
REASONS = {
    StopReason.FINISHED: "STOP",
    StopReason.TOOL_CALLS: "STOP",
    StopReason.LENGTH: "MAX_TOKENS",
    StopReason.BLOCKED: "SAFETY",
}
TYPE = "type.googleapis.com/google.rpc."


def _error(code: int, status: str, *details: Mapping[str, Any], message: str = "No.") -> Failure:
    return Failure(
        status=code, body={"error": {"code": code, "message": message, "status": status, "details": list(details)}}
    )


def _quota(name: str) -> dict[str, Any]:
    return {"@type": TYPE + "QuotaFailure", "violations": [{"quotaId": name, "quotaValue": "50"}]}


RETRY = {"@type": TYPE + "RetryInfo", "retryDelay": "90s"}


class Gemini(Vendor):
    name = "gemini"
    failures: ClassVar[Mapping[type[UpstreamError], Failure]] = {
        UpstreamWrongKey: _error(
            400,
            "INVALID_ARGUMENT",
            {"@type": TYPE + "ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"},
            message=f"API key not valid: {KEY}",
        ),
        UpstreamUnknownModel: _error(404, "NOT_FOUND"),
        UpstreamQuotaExhausted: _error(429, "RESOURCE_EXHAUSTED", _quota("GenerateRequestsPerDayPerProject"), RETRY),
        UpstreamRateLimited: _error(429, "RESOURCE_EXHAUSTED", _quota("GenerateRequestsPerMinutePerProject"), RETRY),
        UpstreamOverloaded: replace(_error(503, "UNAVAILABLE"), headers={"retry-after": "90"}),
        UpstreamInputTooLong: _error(
            400, "INVALID_ARGUMENT", message="The input token count (2000000) exceeds the maximum number of tokens."
        ),
    }

    def settings(self, url: str) -> LlmSettings:
        return LlmSettings.isolated(google_ai_base_url=url, google_ai_api_key=KEY)

    def can_say(self, scene: Scene) -> bool:
        return scene.stop in REASONS

    def frames(self, scene: Scene) -> list[bytes]:
        if not scene.pieces and scene.stop is StopReason.BLOCKED:
            return [sse(self.whole(scene))]
        candidates: list[dict[str, Any]] = [_candidate([{"text": piece}]) for piece in scene.pieces]
        candidates += [_candidate([part]) for part in _calls(scene)]
        candidates.append({**_candidate([{"text": ""}]), "finishReason": REASONS[scene.stop]})
        early = {"promptTokenCount": scene.usage.input_tokens, "totalTokenCount": scene.usage.input_tokens}
        answers = [{"candidates": [one], "usageMetadata": early, "modelVersion": MODEL} for one in candidates]
        answers[-1]["usageMetadata"] = _usage(scene.usage)
        return [sse(answer) for answer in answers]

    def whole(self, scene: Scene) -> Any:
        if not scene.pieces and scene.stop is StopReason.BLOCKED:
            return {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": _usage(scene.usage)}
        thought = {"text": "Pienso.", "thought": True}
        texts: list[dict[str, Any]] = [thought, {"text": scene.text}] if scene.pieces else []
        candidate = {**_candidate([*texts, *_calls(scene)]), "finishReason": REASONS[scene.stop]}
        return {"candidates": [candidate], "usageMetadata": _usage(scene.usage), "modelVersion": MODEL}

    def error_frame(self, failure: Failure) -> bytes:
        return sse(failure.body)

    def unknown_error(self) -> Any:
        return {"error": {"message": "Internal.", "status": "INTERNAL"}}

    def sdk(self, url: str, *, way: Way) -> Completion:
        from google import genai

        client = genai.Client(api_key=KEY, http_options=genai.types.HttpOptions(base_url=url))
        try:
            if way == STREAMED:
                return _completion(list(client.models.generate_content_stream(model=MODEL, contents="hola")))
            return _completion([client.models.generate_content(model=MODEL, contents="hola")])
        finally:
            client.close()


def _candidate(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"content": {"role": "model", "parts": parts}, "index": 0}


def _calls(scene: Scene) -> list[dict[str, Any]]:
    """Of parallel calls only the first has a signature; older models give calls no ids."""
    parts: list[dict[str, Any]] = [
        {"functionCall": {"name": call.name, "args": call.arguments, "id": call.id}} for call in scene.calls
    ]
    if parts:
        parts[0]["thoughtSignature"] = SIGNATURE
    return parts


def _usage(usage: ModelUsage) -> dict[str, Any]:
    """Their output tokens are without those of thoughts."""
    return {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": usage.output_tokens - usage.reasoning_tokens,
        "thoughtsTokenCount": usage.reasoning_tokens,
        "cachedContentTokenCount": usage.cached_tokens,
        "totalTokenCount": usage.input_tokens + usage.output_tokens,
    }


def _completion(read: list[Any]) -> Completion:
    """The SDK's objects in our words."""
    candidates = [answer.candidates[0] for answer in read if answer.candidates]
    parts = [part for one in candidates for part in (one.content.parts if one.content else None) or ()]
    calls = tuple(
        ToolCall(id=part.function_call.id or "", name=part.function_call.name, arguments=part.function_call.args)
        for part in parts
        if part.function_call
    )
    reason = candidates[-1].finish_reason.value if candidates else "SAFETY"
    stop_reason = next(ours for ours, theirs in REASONS.items() if theirs == reason)
    usage = read[-1].usage_metadata
    return Completion(
        text="".join(part.text for part in parts if part.text and not part.thought),
        stop_reason=StopReason.TOOL_CALLS if calls and stop_reason is StopReason.FINISHED else stop_reason,
        tool_calls=calls,
        usage=ModelUsage(
            input_tokens=usage.prompt_token_count,
            output_tokens=usage.candidates_token_count + usage.thoughts_token_count,
            cached_tokens=usage.cached_content_token_count,
            reasoning_tokens=usage.thoughts_token_count,
        ),
    )
