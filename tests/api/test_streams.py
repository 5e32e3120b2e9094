"""Turns as streams, over real sockets and two replicas on one database: what a client sees is what is stored."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests

from maverik_backend.texts import advice as texts
from tests.support.fixtures.replicas import Replica
from tests.support.streams import EVENTS, PATIENCE_S, EventStream, HandedOutAdvisor, text_of

PORTFOLIO_MARK = "**Portafolio sugerido"


@pytest.fixture
def advisor() -> HandedOutAdvisor:
    return HandedOutAdvisor()


class TestStreaming:
    def test_the_deltas_joined_are_the_text_that_is_stored(
        self, here: Replica, advisor: HandedOutAdvisor, session: Any
    ) -> None:
        advisor.say("Conviene ", "empezar ", "por un presupuesto.")
        advisor.end()

        with here.say(session) as stream:
            parts = list(stream.parts())

        (turn,) = here.turns(session)
        assert text_of(parts) == turn["output_markdown"]
        assert turn["output_markdown"].startswith("Conviene empezar por un presupuesto.")
        assert stream.is_done

    def test_pieces_arrive_while_the_advisor_still_writes(
        self, here: Replica, advisor: HandedOutAdvisor, session: Any
    ) -> None:
        advisor.say("Conviene empezar ")

        with here.say(session) as stream:
            assert text_of(stream.until("text-delta")) == "Conviene empezar"
            advisor.say("por un presupuesto. Y ")
            assert text_of(stream.until("text-delta")) == " por un presupuesto. Y"
            advisor.end()
            assert stream.until("finish")

    def test_the_finished_turn_comes_as_the_json_that_a_reply_has(
        self, here: Replica, advisor: HandedOutAdvisor, session: Any
    ) -> None:
        advisor.say("Sí.")
        advisor.end()

        with here.say(session) as stream:
            (turn,) = [part["data"] for part in stream.parts() if part["type"] == "data-turno"]

        assert turn == here.turns(session)[0]

    def test_markup_that_cleaning_takes_out_is_never_sent(
        self, here: Replica, advisor: HandedOutAdvisor, session: Any
    ) -> None:
        advisor.say("Mirá <scr", "ipt>alert(1)</scr", "ipt> y [esto](java", "script:alert(1)).\n\nListo.")
        advisor.end()

        with here.say(session) as stream:
            text = text_of(list(stream.parts()))

        assert text == here.turns(session)[0]["output_markdown"]
        assert text.startswith("Mirá y esto.\n\nListo.")
        assert "alert" not in text

    def test_a_portfolio_comes_as_data(self, here: Replica, advisor: HandedOutAdvisor, session: Any) -> None:
        advisor.say("Sí.")
        advisor.end()

        with here.say(session, "Armame un portafolio") as stream:
            parts = list(stream.parts())

        (portfolio,) = [part["data"] for part in parts if part["type"] == "data-portafolio"]
        assert portfolio == here.turns(session)[0]["portafolio"]

    @pytest.mark.parametrize(
        ("path", "body", "status"), [("{id}", {"input": " "}, 422), ("999999", {"input": "hola"}, 404)]
    )
    def test_a_refusal_is_a_problem_and_no_stream(
        self, here: Replica, session: Any, path: str, body: Any, status: int
    ) -> None:
        refused = here.send("POST", path.format(id=session["id"]), body, **EVENTS)

        assert refused.status_code == status
        assert refused.headers["Content-Type"] == "application/problem+json"

    def test_a_second_turn_meanwhile_is_refused(
        self, here: Replica, there: Replica, advisor: HandedOutAdvisor, session: Any
    ) -> None:
        with here.say(session):
            refused = there.send("POST", str(session["id"]), {"input": "otra"}, **EVENTS)
            advisor.end()

        assert (refused.status_code, refused.json()["error"]) == (409, "turn in progress")

    def test_an_advisor_that_breaks_off_leaves_what_it_said_and_a_sentence(
        self, here: Replica, advisor: HandedOutAdvisor, session: Any
    ) -> None:
        advisor.say("Conviene empezar por un presupuesto. Y ")
        advisor.fail()

        with here.say(session) as stream:
            text = text_of(list(stream.parts()))

        (turn,) = here.turns(session)
        assert (text, turn["estado"]) == (turn["output_markdown"], "respaldo")
        assert text == "Conviene empezar por un presupuesto. Y" + texts.CUT_OFF

    def test_a_block_that_was_left_open_ends_before_the_sentence(
        self, here: Replica, advisor: HandedOutAdvisor, session: Any
    ) -> None:
        advisor.say("Mirá:\n\n```py\nprint(1)\n")
        advisor.fail()

        with here.say(session) as stream:
            text = text_of(list(stream.parts()))

        assert text == "Mirá:\n\n```py\nprint(1)\n```" + texts.CUT_OFF
        assert text == here.turns(session)[0]["output_markdown"]

    def test_a_repeated_request_gets_the_stored_answer_as_a_stream(
        self, here: Replica, there: Replica, advisor: HandedOutAdvisor, session: Any
    ) -> None:
        advisor.say("Sí.")
        advisor.end()
        key = {"Idempotency-Key": "pedido-1"}
        with here.say(session, **key) as stream:
            first = list(stream.parts())

        with there.say(session, **key) as again:
            repeated = list(again.parts())

        assert text_of(repeated) == text_of(first)
        assert again.response.headers["Idempotency-Replayed"] == "true"
        assert len(advisor.questions) == 1

    def test_a_fallback_is_retried_as_a_stream(self, here: Replica, advisor: HandedOutAdvisor, session: Any) -> None:
        advisor.fail()
        with here.say(session) as stream:
            list(stream.parts())
        (turn,) = here.turns(session)
        advisor.say("Ahora sí.")
        advisor.end()

        retried = here.send("POST", f"{session['id']}/turns/{turn['id']}/retry", **EVENTS)
        parts = list(EventStream(retried).parts())

        assert parts[0] == {"type": "start", "messageId": str(turn["id"])}
        assert [turn["estado"] for turn in here.turns(session)] == ["completada"]


class TestLeaving:
    def test_a_client_that_leaves_ends_no_turn(self, here: Replica, advisor: HandedOutAdvisor, session: Any) -> None:
        advisor.say("Conviene empezar ")
        with here.say(session) as stream:
            stream.until("text-delta")
        advisor.say("por un presupuesto.")
        advisor.end()

        turn = here.settled(session)

        assert turn["estado"] == "completada"
        assert turn["output"].startswith("Conviene empezar por un presupuesto.")

    def test_a_running_turn_shows_what_there_is_so_far(
        self, replicas: tuple[Replica, Replica], advisor: HandedOutAdvisor, session: Any
    ) -> None:
        advisor.say("Conviene empezar ")
        with replicas[0].say(session) as stream:
            (started, *_) = stream.until("text-delta")
            path = f"{session['id']}/turns/{started['messageId']}"
            shown = [_wait_for_output(replica, path, "Conviene empezar") for replica in replicas]
            advisor.end()

        assert [turn["estado"] for turn in shown] == ["pendiente", "pendiente"]


def _wait_for_output(replica: Replica, path: str, output: str) -> Any:
    until = time.monotonic() + PATIENCE_S
    while (turn := replica.send("GET", path).json())["output"] != output:
        assert time.monotonic() < until, turn
        threading.Event().wait(0.02)
    return turn


class TestResuming:
    @pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "on another replica"])
    def test_everything_comes_again_from_the_start_and_then_the_rest(
        self, replicas: tuple[Replica, Replica], advisor: HandedOutAdvisor, session: Any, *, elsewhere: bool
    ) -> None:
        here = replicas[0]
        advisor.say("Conviene empezar ")
        with here.say(session) as stream:
            began = stream.until("text-delta")

        with replicas[elsewhere].resume(session) as resumed:
            again = resumed.until("text-delta")
            advisor.say("por un presupuesto.")
            advisor.end()
            rest = list(resumed.parts())

        assert again[0] == began[0]
        assert text_of(again + rest) == here.turns(session)[0]["output_markdown"]
        assert resumed.is_done

    @pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "on another replica"])
    def test_several_readers_read_the_same(
        self, replicas: tuple[Replica, Replica], advisor: HandedOutAdvisor, session: Any, *, elsewhere: bool
    ) -> None:
        with replicas[0].say(session) as stream, replicas[elsewhere].resume(session) as other:
            for word in ("uno ", "dos ", "tres "):
                advisor.say(word)
            advisor.end()
            one, two = list(stream.parts()), list(other.parts())

        assert text_of(one) == text_of(two)

    def test_without_a_running_turn_there_is_nothing(
        self, replicas: tuple[Replica, Replica], advisor: HandedOutAdvisor, session: Any
    ) -> None:
        advisor.say("Sí.")
        advisor.end()
        with replicas[0].say(session) as stream:
            list(stream.parts())

        assert [replica.send("GET", f"{session['id']}/stream").status_code for replica in replicas] == [204, 204]


class TestStopping:
    @pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "on another replica"])
    def test_the_partial_text_is_kept_and_the_advisor_cut_off(
        self, replicas: tuple[Replica, Replica], advisor: HandedOutAdvisor, session: Any, *, elsewhere: bool
    ) -> None:
        advisor.say("Conviene empezar ")
        with replicas[0].say(session) as stream:
            began = stream.until("text-delta")
            stop = f"{session['id']}/turns/{began[0]['messageId']}/stop"
            assert replicas[elsewhere].send("POST", stop).status_code == 200
            rest = list(stream.parts())

        (turn,) = replicas[1].turns(session)
        assert rest[-1]["type"] == "abort"
        assert (turn["estado"], turn["output_markdown"]) == ("detenida", text_of(began + rest))
        assert advisor.cancelled == 1

    def test_a_stopped_turn_with_text_is_part_of_the_history(
        self, here: Replica, advisor: HandedOutAdvisor, session: Any
    ) -> None:
        advisor.say("Conviene empezar ")
        with here.say(session) as stream:
            began = stream.until("text-delta")
            here.send("POST", f"{session['id']}/turns/{began[0]['messageId']}/stop")
            list(stream.parts())
        advisor.say("Sigo.")
        advisor.end()
        with here.say(session, "seguí") as stream:
            list(stream.parts())

        assert advisor.questions[-1].chat_history == (("hola", "Conviene empezar"),)

    def test_an_answered_turn_stays_as_it_is(self, here: Replica, advisor: HandedOutAdvisor, session: Any) -> None:
        advisor.say("Sí.")
        advisor.end()
        with here.say(session) as stream:
            list(stream.parts())
        (turn,) = here.turns(session)

        stopped = here.send("POST", f"{session['id']}/turns/{turn['id']}/stop")

        assert (stopped.status_code, stopped.json()) == (200, turn)

    def test_a_reply_that_is_waited_for_can_be_stopped_too(self, here: Replica, there: Replica, session: Any) -> None:
        replies: list[requests.Response] = []
        waiting = threading.Thread(
            target=lambda: replies.append(here.send("POST", str(session["id"]), {"input": "hola"}))
        )
        waiting.start()
        turn_id = here.running(session)["id"]

        there.send("POST", f"{session['id']}/turns/{turn_id}/stop")
        waiting.join()

        assert (replies[0].status_code, replies[0].json()["estado"]) == (200, "detenida")
        assert replies[0].json()["output"] == texts.UNANSWERED["detenida"]
