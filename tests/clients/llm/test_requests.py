"""Each provider's own form of a conversation: tools, calls, their results, and what goes back unchanged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from maverik_backend.clients.llm.base import (
    AssistantMessage,
    Message,
    ModelRequest,
    ToolCall,
    ToolResult,
    ToolSpec,
    UserMessage,
)
from maverik_backend.clients.llm.building import OWN_ID_PREFIX
from tests.support.providers.gemini import SIGNATURE
from tests.support.providers.perplexity import CITED
from tests.support.providers.scenes import CALLS, TEXT
from tests.support.providers.server import ProviderServer, json_answer, sse, stream
from tests.support.providers.vendor import MODEL, STREAMED, WAYS, Vendor, Way
from tests.support.providers.vendors import REQUEST, VENDORS, complete, model_at

PARAMETERS = {"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]}
CALCULATOR = ToolSpec(name="calculator", description="Calcula.", parameters=PARAMETERS)
FIRST, SECOND = (
    ToolCall(id=f"call_{number}", name="calculator", arguments={"expression": f"{number} + ñ"}) for number in (1, 2)
)
CONVERSATION = ModelRequest(
    model=MODEL,
    instructions="Sé breve.",
    messages=[
        UserMessage("¿Cuánto es?"),
        AssistantMessage(text="A ver.", tool_calls=(FIRST, SECOND)),
        ToolResult(call_id="call_1", name="calculator", text="2"),
        ToolResult(call_id="call_2", name="calculator", text="no entiendo", is_error=True),
        AssistantMessage(text="Da 2."),
        UserMessage("Gracias"),
    ],
    tools=[CALCULATOR],
    temperature=0.5,
    max_output_tokens=300,
)
EXPRESSION_1, EXPRESSION_2 = {"expression": "1 + ñ"}, {"expression": "2 + ñ"}


def sent(vendor: Vendor, request: ModelRequest, *, way: Way = STREAMED) -> Any:
    with ProviderServer(vendor.answer(TEXT, way=way)) as server, model_at(vendor, server.url) as model:
        complete(model, request=request, way=way)
        return server.requests[0].json


def _text_of_call(arguments: object) -> str:
    return json.dumps(arguments, ensure_ascii=False)


EXPECTED: dict[str, Any] = {
    "openai": {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "Sé breve."},
            {"role": "user", "content": "¿Cuánto es?"},
            {
                "role": "assistant",
                "content": "A ver.",
                "tool_calls": [
                    {
                        "id": f"call_{number}",
                        "type": "function",
                        "function": {"name": "calculator", "arguments": _text_of_call(arguments)},
                    }
                    for number, arguments in ((1, EXPRESSION_1), (2, EXPRESSION_2))
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "2"},
            {"role": "tool", "tool_call_id": "call_2", "content": "no entiendo"},
            {"role": "assistant", "content": "Da 2."},
            {"role": "user", "content": "Gracias"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "calculator", "description": "Calcula.", "parameters": PARAMETERS},
            }
        ],
        "temperature": 0.5,
        "max_tokens": 300,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    "anthropic": {
        "model": MODEL,
        "max_tokens": 300,
        "system": "Sé breve.",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "¿Cuánto es?"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "A ver."},
                    {"type": "tool_use", "id": "call_1", "name": "calculator", "input": EXPRESSION_1},
                    {"type": "tool_use", "id": "call_2", "name": "calculator", "input": EXPRESSION_2},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "2", "is_error": False},
                    {"type": "tool_result", "tool_use_id": "call_2", "content": "no entiendo", "is_error": True},
                ],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "Da 2."}]},
            {"role": "user", "content": [{"type": "text", "text": "Gracias"}]},
        ],
        "tools": [{"name": "calculator", "description": "Calcula.", "input_schema": PARAMETERS}],
        "temperature": 0.5,
        "stream": True,
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "Sé breve."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "¿Cuánto es?"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "A ver."},
                    {"functionCall": {"name": "calculator", "args": EXPRESSION_1, "id": "call_1"}},
                    {"functionCall": {"name": "calculator", "args": EXPRESSION_2, "id": "call_2"}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "calculator", "response": {"result": "2"}, "id": "call_1"}},
                    {"functionResponse": {"name": "calculator", "response": {"error": "no entiendo"}, "id": "call_2"}},
                ],
            },
            {"role": "model", "parts": [{"text": "Da 2."}]},
            {"role": "user", "parts": [{"text": "Gracias"}]},
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "calculator", "description": "Calcula.", "parametersJsonSchema": PARAMETERS}
                ]
            }
        ],
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 300},
    },
    "perplexity": {
        "preset": MODEL,
        "instructions": "Sé breve.",
        "input": [
            {"type": "message", "role": "user", "content": "¿Cuánto es?"},
            {"type": "message", "role": "assistant", "content": "A ver."},
            *(
                {
                    "type": "function_call",
                    "call_id": f"call_{number}",
                    "name": "calculator",
                    "arguments": _text_of_call(arguments),
                }
                for number, arguments in ((1, EXPRESSION_1), (2, EXPRESSION_2))
            ),
            {"type": "function_call_output", "call_id": "call_1", "name": "calculator", "output": "2"},
            {"type": "function_call_output", "call_id": "call_2", "name": "calculator", "output": "no entiendo"},
            {"type": "message", "role": "assistant", "content": "Da 2."},
            {"type": "message", "role": "user", "content": "Gracias"},
        ],
        "tools": [
            {"type": "function", "name": "calculator", "description": "Calcula.", "parameters": PARAMETERS},
        ],
        "max_output_tokens": 300,
        "stream": True,
    },
}


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS.keys())
def test_a_conversation_with_tools_is_sent_in_its_form(vendor: Vendor) -> None:
    assert sent(vendor, CONVERSATION) == EXPECTED[vendor.name]


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS.keys())
def test_nothing_is_sent_that_was_not_asked_for(vendor: Vendor) -> None:
    asked = set(sent(vendor, replace(REQUEST, instructions="")))

    assert asked.isdisjoint({"tools", "temperature", "system", "instructions", "response_format", "generationConfig"})


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS.keys())
def test_a_signature_of_another_provider_is_left_out(vendor: Vendor) -> None:
    call = replace(FIRST, signature="another:secreta")
    said = AssistantMessage(text="A ver.", tool_calls=(call,), signature="another:secreta")
    result = ToolResult(call_id="call_1", name="calculator", text="2")

    assert "secreta" not in json.dumps(sent(vendor, replace(REQUEST, messages=[UserMessage("¿?"), said, result])))


class TestOpenAI:
    vendor = VENDORS["openai"]

    def test_a_schema_that_it_can_enforce_is_strict(self) -> None:
        inner = {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]}
        schema = {"type": "object", "properties": {"a": {"type": "array", "items": inner}}, "required": ["a"]}
        form = sent(self.vendor, replace(REQUEST, output_schema=schema))["response_format"]["json_schema"]

        assert form["strict"]
        assert not form["schema"]["properties"]["a"]["items"]["additionalProperties"]

    def test_one_with_an_optional_property_is_not(self) -> None:
        schema = {"type": "object", "properties": {"a": {"type": "string"}}}

        assert not sent(self.vendor, replace(REQUEST, output_schema=schema))["response_format"]["json_schema"]["strict"]

    def test_arguments_that_are_no_json_are_told_apart(self) -> None:
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "calculator", "arguments": '{"a"'}}
        choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
        with ProviderServer(stream([sse({"choices": [choice]})])) as server, model_at(self.vendor, server.url) as model:
            (found,) = complete(model).tool_calls

        assert found.arguments is None

    def test_whole_calls_may_all_have_the_index_0(self) -> None:
        """As some compatible servers send them, which say "stop" at the end, and no [DONE]."""
        calls = [
            {"index": 0, "id": f"call_{name}", "function": {"name": name, "arguments": f'{{"of": "{name}"}}'}}
            for name in ("first", "second")
        ]
        frames = [sse({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}) for call in calls]
        frames.append(sse({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        with ProviderServer(stream(frames)) as server, model_at(self.vendor, server.url) as model:
            found = complete(model).tool_calls

        assert [(call.name, call.arguments) for call in found] == [
            ("first", {"of": "first"}),
            ("second", {"of": "second"}),
        ]


class TestAnthropic:
    vendor = VENDORS["anthropic"]
    thinking = ({"type": "thinking", "thinking": "Pienso mucho.", "signature": "Zmlybw=="},)

    def test_thinking_goes_back_with_the_calls_that_followed_it(self) -> None:
        whole = self.vendor.whole(CALLS)
        answer = json_answer({**whole, "content": [*self.thinking, *whole["content"]]})
        with ProviderServer(answer) as server, model_at(self.vendor, server.url) as model:
            completion = complete(model, way="whole")
            complete(
                model, way="whole", request=replace(REQUEST, messages=[UserMessage("¿?"), completion.as_message()])
            )
            again = server.requests[1].json["messages"][1]["content"]

        assert completion.text == CALLS.text
        assert again == [*self.thinking, *whole["content"]]

    def test_thinking_that_is_streamed_is_put_together(self) -> None:
        begin, ping, *rest = self.vendor.frames(CALLS)
        block = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [
            {"type": "thinking_delta", "thinking": "Pienso "},
            {"type": "thinking_delta", "thinking": "mucho."},
            {"type": "signature_delta", "signature": "Zmlybw=="},
        ]
        events = [
            {"type": "content_block_start", "index": 99, "content_block": block},
            *({"type": "content_block_delta", "index": 99, "delta": delta} for delta in deltas),
        ]
        frames = [begin, ping, *map(sse, events), *rest]
        with ProviderServer(stream(frames)) as server, model_at(self.vendor, server.url) as model:
            completion = complete(model)

        assert completion.text == CALLS.text
        assert completion.signature == f"anthropic:{json.dumps(list(self.thinking))}"

    def test_a_temperature_above_its_own_bound_is_the_bound(self) -> None:
        assert sent(self.vendor, replace(REQUEST, temperature=1.7))["temperature"] == 1


class TestGemini:
    vendor = VENDORS["gemini"]

    @pytest.mark.parametrize("way", WAYS)
    def test_a_signature_goes_back_with_its_call(self, way: Way) -> None:
        with ProviderServer(self.vendor.answer(CALLS, way=way)) as server, model_at(self.vendor, server.url) as model:
            completion = complete(model, way=way)
            complete(model, way=way, request=replace(REQUEST, messages=[UserMessage("¿?"), completion.as_message()]))
            parts = server.requests[1].json["contents"][1]["parts"]

        assert [part.get("thoughtSignature") for part in parts] == [None, SIGNATURE, None]

    def test_ids_that_were_given_here_stay_here(self) -> None:
        call = replace(FIRST, id=f"{OWN_ID_PREFIX}1")
        result = ToolResult(call_id=call.id, name="calculator", text="2")
        messages: list[Message] = [UserMessage("¿?"), AssistantMessage(tool_calls=(call,)), result]

        assert OWN_ID_PREFIX not in json.dumps(sent(self.vendor, replace(REQUEST, messages=messages)))

    def test_a_model_cannot_lead_to_another_path(self) -> None:
        with ProviderServer(self.vendor.answer(TEXT, way=STREAMED)) as server:
            with model_at(self.vendor, server.url) as model:
                complete(model, request=replace(REQUEST, model="../files?x#"))
            (request,) = server.requests

        assert request.path == "/v1beta/models/..%2Ffiles%3Fx%23:streamGenerateContent?alt=sse"


class TestPerplexity:
    vendor = VENDORS["perplexity"]

    @pytest.mark.parametrize("way", WAYS)
    def test_pages_that_were_found_are_cited_once(self, way: Way) -> None:
        with ProviderServer(self.vendor.answer(CITED, way=way)) as server, model_at(self.vendor, server.url) as model:
            assert complete(model, way=way).citations == CITED.citations

    def test_a_model_of_another_vendor_is_given_the_search(self) -> None:
        request = sent(self.vendor, replace(REQUEST, model="openai/gpt-5"))

        assert (request["model"], request["tools"]) == ("openai/gpt-5", [{"type": "web_search"}])
        assert "preset" not in request
