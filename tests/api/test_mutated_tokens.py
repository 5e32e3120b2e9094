"""No change to a token is accepted, and none is an error of the server's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from starlette.testclient import TestClient

from maverik_backend.web.resources import Resources
from tests.support.fixtures.people import TestUser
from tests.support.mutations import Mutation, mutations

# The person, their token and the client are the same for every example, on purpose.
ONE_PERSON = [HealthCheck.function_scoped_fixture]


def send(api: TestClient, token: str) -> Any:
    """The bytes as they are: clients are not bound to what a header may hold."""
    credentials = b"Bearer " + token.encode("utf-8", "surrogatepass")
    return api.get("/user/me", headers=[(b"Authorization", credentials)])


@settings(
    max_examples=300,  # of the tokens by themselves: tests/core/test_tokens.py
    deadline=None,
    suppress_health_check=ONE_PERSON,
)
@given(mutations())
def test_a_mutated_access_token_is_the_same_401(api: TestClient, user: TestUser, mutate: Mutation) -> None:
    token = mutate(user.token)
    assume(token.strip() != user.token)  # blanks around a header's value belong to HTTP

    response = send(api, token)

    assert (response.status_code, response.json()["error"]) == (401, "not authenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@settings(max_examples=150, deadline=None, suppress_health_check=ONE_PERSON)
@given(mutations())
def test_a_mutated_refresh_token_renews_nothing(
    api: TestClient, user: TestUser, resources: Resources, mutate: Mutation
) -> None:
    token = mutate(user.refresh_token)
    assume(token != user.refresh_token)
    resources.throttle._limiter.storage.reset()  # noqa: SLF001 - so many tries are not what is tested

    response = api.post("/user/token/refresh", json={"refresh_token": token})

    assert (response.status_code, response.json()["error"]) == (401, "not authenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("token", ["", " ", "x" * 5_001, "x" * 16_000, "\x00", "\ud800", "v4.local.ñ.x"])
def test_any_text_that_is_no_refresh_token_is_the_same_401(api: TestClient, token: str) -> None:
    # Bytes, for what clients would not encode.
    body = json.dumps({"refresh_token": token}).encode()

    response = api.post("/user/token/refresh", content=body, headers={"Content-Type": "application/json"})

    assert (response.status_code, response.json()["error"]) == (401, "not authenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_that_was_not_changed_is_accepted(api: TestClient, user: TestUser) -> None:
    assert send(api, user.token).status_code == 200
