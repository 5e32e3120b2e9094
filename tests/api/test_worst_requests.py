"""The most expensive texts that fit into a request, in every field, parameter and header: refused, and cheaply.

What is counted is processor time of the whole process, so a busy machine changes nothing. `make bench ARGS="--only
worst-requests"` measures the same against a real server, and what others feel meanwhile.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.answers import fields_refused
from tests.support.fixtures.application import MakeApp
from tests.support.fixtures.people import TestUser
from tests.support.worst_requests import (
    BODIES,
    FIELDS,
    OPERATIONS,
    PARAMETERS,
    body_of,
    encoded,
    longest_read,
    longest_taken,
    path_of,
    room_in,
)
from tests.support.worst_texts import WORST_JSON, WORST_TEXTS

MAX_PROCESSOR_S = 0.5  # of a slow machine; here 0.03, and what these cases are about takes many seconds
TRIES = 3  # the collector of a process full of tests may run in one of them
MAX_URL_BYTES = 10_000  # three characters each, twice in some paths, of 65,536 that the server reads
MAX_HEADER_BYTES = 60_000
JSON = {"Content-Type": "application/json"}
# What is not a token is 401, whatever else it is.
ANY_TEXT_IS_READ = {"refresh_token"}
HEADERS = (
    *("Authorization", "X-Request-ID", "Idempotency-Key", "If-None-Match", "traceparent", "tracestate", "Accept"),
    *("X-Forwarded-For", "User-Agent", "Content-Type", "Origin", "Cookie", "Accept-Language"),
)


@pytest.fixture
def app(make_app: MakeApp) -> Any:
    return make_app(rate_limits_enabled=False)


def as_header(text: str) -> bytes:
    """What HTTP lets a client put into a header."""
    return text.encode("utf-8", "replace").replace(b"\x00", b"0").replace(b"\r\n", b"  ")


@pytest.fixture
def send(user: TestUser) -> Any:
    """Sends a request with a login, and demands that it is cheap and no failure of ours."""

    def send(name: str, path: str, **request: Any) -> Any:
        took_s = []
        for _ in range(TRIES):
            began = time.process_time()
            response = user.request(OPERATIONS[name]["method"], path, **request)
            took_s.append(time.process_time() - began)
            assert response.status_code < 500, response.text
            if took_s[-1] < MAX_PROCESSOR_S:
                return response
        raise AssertionError(f"{name} took {min(took_s):.2f} s of processor each time")

    return send


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=str)
class TestEveryField:
    def test_a_worst_case_text_as_long_as_the_body_may_be_is_refused_by_name(
        self, send: Any, name: str, field: str
    ) -> None:
        for make in WORST_TEXTS.values():
            content = body_of(name, field, longest_read(name, make(200_000)))
            response = send(name, path_of(name), content=content, headers=JSON)

            if field in ANY_TEXT_IS_READ:
                assert response.status_code == 401
            else:
                assert set(fields_refused(response)) == {field}

    def test_so_is_a_worst_case_of_json(self, send: Any, name: str, field: str) -> None:
        for make in WORST_JSON.values():
            value = make(room_in(name))
            response = send(name, path_of(name), content=body_of(name, field, value), headers=JSON)

            assert response.status_code in {400, 422}, value[:20]
            assert len(response.content) < 2_000

    def test_a_worst_case_text_of_the_length_that_is_taken_is_cheap(self, send: Any, name: str, field: str) -> None:
        chars = longest_taken(name, field)

        for make in WORST_TEXTS.values():
            send(name, path_of(name), content=body_of(name, field, encoded(make(chars))), headers=JSON)


@pytest.mark.parametrize(("name", "place", "parameter"), PARAMETERS, ids=str)
def test_a_worst_case_in_a_parameter_is_refused(send: Any, name: str, place: str, parameter: str) -> None:
    for make in WORST_TEXTS.values():
        plain = as_header(make(MAX_URL_BYTES))[:MAX_URL_BYTES]
        escaped = "".join(f"%{byte:02x}" for byte in plain)
        body = {"content": body_of(name)} if name in BODIES else {}
        if place == "path":
            assert send(name, path_of(name, escaped), headers=JSON, **body).status_code == 404
        elif place == "query":
            response = send(name, f"{path_of(name)}?{parameter}={escaped}", headers=JSON, **body)
            assert set(fields_refused(response)) == {parameter}
        else:
            response = send(name, path_of(name), headers={**JSON, parameter: plain}, **body)
            assert set(fields_refused(response)) == {parameter}


@pytest.mark.parametrize("header", HEADERS)
def test_a_worst_case_in_any_header_is_cheap(send: Any, header: str) -> None:
    for make in WORST_TEXTS.values():
        for name in ("get_catalogs", "get_me", "create_session"):
            body = {"content": body_of(name)} if name in BODIES else {}
            send(
                name,
                path_of(name),
                headers={**JSON, header: as_header(make(MAX_HEADER_BYTES))[:MAX_HEADER_BYTES]},
                **body,
            )


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "add_document"])  # it takes files
def test_more_than_any_route_reads_is_refused_or_left_unread(api: TestClient, send: Any, name: str) -> None:
    response = send(name, path_of(name), content=encoded("\u0316\u0301" * 63_000), headers=JSON)

    assert response.status_code == 413
    assert api.get("/health/live").status_code == 200
