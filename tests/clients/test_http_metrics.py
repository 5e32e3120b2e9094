"""What is counted of the calls to another service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from maverik_backend.clients.breaker import MIN_CALLS
from maverik_backend.clients.http import HttpService
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import UpstreamBadAnswer, UpstreamCircuitOpen, UpstreamError, UpstreamRejected
from tests.support.scrape import value
from tests.support.servers import Reply, ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as scripted:
        yield scripted


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def service(server: ScriptedServer, metrics: Metrics) -> Iterator[HttpService]:
    with closing(HttpService("rag", server.url, metrics=metrics)) as service:
        yield service


def ask(service: HttpService) -> object:
    return service.ask("/a", {}, parse=lambda body: body, deadline=Deadline.after(20))


def fail(service: HttpService, error: type[UpstreamError]) -> None:
    with pytest.raises(error):
        ask(service)


def attempts(metrics: Metrics) -> float | None:
    return value(metrics.render().decode(), "maverik_upstream_duration_seconds_count", service="rag")


def failures(metrics: Metrics, kind: str) -> float | None:
    return value(metrics.render().decode(), "maverik_upstream_failures_total", service="rag", kind=kind)


def open_breakers(metrics: Metrics) -> float | None:
    return value(metrics.render().decode(), "maverik_upstream_breaker_open", service="rag")


def test_every_attempt_counts_and_those_that_failed_by_kind(
    server: ScriptedServer, service: HttpService, metrics: Metrics
) -> None:
    server.script(Reply(status=503))

    ask(service)

    assert (attempts(metrics), failures(metrics, "rejected")) == (2, 1)


def test_an_answer_that_is_none_is_a_failure(server: ScriptedServer, service: HttpService, metrics: Metrics) -> None:
    server.script(Reply(body=b"no JSON"))

    fail(service, UpstreamBadAnswer)

    assert (attempts(metrics), failures(metrics, "bad_answer")) == (1, 1)


def test_what_is_sent_once_counts_once(server: ScriptedServer, service: HttpService, metrics: Metrics) -> None:
    server.script(Reply(status=500))

    with pytest.raises(UpstreamRejected):
        service.post("/a", {}, deadline=Deadline.after(20))

    assert (attempts(metrics), failures(metrics, "rejected")) == (1, 1)


def test_while_the_breaker_is_open_there_are_failures_without_attempts(
    server: ScriptedServer, service: HttpService, metrics: Metrics
) -> None:
    assert open_breakers(metrics) == 0
    server.script(*[Reply(status=500)] * MIN_CALLS)
    for _ in range(MIN_CALLS):
        fail(service, UpstreamRejected)

    fail(service, UpstreamCircuitOpen)

    assert (open_breakers(metrics), attempts(metrics), failures(metrics, "circuit_open")) == (1, MIN_CALLS, 1)
