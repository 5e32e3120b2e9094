"""Perplexity's responses, as documented; its own client and OpenAI's read the same events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from maverik_backend.clients.llm.base import Citation, Completion, ModelUsage, StopReason, ToolCall
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

INCOMPLETE = {StopReason.LENGTH: "max_output_tokens", StopReason.BLOCKED: "content_filter"}


def _error(status: int, kind: str, message: str = "No.", **headers: str) -> Failure:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Failure(status=status, body={"error": {"message": message, "type": kind, "code": status}}, headers=named)


class Perplexity(Vendor):
    name = "perplexity"
    failures: ClassVar[Mapping[type[UpstreamError], Failure]] = {
        UpstreamWrongKey: _error(401, "invalid_api_key", f"Invalid API key {KEY}"),
        UpstreamUnknownModel: _error(404, "model_not_found"),
        UpstreamQuotaExhausted: _error(402, "insufficient_quota"),
        UpstreamRateLimited: _error(429, "rate_limit_exceeded", retry_after="90"),
        UpstreamOverloaded: _error(503, "overloaded_error", retry_after="90"),
        UpstreamInputTooLong: _error(400, "context_length_exceeded"),
    }

    def settings(self, url: str) -> LlmSettings:
        return LlmSettings.isolated(perplexity_base_url=url, perplexity_api_key=KEY)

    def frames(self, scene: Scene) -> list[bytes]:
        begun = {**self.whole(scene), "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
        events: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
        events += [{"type": "response.in_progress", "response": begun}]
        if scene.citations:
            events.append({"type": "response.reasoning.search_results", "results": _results(scene)})
        for index, item in enumerate(_output(scene)):
            events += _streamed(index, item, scene)
        last = "response.incomplete" if scene.stop in INCOMPLETE else "response.completed"
        events.append({"type": last, "response": self.whole(scene)})
        return [sse({**event, "sequence_number": number}, event=event["type"]) for number, event in enumerate(events)]

    def whole(self, scene: Scene) -> Any:
        reason = INCOMPLETE.get(scene.stop)
        return {
            "id": "resp_1",
            "object": "response",
            "created_at": 1763700000,
            "model": MODEL,
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "error": None,
            "output": _output(scene),
            "tools": [],
            "tool_choice": "auto",
            "parallel_tool_calls": True,
            "usage": _usage(scene.usage),
        }

    def error_frame(self, failure: Failure) -> bytes:
        return sse({"type": "response.failed", "sequence_number": 9, **failure.body})

    def unknown_error(self) -> Any:
        return {"type": "response.failed", "error": {"message": "Internal.", "type": "internal_error"}}

    def sdk(self, url: str, *, way: Way) -> Completion:
        import openai

        with openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
            if way == STREAMED:
                events: list[Any] = list(client.responses.create(model=MODEL, input="hola", stream=True))
                text = "".join(event.delta for event in events if "delta" in event.type)
                return _completion(events[-1].response, text)
            read = client.responses.create(model=MODEL, input="hola")
            return _completion(read, read.output_text)


def _output(scene: Scene) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if scene.citations:
        items.append({"type": "search_results", "results": _results(scene)})
    if scene.pieces:
        items.append(
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [_part(scene)]}
        )
    for call in scene.calls:
        arguments = json.dumps(call.arguments)
        item = {"type": "function_call", "id": f"fc_{call.id}", "call_id": call.id, "name": call.name}
        items.append({**item, "arguments": arguments, "status": "completed"})
    return items


def _part(scene: Scene) -> dict[str, Any]:
    if scene.stop is StopReason.REFUSED:
        return {"type": "refusal", "refusal": scene.text}
    return {"type": "output_text", "text": scene.text, "annotations": []}


def _results(scene: Scene) -> list[dict[str, Any]]:
    return [
        {"id": number, "title": page.title, "url": page.url, "snippet": "…", "source": "web"}
        for number, page in enumerate(scene.citations, start=1)
    ]


def _streamed(index: int, item: dict[str, Any], scene: Scene) -> list[dict[str, Any]]:
    started = {**item, "status": "in_progress", **({"content": []} if item["type"] == "message" else {})}
    begun = {"type": "response.output_item.added", "output_index": index, "item": started}
    done = {"type": "response.output_item.done", "output_index": index, "item": item}
    if item["type"] != "message":
        return [begun, done]
    kind = "refusal" if scene.stop is StopReason.REFUSED else "output_text"
    where = {"item_id": "msg_1", "output_index": index, "content_index": 0}
    deltas = [{"type": f"response.{kind}.delta", "delta": piece, **where} for piece in scene.pieces]
    return [begun, *deltas, {"type": f"response.{kind}.done", "text": scene.text, **where}, done]


def _usage(usage: ModelUsage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "input_tokens_details": {"cache_read_input_tokens": usage.cached_tokens, "cache_creation_input_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "cost": {"currency": "USD", "input_cost": 0.001, "output_cost": 0.002, "total_cost": 0.003},
    }


def _completion(read: Any, text: str) -> Completion:
    """The SDK's object in our words."""
    calls = [item for item in read.output if item.type == "function_call"]
    parts = [part for item in read.output if item.type == "message" for part in item.content]
    refusals = [part.refusal for part in parts if part.type == "refusal"]
    reason = read.incomplete_details.reason if read.incomplete_details else None
    stop_reason = next((ours for ours, theirs in INCOMPLETE.items() if theirs == reason), StopReason.FINISHED)
    if calls:
        stop_reason = StopReason.TOOL_CALLS
    cached = read.usage.input_tokens_details.model_extra["cache_read_input_tokens"]
    return Completion(
        text=text or "".join(refusals),
        stop_reason=StopReason.REFUSED if refusals else stop_reason,
        tool_calls=tuple(
            ToolCall(id=call.call_id, name=call.name, arguments=json.loads(call.arguments)) for call in calls
        ),
        usage=ModelUsage(
            input_tokens=read.usage.input_tokens,
            output_tokens=read.usage.output_tokens,
            cached_tokens=cached,
            reasoning_tokens=read.usage.output_tokens_details.reasoning_tokens,
        ),
    )


CITED = Scene(
    pieces=("El dólar ", "subió [1]."),
    citations=(
        Citation(title="Cotización", url="https://example.com/dolar"),
        Citation(title="BCRA", url="https://example.org/bcra"),
    ),
)
