"""The tool loop: what the model is sent, what the turn gets, and where the loop ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import Field

from maverik_backend.clients.llm.base import AssistantMessage, Citation, ModelRequest, StopReason, UserMessage
from maverik_backend.clients.llm.base import ToolResult as ModelToolResult
from maverik_backend.clients.rag.base import Question, Situation
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import (
    DatabaseUnavailable,
    UpstreamBadAnswer,
    UpstreamBlocked,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from maverik_backend.services.assistants import Definition, Kind, ModelAssistant
from maverik_backend.services.assistants.model import MAX_CALLS, MAX_STEPS
from maverik_backend.services.assistants.prompts import CHARS_PER_TOKEN, MAX_RESULT_CHARS
from maverik_backend.services.assistants.tools import Arguments, FunctionTool, ToolContext, ToolFailed, ToolOutput
from maverik_backend.services.turns import Data, Ending, Source, StoredEvent, ToolCall, ToolResult, Usage
from maverik_backend.services.turns.events import text_of
from maverik_backend.texts import advice as texts
from tests.support.assistants import request_of
from tests.support.models import NAME, ScriptedModel, calls, says

DEFINITION = Definition(
    slug="ana", name="Ana", kind=Kind.MODEL, instructions="Sos $assistant.", context=("investor_profile",)
)
QUESTION = Question(
    user_profile="Edad: 35 años.",
    chat_history=(("hola", "¡Hola!"), ("¿qué es un bono?", "Un préstamo.")),
    input="¿Y una letra?",
    situation=Situation(),
)


class EchoArguments(Arguments):
    text: str = Field(max_length=10, description="What to repeat.")


@dataclass
class Echo:
    """A tool that repeats what it is given, or does what ``behaviour`` does."""

    behaviour: Callable[[str], ToolOutput] = field(
        default=lambda text: ToolOutput(value={"echo": text}, sources=(Source(title="Eco"),))
    )

    @property
    def tool(self) -> FunctionTool[EchoArguments]:
        def run(arguments: EchoArguments, context: ToolContext) -> ToolOutput:
            assert context.request.turn_id == 1
            return self.behaviour(arguments.text)

        return FunctionTool(name="echo", description="Repeats.", arguments=EchoArguments, function=run)


@dataclass
class Answered:
    ending: Ending
    events: list[StoredEvent]

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def text(self) -> str:
        return text_of(self.events)


def answer(
    model: ScriptedModel, *, question: Question = QUESTION, echo: Echo | None = None, **changes: Any
) -> Answered:
    events: list[StoredEvent] = []
    tool = (echo or Echo()).tool
    assistant = ModelAssistant(DEFINITION.model_copy(update=changes), name=NAME, model=model, tools={tool.name: tool})
    ending = assistant.answer(request_of(question), emit=events.append, deadline=Deadline.after(60))
    return Answered(ending, events)


def raises(error: Exception) -> Callable[[str], ToolOutput]:
    def behaviour(_text: str) -> ToolOutput:
        raise error

    return behaviour


class TestRequest:
    def test_it_holds_the_instructions_with_variables_filled_in(self) -> None:
        model = ScriptedModel()
        answer(model)
        assert model.requests[0].instructions.startswith("Sos Ana.")

    def test_what_is_known_of_the_person_is_marked_as_data(self) -> None:
        model = ScriptedModel()
        answer(model)
        opening, text, closing = model.requests[0].instructions.rsplit("\n", 2)
        assert text == "Edad: 35 años."
        assert opening.splitlines()[-1].startswith("<data-")
        assert closing.startswith("</data-")

    def test_only_the_context_that_the_definition_names_is_told(self) -> None:
        model = ScriptedModel()
        answer(model, context=())
        assert "Edad" not in model.requests[0].instructions

    def test_a_profile_cannot_close_its_marks(self) -> None:
        first, second = ScriptedModel(), ScriptedModel()
        for model in (first, second):
            answer(model)
        marks = [model.requests[0].instructions.splitlines()[-1] for model in (first, second)]
        assert marks[0] != marks[1]

    def test_it_holds_the_conversation_oldest_first_and_the_message_last(self) -> None:
        model = ScriptedModel()
        answer(model)
        assert model.requests[0].messages == (
            UserMessage("hola"),
            AssistantMessage(text="¡Hola!"),
            UserMessage("¿qué es un bono?"),
            AssistantMessage(text="Un préstamo."),
            UserMessage("¿Y una letra?"),
        )

    @pytest.mark.parametrize(
        "history",
        [
            {"max_turns": 1, "max_tokens": 8_000},
            {"max_turns": 20, "max_tokens": len("¿qué es un bono?Un préstamo.") // CHARS_PER_TOKEN + 1},
        ],
        ids=["turns", "tokens"],
    )
    def test_older_turns_beyond_the_bound_are_left_out_whole(self, history: dict[str, int]) -> None:
        model = ScriptedModel()
        definition = Definition.model_validate({**DEFINITION.model_dump(), "history": history})
        answer(model, history=definition.history)
        assert [message.text for message in model.requests[0].messages] == [
            "¿qué es un bono?",
            "Un préstamo.",
            "¿Y una letra?",
        ]

    def test_it_asks_as_the_definition_says(self) -> None:
        model = ScriptedModel()
        answer(model, temperature=0.1, max_output_tokens=500)
        request: ModelRequest = model.requests[0]
        assert (request.model, request.temperature, request.max_output_tokens) == ("test", 0.1, 500)


class TestText:
    def test_it_is_emitted_in_the_pieces_in_which_it_comes(self) -> None:
        answered = answer(ScriptedModel(says("Conviene empezar por un presupuesto.")))
        assert answered.text == "Conviene empezar por un presupuesto."
        assert len(answered.events) > 3

    def test_it_is_cleaned_before_it_is_emitted(self) -> None:
        answered = answer(ScriptedModel(says("Mirá ![x](https://malo.example/p.png) <b>esto</b> ya.")))
        assert "![" not in answered.text
        assert "<b>" not in answered.text

    def test_what_follows_a_tool_begins_a_paragraph(self) -> None:
        model = ScriptedModel(calls("echo", {"text": "a"}, text="Voy a mirar."), says("Listo."))
        assert answer(model).text == "Voy a mirar.\n\nListo."

    def test_what_comes_before_a_tool_is_emitted_whole_before_the_call(self) -> None:
        model = ScriptedModel(calls("echo", {"text": "a"}, text="Voy a mirar."), says("Listo."))
        events = answer(model).events
        called = next(number for number, event in enumerate(events) if isinstance(event, ToolCall))
        assert text_of(events[:called]).rstrip() == "Voy a mirar."

    def test_one_that_was_cut_off_says_so(self) -> None:
        answered = answer(ScriptedModel(says("Primero, un fondo", stop_reason=StopReason.LENGTH)))
        assert answered.text == f"Primero, un fondo\n\n{texts.TOO_LONG}"
        assert answered.ending.failure is None

    def test_a_refusal_is_no_advice_and_keeps_its_own_words(self) -> None:
        answered = answer(ScriptedModel(says("De eso no hablo.", stop_reason=StopReason.REFUSED)))
        assert (answered.text, answered.ending.is_advice) == ("De eso no hablo.", False)

    def test_a_refusal_without_words_gets_ours(self) -> None:
        assert answer(ScriptedModel(says("", stop_reason=StopReason.REFUSED))).text == texts.REFUSED

    def test_a_blocked_answer_is_a_failure(self) -> None:
        with pytest.raises(UpstreamBlocked):
            answer(ScriptedModel(says("", stop_reason=StopReason.BLOCKED)))

    def test_an_answer_with_nothing_left_after_cleaning_is_a_failure(self) -> None:
        with pytest.raises(UpstreamBadAnswer):
            answer(ScriptedModel(says(" \n ")))

    def test_what_came_before_a_failure_is_emitted_whole(self) -> None:
        model = ScriptedModel(UpstreamTimeout("scripted"))
        model.before_failure = "Lo primero es `saldar"
        events: list[StoredEvent] = []
        assistant = ModelAssistant(DEFINITION, name=NAME, model=model, tools={})
        with pytest.raises(UpstreamTimeout):
            assistant.answer(request_of(QUESTION), emit=events.append, deadline=Deadline.after(60))
        assert text_of(events).startswith("Lo primero es")
        assert "saldar" in text_of(events)

    def test_pages_that_a_model_cites_are_sources(self) -> None:
        cited = Citation(title="BCRA", url="https://www.bcra.gob.ar/")
        answered = answer(ScriptedModel(says("La tasa es otra.", citations=(cited,))))
        assert answered.of(Source) == [Source(title="BCRA", url="https://www.bcra.gob.ar/")]


class TestTools:
    def test_a_call_and_its_result_are_events_and_reach_the_model(self) -> None:
        model = ScriptedModel(calls("echo", {"text": "a"}), says("Listo."))
        answered = answer(model)
        assert answered.of(ToolCall) == [ToolCall(call_id="call-1", name="echo", arguments={"text": "a"})]
        assert answered.of(ToolResult) == [ToolResult(call_id="call-1", result={"echo": "a"})]
        result = model.requests[1].messages[-1]
        assert isinstance(result, ModelToolResult)
        assert '{"echo": "a"}' in result.text
        assert not result.is_error

    def test_a_result_is_marked_as_data(self) -> None:
        model = ScriptedModel(calls("echo", {"text": "a"}), says("Listo."))
        answer(model)
        first, *_, last = model.requests[1].messages[-1].text.splitlines()
        assert first.startswith("<data-")
        assert first.endswith('source="echo">')
        assert last.startswith("</data-")

    def test_a_long_result_is_cut_and_the_model_is_told(self) -> None:
        model = ScriptedModel(calls("echo", {"text": "a"}), says("Listo."))
        answer(model, echo=Echo(lambda _text: ToolOutput(value="x" * (MAX_RESULT_CHARS + 1))))
        text = model.requests[1].messages[-1].text
        assert "[cut: 24,001 characters]" in text
        assert len(text) < MAX_RESULT_CHARS + 200

    def test_its_sources_are_named_once_behind_the_text(self) -> None:
        model = ScriptedModel(calls("echo", {"text": "a"}), calls("echo", {"text": "b"}), says("Listo."))
        answered = answer(model)
        assert answered.events[-1] == Source(title="Eco")
        assert answered.of(Source) == [Source(title="Eco")]

    def test_its_data_are_events_of_the_turn(self) -> None:
        data = Data(name="portafolio", value={"activos": []})
        model = ScriptedModel(calls("echo", {"text": "a"}), says("Listo."))
        assert answer(model, echo=Echo(lambda _text: ToolOutput(value="", data=(data,)))).of(Data) == [data]

    @pytest.mark.parametrize(
        ("name", "arguments", "told"),
        [
            ("hack", {}, "There is no tool of this name."),
            ("echo", None, "The arguments are not a JSON object."),
            ("echo", {}, "text: Field required"),
            ("echo", {"text": "a", "x": 1}, "x: Extra inputs are not permitted"),
            ("echo", {"text": "demasiado largo"}, "text: String should have at most 10 characters"),
        ],
    )
    def test_a_wrong_call_is_told_to_the_model_and_the_answer_goes_on(
        self, name: str, arguments: dict[str, Any] | None, told: str
    ) -> None:
        model = ScriptedModel(calls(name, arguments), says("Listo."))
        answered = answer(model)
        assert answered.of(ToolResult) == [ToolResult(call_id="call-1", result=told, is_error=True)]
        assert answered.text == "Listo."

    @pytest.mark.parametrize(
        "error", [ToolFailed("no hay"), UpstreamUnreachable("optimizer"), DatabaseUnavailable("away")], ids=repr
    )
    def test_one_that_fails_is_told_to_the_model_and_not_to_the_person(self, error: Exception) -> None:
        model = ScriptedModel(calls("echo", {"text": "a"}), says("Listo."))
        answered = answer(model, echo=Echo(raises(error)))
        assert answered.of(ToolResult)[0].is_error
        assert answered.text == "Listo."


class TestBounds:
    def test_the_last_but_one_request_is_told_to_answer(self) -> None:
        model = ScriptedModel(*[calls("echo", {"text": "a"})] * (MAX_STEPS - 1), says("Listo."))
        answered = answer(model)
        assert [result.is_error for result in answered.of(ToolResult)] == [False] * (MAX_STEPS - 2) + [True]
        assert answered.text == "Listo."

    def test_a_model_that_never_stops_calling_is_a_failure(self) -> None:
        model = ScriptedModel(*[calls("echo", {"text": "a"})] * (MAX_STEPS + 1))
        with pytest.raises(UpstreamBadAnswer, match="without end"):
            answer(model)
        assert len(model.requests) == MAX_STEPS

    def test_calls_beyond_the_bound_are_not_run(self) -> None:
        one = calls("echo", {"text": "a"})
        many = [one.tool_calls[0]] * (MAX_CALLS + 3)
        model = ScriptedModel(says("", stop_reason=StopReason.TOOL_CALLS, tool_calls=tuple(many)), says("Listo."))
        assert [result.is_error for result in answer(model).of(ToolResult)].count(True) == 3

    def test_the_usage_of_every_request_is_an_event(self) -> None:
        model = ScriptedModel(calls("echo", {"text": "a"}), says("Listo."))
        expected = Usage(
            assistant="ana",
            model="scripted:test",
            input_tokens=100,
            output_tokens=20,
            cached_tokens=60,
            reasoning_tokens=5,
        )
        assert answer(model).of(Usage) == [expected, expected]
