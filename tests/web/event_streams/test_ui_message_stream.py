from __future__ import annotations

import json
from typing import Any

from maverik_backend.errors import Interrupted
from maverik_backend.models import TurnState
from maverik_backend.services.turns.events import (
    Data,
    Failed,
    Started,
    TextDelta,
    ToolCall,
    ToolResult,
    TurnEvent,
    Usage,
)
from maverik_backend.services.turns.records import Source
from maverik_backend.web.event_streams.ui_message_stream import UiMessageStream
from tests.support.turns import finished

STARTED = Started(turn_id=7, attempt=1)
FINISHED = finished()


def _stream() -> UiMessageStream:
    return UiMessageStream(
        message_id="turno-7",
        describe=lambda ended: {"id": 7, "estado": ended.turn.state},
        explain=lambda failed: f"Falló: {type(failed.error).__name__}",
    )


def _lines(*events: TurnEvent) -> list[str]:
    return [frame.removeprefix("data: ") for frame in _stream().encode(events).decode().split("\n\n") if frame]


def _parts(*events: TurnEvent) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _lines(*events) if line != "[DONE]"]


def _types(*events: TurnEvent) -> list[str]:
    return [part["type"] for part in _parts(*events)]


def test_a_text_is_one_block_between_start_and_finish() -> None:
    parts = _parts(STARTED, TextDelta(text="Hola, "), TextDelta(text="Ana."), FINISHED)

    assert [part["type"] for part in parts] == [
        *("start", "start-step", "text-start", "text-delta", "text-delta", "text-end"),
        *("data-turno", "finish-step", "finish"),
    ]
    assert parts[0]["messageId"] == "turno-7"
    assert "".join(part.get("delta", "") for part in parts) == "Hola, Ana."


def test_only_the_last_event_ends_the_stream() -> None:
    assert "[DONE]" not in _lines(STARTED, TextDelta(text="Hola"))
    assert _lines(FINISHED)[-1] == "[DONE]"


def test_a_frame_is_one_line_whatever_the_text_holds() -> None:
    (part,) = [part for part in _parts(TextDelta(text="a\n\nb\r\u2028c")) if part["type"] == "text-delta"]
    assert part["delta"] == "a\n\nb\r\u2028c"


def test_a_tool_call_ends_the_text_and_its_result_the_step() -> None:
    call = ToolCall(call_id="c1", name="calculadora", arguments={"expresion": "2+2"})

    types = _types(TextDelta(text="a"), call, ToolResult(call_id="c1", result=4), TextDelta(text="b"))

    assert types == [
        *("text-start", "text-delta", "text-end", "tool-input-available", "tool-output-available"),
        *("finish-step", "start-step", "text-start", "text-delta"),
    ]


def test_texts_around_a_tool_call_are_two_blocks() -> None:
    call = ToolCall(call_id="c1", name="calculadora")
    parts = _parts(TextDelta(text="a"), call, ToolResult(call_id="c1"), TextDelta(text="b"))

    assert {part["id"] for part in parts if part["type"] == "text-delta"} == {"text-1", "text-2"}


def test_parallel_calls_stay_in_one_step() -> None:
    calls = [ToolCall(call_id=name, name="calculadora") for name in ("c1", "c2")]
    results = [ToolResult(call_id=name) for name in ("c1", "c2")]

    assert "start-step" not in _types(*calls, *results)


def test_a_tool_that_failed_says_why() -> None:
    assert _parts(ToolResult(call_id="c1", result="división por cero", is_error=True)) == [
        {"type": "tool-output-error", "toolCallId": "c1", "errorText": "división por cero"}
    ]


def test_a_source_with_an_address_is_a_link_and_one_without_a_document() -> None:
    linked, titled = _parts(Source(title="INDEC", url="https://www.indec.gob.ar"), Source(title="Bonos"))

    assert (linked["type"], titled["type"]) == ("source-url", "source-document")
    assert linked["sourceId"] != titled["sourceId"]


def test_a_passage_of_a_document_says_where_it_is() -> None:
    (part,) = _parts(Source(title="Prospecto", document_id=3, page=12, passage_id=40))

    assert part["providerMetadata"] == {"maverik": {"documento_id": 3, "pagina": 12, "pasaje_id": 40}}


def test_data_travels_under_its_name() -> None:
    assert _parts(Data(name="portafolio", value={"activos": []})) == [
        {"type": "data-portafolio", "data": {"activos": []}}
    ]


def test_usage_is_not_shown() -> None:
    assert _parts(Usage(input_tokens=1, output_tokens=1)) == []


def test_a_stopped_turn_ends_with_abort() -> None:
    assert _types(finished(TurnState.STOPPED))[-1] == "abort"


def test_a_fallback_finishes_for_another_reason() -> None:
    assert _parts(finished(TurnState.FALLBACK))[-1] == {"type": "finish", "finishReason": "other"}


def test_a_failure_is_told_in_words_for_people() -> None:
    assert _lines(Failed(error=Interrupted()))[0] == '{"type":"error","errorText":"Falló: Interrupted"}'
