"""What operators count and measure, in Prometheus' text format (https://prometheus.io/docs/instrumenting/).

======================================  ============================  ============================================
Metric                                  Labels                        Several processes
======================================  ============================  ============================================
maverik_http_request_duration_seconds   method, route, status         added up, also of those that ended
maverik_stream_duration_seconds         end                           the same
maverik_websocket_duration_seconds      close                         the same
maverik_websockets                      none                          added up, of those that live
maverik_turns_total                     state, origin                 added up, also of those that ended
maverik_model_tokens_total              provider, model, kind         the same; kinds are apart: none is in another
maverik_model_cost_usd_total            provider, model               the same; by the table of prices
maverik_logins_total                    outcome                       the same
maverik_upstream_duration_seconds       service                       the same; one observation an attempt
maverik_upstream_failures_total         service, kind                 the same
maverik_upstream_breaker_open           service                       how many of them do not let calls through
maverik_database_pool_in_use            none                          added up, of those that live
maverik_database_pool_size              none                          the same
maverik_connections                     none                          the same
maverik_connections_cut_total           reason                        added up, also of those that ended
maverik_dependency_healthy              dependency                    as the latest to be asked found it
maverik_jobs                            kind, state                   the same: there is one table
maverik_jobs_oldest_waiting_seconds     kind                          the same
maverik_job_attempts_total              kind, outcome                 added up, also of those that ended
======================================  ============================  ============================================

Labels have few values, all of them ours: never a path, an address, an id or a personal text.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryDirectory

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from maverik_backend.errors import (
    AddressBusy,
    Overloaded,
    SecondFactorRequired,
    TooManyTries,
    UpstreamError,
    WrongCredentials,
    WrongSecondFactor,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST
# From a catalogue read to a turn that uses all of its 50 s; the frontend gives up after 60.
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 40, 50, 60)
# WebSockets stay open while their clients do.
BUCKETS_OF_WEBSOCKETS_S = (0.1, 1, 10, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)
# What a WebSocket may end with, of what RFC 6455 and its registry define; clients may send any code.
CLOSE_CODES = frozenset({*range(1000, 1004), *range(1005, 1016)})
OTHER_CLOSE_CODE = "other"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "other"
UNMATCHED_ROUTE = "unmatched"
# Where the library, by its own rules, lets the processes of one server share what they counted.
SHARED_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

# Without a series for when each label first occurred: it would double the number of series.
disable_created_metrics()  # type: ignore[no-untyped-call]

_LOGIN_OUTCOMES: dict[type[Exception], str] = {
    WrongCredentials: "wrong_credentials",
    TooManyTries: "too_many_tries",
    AddressBusy: "busy",
    Overloaded: "busy",
    SecondFactorRequired: "second_factor_required",
    WrongSecondFactor: "wrong_second_factor",
}


class Metrics:
    """Everything that one application counts. Safe to use from several threads."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Histogram(
            "maverik_http_request_duration_seconds",
            "Requests answered, by the template of their route.",
            ("method", "route", "status"),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._streams = Histogram(
            "maverik_stream_duration_seconds",
            "Streams of turns, by how they ended: complete, client_left or client_stalled.",
            ("end",),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._websockets = Histogram(
            "maverik_websocket_duration_seconds",
            "WebSockets that were accepted, by the code they were closed with; 1006: without one.",
            ("close",),
            buckets=BUCKETS_OF_WEBSOCKETS_S,
            registry=registry,
        )
        self._open_websockets = _gauge("maverik_websockets", "WebSockets that are open.", registry)
        self._turns = Counter(
            "maverik_turns",
            "Turns answered, by how they ended and who answered.",
            ("state", "origin"),
            registry=registry,
        )
        self._tokens = Counter(
            "maverik_model_tokens",
            "Tokens of language models: input, cached_input, output and reasoning, none of them within another.",
            ("provider", "model", "kind"),
            registry=registry,
        )
        self._cost = Counter(
            "maverik_model_cost_usd",
            "What these tokens cost by the table of prices, in US dollars.",
            ("provider", "model"),
            registry=registry,
        )
        self._logins = Counter("maverik_logins", "Tries to sign in with a key.", ("outcome",), registry=registry)
        self._attempts = Histogram(
            "maverik_upstream_duration_seconds",
            "Attempts to have something of another service, repeated ones too.",
            ("service",),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._failures = Counter(
            "maverik_upstream_failures",
            "Attempts that failed, or were not made as the breaker is open.",
            ("service", "kind"),
            registry=registry,
        )
        self._breakers = Gauge(
            "maverik_upstream_breaker_open",
            "Processes whose breaker lets no calls through, or only probes.",
            ("service",),
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._pool_in_use = _gauge("maverik_database_pool_in_use", "Connections that are working.", registry)
        self._pool_size = _gauge("maverik_database_pool_size", "Connections that there may be.", registry)
        self._connections = _gauge("maverik_connections", "Clients that are connected.", registry)
        self._cut_connections = Counter(
            "maverik_connections_cut",
            "Connections that the server ended, as they took too much or too long, or made room for others.",
            ("reason",),
            registry=registry,
        )
        self._dependencies = Gauge(
            "maverik_dependency_healthy",
            "Whether what the service depends on is healthy, as GET /health tells it.",
            ("dependency",),
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._jobs = Gauge(
            "maverik_jobs",
            "Jobs that wait or run (pendiente) or are dead (fallido); not a number while that is unknown.",
            ("kind", "state"),
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._oldest_jobs = Gauge(
            "maverik_jobs_oldest_waiting_seconds",
            "Age of the oldest job that waits, 0 without any; not a number while that is unknown.",
            ("kind",),
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._job_attempts = Counter(
            "maverik_job_attempts", "Attempts at jobs, by how they ended.", ("kind", "outcome"), registry=registry
        )

    def count_request(self, *, method: str, route: str | None, status: int, duration_s: float) -> None:
        """``route`` is the template of the path; ``None``: there is none such."""
        method = method if method in METHODS else OTHER_METHOD
        self._requests.labels(method, route or UNMATCHED_ROUTE, str(status)).observe(duration_s)

    def count_stream(self, *, end: str, duration_s: float) -> None:
        """``end`` is a :class:`~maverik_backend.web.event_streams.response.StreamEnd`."""
        self._streams.labels(end).observe(duration_s)

    def count_websocket(self, *, close: int, duration_s: float) -> None:
        """``close`` is the code that it ended with (RFC 6455, section 7.4)."""
        label = str(close) if close in CLOSE_CODES else OTHER_CLOSE_CODE
        self._websockets.labels(label).observe(duration_s)

    def count_open_websockets(self, change: int) -> None:
        """``change`` is 1 when one is accepted, -1 when it ended."""
        self._open_websockets.inc(change)

    def count_turn(self, *, state: str, origin: str) -> None:
        self._turns.labels(state, origin).inc()

    def count_tokens(
        self,
        *,
        model: str,
        input_tokens: int,
        cached_tokens: int,
        output_tokens: int,
        reasoning_tokens: int,
        cost_usd: float,
    ) -> None:
        """Count one request to ``model`` (``provider:model``), whose numbers are those of a ``Usage`` event."""
        provider, _, name = model.partition(":")
        kinds = {
            "input": input_tokens - cached_tokens,
            "cached_input": cached_tokens,
            "output": output_tokens - reasoning_tokens,
            "reasoning": reasoning_tokens,
        }
        for kind, tokens in kinds.items():
            self._tokens.labels(provider, name, kind).inc(max(0, tokens))
        self._cost.labels(provider, name).inc(cost_usd)

    @contextmanager
    def login(self) -> Iterator[None]:
        """Count the block as one try to sign in, by how it ends."""
        outcome = "failed"
        try:
            yield
            outcome = "success"
        except tuple(_LOGIN_OUTCOMES) as error:
            outcome = _LOGIN_OUTCOMES[type(error)]
            raise
        finally:
            self._logins.labels(outcome).inc()

    @contextmanager
    def upstream_attempt(self, service: str) -> Iterator[None]:
        """Measure the block as one attempt."""
        with self._attempts.labels(service).time():
            yield

    @contextmanager
    def upstream_failures(self, service: str) -> Iterator[None]:
        """Count the ``UpstreamError`` that the block raises, if it does."""
        try:
            yield
        except UpstreamError as error:
            self._failures.labels(service, error.kind).inc()
            raise

    def set_breaker(self, service: str, *, is_open: bool) -> None:
        self._breakers.labels(service).set(is_open)

    def set_pool_size(self, connections: int) -> None:
        self._pool_size.set(connections)

    def count_connection(self, change: int) -> None:
        """``change`` is 1 when a connection begins to work, -1 when it is done."""
        self._pool_in_use.inc(change)

    def set_connections(self, count: int) -> None:
        """How many clients are connected to this process."""
        self._connections.set(count)

    def count_cut_connections(self, reason: str, count: int) -> None:
        self._cut_connections.labels(reason).inc(count)

    def set_health(self, dependencies: Mapping[str, bool]) -> None:
        for name, is_healthy in dependencies.items():
            self._dependencies.labels(name).set(is_healthy)

    def set_jobs(self, kind: str, *, waiting: float, dead: float, oldest_waiting_s: float) -> None:
        """What waits of ``kind``; ``math.nan`` is what is unknown."""
        self._jobs.labels(kind, "pendiente").set(waiting)
        self._jobs.labels(kind, "fallido").set(dead)
        self._oldest_jobs.labels(kind).set(oldest_waiting_s)

    def count_job(self, *, kind: str, outcome: str) -> None:
        """Count one attempt: ``outcome`` is ``succeeded``, ``retried``, ``died`` or ``lease_lost``."""
        self._job_attempts.labels(kind, outcome).inc()

    def render(self) -> bytes:
        """Everything counted so far, by all processes that share a folder."""
        registry = self._registry
        if SHARED_FOLDER_VARIABLE in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _gauge(name: str, meaning: str, registry: CollectorRegistry) -> Gauge:
    return Gauge(name, meaning, registry=registry, multiprocess_mode="livesum")


@contextmanager
def shared_with_children() -> Iterator[Callable[[int], None]]:
    """Let the processes that are spawned in the block count together.

    Yields a function to call with the process id of each of them that ended: its gauges do not count any longer.
    """
    with TemporaryDirectory(prefix="maverik-metrics-") as folder:
        os.environ[SHARED_FOLDER_VARIABLE] = folder  # the library looks for it nowhere else, and early
        try:
            yield partial(mark_process_dead, path=folder)
        finally:
            del os.environ[SHARED_FOLDER_VARIABLE]
