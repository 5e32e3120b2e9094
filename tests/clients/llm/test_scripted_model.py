"""The scripted provider: the rules of its file, in order, and the sentences about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from maverik_backend.clients.llm.base import (
    AssistantMessage,
    Completion,
    Message,
    ModelRequest,
    StopReason,
    ToolCall,
    ToolResult,
    UserMessage,
)
from maverik_backend.clients.llm.models import ConfiguredModels
from maverik_backend.clients.registry import ClientContext
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import Cancelled, SettingsError, UpstreamRateLimited, UpstreamTimeout
from maverik_backend.settings import LlmSettings, Settings

AMPLE_S = 20.0
HELLO = UserMessage("Hola")
CALL = ToolCall(id="1", name="calculator", arguments={})
RESULT: list[Message] = [
    HELLO,
    AssistantMessage(tool_calls=(CALL,)),
    ToolResult(call_id="1", name="calculator", text="42"),
]


class Script:
    """A model that answers by a file of the test."""

    def __init__(self, folder: Path, rules: str | None) -> None:
        path = folder / "script.toml"
        if rules is not None:
            path.write_text(rules, encoding="utf-8")
        llm = LlmSettings.isolated(scripted_model_file=None if rules is None else path)
        context = ClientContext(settings=Settings(llm=llm), search=lambda _text, *, limit: [][:limit])
        self.models = ConfiguredModels.from_context(context)
        self.pieces: list[str] = []

    def say(self, *messages: Message, model: str = "demo", deadline: Deadline | None = None) -> Completion:
        request = ModelRequest(model=model, messages=messages or [HELLO], instructions="Sé breve.")
        return self.models.by_provider["scripted"].complete(
            request, on_text=self.pieces.append, deadline=deadline or Deadline.after(AMPLE_S)
        )


def test_without_a_file_what_was_said_comes_back_in_words(tmp_path: Path) -> None:
    script = Script(tmp_path, None)

    assert script.say().text == "Me escribiste: Hola"
    assert script.pieces == ["Me ", "escribiste: ", "Hola"]


def test_the_first_rule_that_fits_answers(tmp_path: Path) -> None:
    script = Script(tmp_path, '[[rule]]\nwhen = "PLAZO"\ntext = "a"\n[[rule]]\ntext = "b"\n[[rule]]\ntext = "c"')

    assert [script.say(UserMessage("Un plazo fijo")).text, script.say().text] == ["a", "b"]


def test_a_rule_may_be_used_up(tmp_path: Path) -> None:
    script = Script(tmp_path, '[[rule]]\ntimes = 1\ntext = "a"\n[[rule]]\ntext = "b"')

    assert [script.say().text for _ in range(3)] == ["a", "b", "b"]


def test_a_rule_may_be_of_one_model(tmp_path: Path) -> None:
    script = Script(tmp_path, '[[rule]]\nmodel = "otro"\ntext = "a"\n[[rule]]\ntext = "b"')

    assert [script.say(model="otro").text, script.say().text] == ["a", "b"]


def test_a_call_is_answered_by_the_rule_for_its_result(tmp_path: Path) -> None:
    script = Script(
        tmp_path,
        '[[rule]]\ntool_calls = [{name = "calculator", arguments = {expression = "1 + 1"}}]\n'
        '[[rule]]\nafter_tool = "calculator"\ntext = "Da {result}, {input}; {instructions} {otra}"',
    )
    asked = script.say()

    assert (asked.stop_reason, [call.name for call in asked.tool_calls]) == (StopReason.TOOL_CALLS, ["calculator"])
    assert script.say(*RESULT).text == "Da 42, Hola; Sé breve. {otra}"


def test_what_is_filled_in_is_not_filled_in_again(tmp_path: Path) -> None:
    assert Script(tmp_path, None).say(UserMessage("{instructions}")).text == "Me escribiste: {instructions}"


def test_a_failure_comes_after_the_text(tmp_path: Path) -> None:
    script = Script(tmp_path, '[[rule]]\ntext = "Empiezo y"\nerror = "rate_limited"')

    with pytest.raises(UpstreamRateLimited):
        script.say()
    assert "".join(script.pieces) == "Empiezo y"


def test_a_slow_one_ends_at_the_deadline(tmp_path: Path) -> None:
    script = Script(tmp_path, '[[rule]]\ntext = "Uno dos"\npiece_delay_s = 30')

    with pytest.raises(UpstreamTimeout):
        script.say(deadline=Deadline.after(0.05))


def test_a_slow_one_can_be_cancelled(tmp_path: Path) -> None:
    deadline = Deadline.after(AMPLE_S)
    deadline.cancellation.cancel()

    with pytest.raises(Cancelled):
        Script(tmp_path, '[[rule]]\ntext = "Uno dos"\npiece_delay_s = 30').say(deadline=deadline)


def test_it_is_always_there(tmp_path: Path) -> None:
    Script(tmp_path, None).models.by_provider["scripted"].check(deadline=Deadline.after(AMPLE_S))


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ("[[rule]", "is no TOML"),
        ('[[rule]]\nnada = "a"', r"rule\.0\.nada"),
        ("[[rule]]\ntimes = 0", r"rule\.0\.times"),
        ('[[rule]]\nerror = "nada"', "nada is no error: .*rate_limited"),
    ],
)
def test_a_wrong_file_stops_the_start_with_a_sentence(tmp_path: Path, rules: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Script(tmp_path, rules)


def test_so_does_one_that_is_not_there(tmp_path: Path) -> None:
    settings = Settings(llm=LlmSettings.isolated(scripted_model_file=tmp_path / "none.toml"))

    with pytest.raises(SettingsError, match="cannot be read"):
        ConfiguredModels.from_context(ClientContext(settings=settings, search=lambda _text, *, limit: [][:limit]))
