"""The AI SDK's own chat (npm ``ai``, under Node) against real replicas: what React frontends with it would show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import node
from tests.support.fixtures.replicas import Replica
from tests.support.node import NodeScript
from tests.support.streams import HandedOutAdvisor

VERSIONS = [6, 7]


@pytest.fixture
def advisor() -> HandedOutAdvisor:
    return HandedOutAdvisor()


@pytest.fixture(scope="module")
def script() -> Iterator[NodeScript]:
    node.require()
    with NodeScript("chat_client.mjs") as script:
        yield script


class Chat:
    """One chat of the SDK, in one session."""

    def __init__(self, script: NodeScript, session: Any, *, version: int) -> None:
        self._script = script
        self._session = session
        self._version = version

    def act(self, action: str, replica: Replica, **options: Any) -> Any:
        """What the chat holds once it has ended."""
        return self._script.ask(
            {
                "action": action,
                "version": self._version,
                "api": f"{replica.url}/copilot/sessions",
                "headers": {"Authorization": f"Bearer {replica.user.token}"},
                "chatId": str(self._session["id"]),
                **options,
            }
        )

    def read(self) -> Any:
        """What the chat holds at the end of an action that has told of itself."""
        return self._script.read()


@pytest.fixture(params=VERSIONS, ids=lambda version: f"ai {version}")
def chat(script: NodeScript, session: Any, request: pytest.FixtureRequest) -> Chat:
    return Chat(script, session, version=request.param)


def test_an_answer_is_shown_as_it_is_stored(chat: Chat, here: Replica, advisor: HandedOutAdvisor, session: Any) -> None:
    advisor.say("Conviene ", "empezar por un presupuesto.")
    advisor.end()

    shown = chat.act("send", here, text="hola")

    (answer,), (turn,) = shown["answers"], here.turns(session)
    assert (answer["id"], answer["text"]) == (str(turn["id"]), turn["output_markdown"])
    assert [part["data"] for part in answer["parts"] if part["type"] == "data-turno"] == [turn]
    assert (shown["status"], shown["errors"]) == ("ready", [])


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "on another replica"])
def test_an_answer_is_resumed_after_a_break(
    chat: Chat, replicas: tuple[Replica, Replica], advisor: HandedOutAdvisor, session: Any, *, elsewhere: bool
) -> None:
    advisor.say("Conviene empezar ")
    chat.act("send", replicas[0], text="hola", leaveAfter="Conviene")

    assert chat.act("resume", replicas[elsewhere], tellAfter="Conviene") == {"shown": True}
    advisor.say("por un presupuesto.")
    advisor.end()
    shown = chat.read()

    assert [answer["text"] for answer in shown["answers"]] == [replicas[0].settled(session)["output_markdown"]]
    assert shown["errors"] == []


def test_resuming_where_nothing_runs_shows_nothing(chat: Chat, here: Replica) -> None:
    assert chat.act("resume", here) == {"answers": [], "status": "ready", "errors": []}


def test_a_stopped_answer_keeps_its_text(
    chat: Chat, here: Replica, there: Replica, advisor: HandedOutAdvisor, session: Any
) -> None:
    advisor.say("Conviene empezar ")
    assert chat.act("send", here, text="hola", tellAfter="Conviene") == {"shown": True}

    there.send("POST", f"{session['id']}/turns/{here.running(session)['id']}/stop")
    shown = chat.read()

    assert [answer["text"] for answer in shown["answers"]] == [here.settled(session)["output_markdown"]]
    assert shown["errors"] == []


def test_a_failure_before_the_stream_is_an_error_of_the_chat(chat: Chat, here: Replica) -> None:
    shown = chat.act("send", here, text=" ")

    assert shown["status"] == "error"
    assert shown["answers"] == []
