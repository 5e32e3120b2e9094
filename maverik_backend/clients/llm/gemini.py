"""Google's Gemini (https://ai.google.dev/api/generate-content).

A stream is a row of whole answers, the last of which has a reason why it ended; there is no other end mark. Calls come
whole. What has a ``thoughtSignature`` must come back with it. A blocked request has no candidates, but
``promptFeedback``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from maverik_backend.clients.llm.base import (
    AssistantMessage,
    Message,
    ModelRequest,
    ModelUsage,
    StopReason,
    ToolCall,
    ToolResult,
    UserMessage,
)
from maverik_backend.clients.llm.building import OWN_ID_PREFIX, CompletionBuilder
from maverik_backend.clients.llm.http_model import HttpModel
from maverik_backend.clients.llm.messages import by_side, sign, signed
from maverik_backend.clients.llm.reader import Reader
from maverik_backend.errors import UpstreamBadAnswer

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext

_STOP_REASONS = {
    "STOP": StopReason.FINISHED,
    "MAX_TOKENS": StopReason.LENGTH,
    "CONTINUATION": StopReason.LENGTH,
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION", "MODEL_ARMOR"),
        StopReason.BLOCKED,
    ),
}
_NO_ANSWER = frozenset({"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE", "OTHER"})


class GeminiModel(HttpModel):
    """Gemini by an API key."""

    provider = "gemini"
    models_path = "/v1beta/models"

    @classmethod
    def from_context(cls, context: ClientContext, reader: Reader) -> Self:
        settings = context.settings.llm
        key = settings.google_ai_api_key
        headers = {"x-goog-api-key": key.get_secret_value() if key else ""}
        return cls(base_url=settings.google_ai_base_url, headers=headers, reader=reader, metrics=context.metrics)

    def path(self, request: ModelRequest, *, is_streamed: bool) -> str:
        method = "streamGenerateContent?alt=sse" if is_streamed else "generateContent"
        return f"/v1beta/models/{quote(request.model, safe='')}:{method}"

    def body(self, request: ModelRequest, *, is_streamed: bool) -> Mapping[str, Any]:  # noqa: ARG002 - the path says it
        body: dict[str, Any] = {"contents": list(_contents(request))}
        if request.instructions:
            body["systemInstruction"] = {"parts": [{"text": request.instructions}]}
        if request.tools:
            functions = [
                {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}
                for tool in request.tools
            ]
            body["tools"] = [{"functionDeclarations": functions}]
        config: dict[str, Any] = {"temperature": request.temperature, "maxOutputTokens": request.max_output_tokens}
        if request.output_schema is not None:
            config |= {"responseMimeType": "application/json", "responseJsonSchema": request.output_schema}
        if given := {name: value for name, value in config.items() if value is not None}:
            body["generationConfig"] = given
        return body

    def read_event(self, event: Any, into: CompletionBuilder) -> bool:  # noqa: ANN401 - decoded JSON
        if "error" in event:
            raise self.failure(event)
        if (event.get("promptFeedback") or {}).get("blockReason"):
            into.stop_reason = StopReason.BLOCKED
        for candidate in (event.get("candidates") or ())[:1]:
            for part in (candidate.get("content") or {}).get("parts") or ():
                _read_part(part, into)
            self._read_reason(candidate.get("finishReason"), into)
        if usage := event.get("usageMetadata"):
            into.usage = _usage(usage)
        return False

    def read_whole(self, answer: Any, into: CompletionBuilder) -> None:  # noqa: ANN401 - decoded JSON
        self.read_event(answer, into)

    def _read_reason(self, reason: str | None, into: CompletionBuilder) -> None:
        if reason in _NO_ANSWER:
            raise UpstreamBadAnswer(self.provider, reason.lower())
        if reason is not None:
            into.stop_reason = _STOP_REASONS.get(reason, StopReason.FINISHED)


def _read_part(part: Mapping[str, Any], into: CompletionBuilder) -> None:
    signature = sign(GeminiModel.provider, part.get("thoughtSignature"))
    if call := part.get("functionCall"):
        key = object()
        into.begin_call(key, name=call["name"], call_id=call.get("id"), signature=signature)
        into.add_arguments(key, json.dumps(call.get("args") or {}))
    elif not part.get("thought"):
        into.add_text(part.get("text"))
        into.signature = signature or into.signature


def _usage(usage: Mapping[str, Any]) -> ModelUsage:
    """Their output tokens are without those of thoughts."""
    reasoning = usage.get("thoughtsTokenCount") or 0
    return ModelUsage(
        input_tokens=(usage.get("promptTokenCount") or 0) + (usage.get("toolUsePromptTokenCount") or 0),
        output_tokens=(usage.get("candidatesTokenCount") or 0) + reasoning,
        cached_tokens=usage.get("cachedContentTokenCount") or 0,
        reasoning_tokens=reasoning,
    )


def _contents(request: ModelRequest) -> Iterator[dict[str, Any]]:
    for is_of_model, messages in by_side(request.messages):
        parts = [part for message in messages for part in _parts(message)]
        yield {"role": "model" if is_of_model else "user", "parts": parts}


def _parts(message: Message) -> Iterator[dict[str, Any]]:
    match message:
        case UserMessage(text=text):
            yield {"text": text}
        case ToolResult(call_id=call_id, name=name, text=text, is_error=is_error):
            response = {"error" if is_error else "result": text}
            yield {"functionResponse": {"name": name, "response": response, **_id(call_id)}}
        case AssistantMessage(text=text, tool_calls=calls, signature=signature):
            if text:
                yield {"text": text, **_signature(signature)}
            yield from map(_call, calls)


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "args": call.arguments or {}, **_id(call.id)}
    return {"functionCall": function, **_signature(call.signature)}


def _id(call_id: str) -> dict[str, str]:
    """Only ids that came from there: not every model knows them."""
    return {} if call_id.startswith(OWN_ID_PREFIX) else {"id": call_id}


def _signature(signature: str | None) -> dict[str, str]:
    value = signed(GeminiModel.provider, signature)
    return {"thoughtSignature": value} if value else {}
