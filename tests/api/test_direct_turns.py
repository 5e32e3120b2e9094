"""A turn that is read directly and one that the framework reads are the same turn."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from fastapi import routing

from maverik_backend.clients.rag.base import Answer
from maverik_backend.web.event_streams import WantsEvents
from tests.support.fixtures.application import ScriptedAdvisor
from tests.support.fixtures.people import TestUser

DIRECT = {"Content-Type": "application/json"}
# The same to any reader, and not what the direct way takes.
ORDINARY = {"Content-Type": "application/json; charset=utf-8"}
OF_THE_MOMENT = {"x-request-id", "date"}

BODIES = {
    "a text": b'{"input": "hola"}',
    "a text with accents and an emoji": '{"input": "¿Qué hago? 🏠"}'.encode(),
    "escapes": rb'{"input": "\u00bfqu\u00e9?\n"}',
    "null": b'{"input": null}',
    "nothing": b"{}",
    "an unknown field": b'{"input": "hola", "otro": 1}',
    "a field twice": b'{"input": "uno", "input": "dos"}',
    "blanks around": b'  {"input": "  hola "}  ',
    "only blanks": b'{"input": "   "}',
    "too long": b'{"input": "' + b"a" * 9_000 + b'"}',
    "a NUL": rb'{"input": "a\u0000b"}',
    "half a surrogate pair": rb'{"input": "\ud800"}',
    "a number": b'{"input": 1}',
    "a list": b"[]",
    "no JSON": b'{"input": ',
    "not UTF-8": b'{"input": "\xff"}',
    "UTF-16": '{"input": "hola"}'.encode("utf-16"),
    "not a number": b'{"input": "hola", "otro": NaN}',
    "nothing at all": b"",
}
PATHS = ["{id}", "0{id}", "999999999", "0", "-1", "1.0", "9223372036854775808", "x", "%31"]
HEADERS: dict[str, dict[str, str]] = {
    "none": {},
    "an empty key": {"Idempotency-Key": ""},
    "a key with a blank": {"Idempotency-Key": "a b"},
    "an endless key": {"Idempotency-Key": "k" * 256},
    "a token of nobody": {"Authorization": "Bearer v4.local.AAAA"},
    "another scheme": {"Authorization": "Basic YTpi"},
    "a stream": {"Accept": "text/event-stream"},
}


def both(
    user: TestUser, headers: dict[str, str] | None = None, *, path: str = "{id}", content: bytes = BODIES["a text"]
) -> list[Any]:
    """What is answered to the same request, read directly and by the framework, each in a session of its own."""
    return [
        user.request(
            "POST",
            f"/copilot/sessions/{path.format(id=session['id'])}",
            content=content,
            headers={**way, **(headers or {})},
        )
        for way, session in ((DIRECT, user.open_session()), (ORDINARY, user.open_session()))
    ]


def shown(response: Any) -> tuple[Any, ...]:
    """An answer without what differs between any two: ids, times, and texts that name a session."""
    names = sorted(response.headers.keys() - OF_THE_MOMENT)
    if response.headers["Content-Type"].startswith("text/event-stream"):
        return response.status_code, names, [line.partition(",")[0] for line in response.text.splitlines()]
    body = response.json()
    kept = {name: body[name] for name in body if name not in {"id", "sesion_asesoria_id", "fecha_creacion"}}
    return response.status_code, names, kept


@pytest.mark.parametrize("content", BODIES.values(), ids=BODIES.keys())
def test_whatever_the_body(user: TestUser, content: bytes) -> None:
    direct, ordinary = both(user, content=content)

    assert shown(direct) == shown(ordinary)


@pytest.mark.parametrize("path", PATHS)
def test_whatever_the_session(user: TestUser, path: str) -> None:
    direct, ordinary = both(user, path=path)

    assert shown(direct) == shown(ordinary)


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS.keys())
def test_whatever_the_headers(user: TestUser, headers: dict[str, str]) -> None:
    direct, ordinary = both(user, headers)

    assert shown(direct) == shown(ordinary)


@pytest.mark.parametrize("first", [DIRECT, ORDINARY], ids=["direct first", "ordinary first"])
def test_a_key_that_came_one_way_repeats_the_other(user: TestUser, first: dict[str, str]) -> None:
    path = f"/copilot/sessions/{user.open_session()['id']}"
    ways = [first, ORDINARY if first is DIRECT else DIRECT]

    answers = [
        user.request("POST", path, content=BODIES["a text"], headers={**way, "Idempotency-Key": "pedido-1"})
        for way in ways
    ]

    assert answers[0].json() == answers[1].json()
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]


def test_whatever_the_advisor_says(user: TestUser, advisor: ScriptedAdvisor) -> None:
    said = Answer(text="**Sí**\n\n* uno", origin="integrado", sources=("Presupuesto",), is_advice=False)
    advisor.queue.extend([said, said])

    direct, ordinary = both(user)

    assert shown(direct) == shown(ordinary)


class Framework:
    """Counts the turns whose dependencies FastAPI solves: none that is read directly, every other one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.turns = 0
        (marker,) = get_args(WantsEvents)[1:]
        self._of_a_turn = marker.dependency
        self._solve_all: Any = vars(routing)["solve_dependencies"]
        monkeypatch.setattr(routing, "solve_dependencies", self._solve)

    async def _solve(self, *, dependant: Any, **options: Any) -> Any:
        self.turns += self._of_a_turn in {one.call for one in dependant.dependencies}
        return await self._solve_all(dependant=dependant, **options)


@pytest.fixture
def framework(monkeypatch: pytest.MonkeyPatch) -> Framework:
    return Framework(monkeypatch)


class TestWay:
    @pytest.mark.parametrize("name", ["a text", "a text with accents and an emoji", "null", "an unknown field"])
    def test_an_ordinary_turn_is_read_directly(self, user: TestUser, framework: Framework, name: str) -> None:
        path = f"/copilot/sessions/{user.open_session()['id']}"

        answer = user.request("POST", path, content=BODIES[name], headers={**DIRECT, "Idempotency-Key": "pedido-1"})

        assert (answer.status_code, framework.turns) == (200, 0)

    @pytest.mark.parametrize("name", ["only blanks", "too long", "a number", "half a surrogate pair"])
    def test_a_body_that_is_refused_is_the_frameworks(self, user: TestUser, framework: Framework, name: str) -> None:
        path = f"/copilot/sessions/{user.open_session()['id']}"

        answer = user.request("POST", path, content=BODIES[name], headers=DIRECT)

        assert (answer.status_code, framework.turns) == (422, 1)

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            (ORDINARY, 200),
            ({**DIRECT, "Idempotency-Key": "a b"}, 422),
            ({**DIRECT, "Idempotency-Key": "k" * 256}, 422),
        ],
    )
    def test_headers_of_another_form_are_the_frameworks(
        self, user: TestUser, framework: Framework, headers: dict[str, str], status: int
    ) -> None:
        path = f"/copilot/sessions/{user.open_session()['id']}"

        answer = user.request("POST", path, content=BODIES["a text"], headers=headers)

        assert (answer.status_code, framework.turns) == (status, 1)

    @pytest.mark.parametrize("given", ["0", "01", "x", "9223372036854775808"])
    def test_what_is_no_id_is_the_frameworks(self, user: TestUser, framework: Framework, given: str) -> None:
        answer = user.request("POST", f"/copilot/sessions/{given}", content=BODIES["a text"], headers=DIRECT)

        assert (answer.status_code, framework.turns) == (404, 1)
