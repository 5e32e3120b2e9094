"""Which trace a request belongs to, by W3C Trace Context (https://www.w3.org/TR/trace-context/).

This service records no spans of its own: it takes the client's trace or begins one, names it in every log line, and
passes it on to the services that it asks, so that one search finds a turn in the logs of all of them. Headers are read
and written by OpenTelemetry's propagator.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

MAX_STATE_MEMBERS = 32
MAX_STATE_CHARS = 512
"""What section 3.3.1.5 asks to pass on at least; we pass on no more, where the propagator would take 8,192."""
_LONG_MEMBER_CHARS = 128  # the ones to drop first, says the same section

_propagator = TraceContextTextMapPropagator()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A trace as it is passed on: 32 hexadecimal digits, whether its client records it, and what vendors added."""

    trace_id: str
    is_sampled: bool = False
    state: str = ""

    @classmethod
    def new(cls) -> Trace:
        return cls(trace_id=secrets.token_hex(16))

    @classmethod
    def of_headers(cls, *, parents: Sequence[str], states: Sequence[str]) -> Trace:
        """The trace that the ``traceparent`` and ``tracestate`` headers name; a new one when they name none."""
        if len(parents) != 1:
            return cls.new()
        carrier = {"traceparent": parents, "tracestate": states}
        found = get_current_span(_propagator.extract(carrier, Context())).get_span_context()
        if not found.is_valid:
            return cls.new()
        return cls(
            trace_id=format_trace_id(found.trace_id),
            is_sampled=found.trace_flags.sampled,
            state=_bounded(found.trace_state),
        )

    def headers_of_a_call(self) -> Mapping[str, str]:
        """``traceparent`` with a span of the call's own, and ``tracestate`` where there is one."""
        span = SpanContext(
            trace_id=int(self.trace_id, 16),
            span_id=secrets.randbits(64) or 1,
            is_remote=False,
            trace_flags=TraceFlags(TraceFlags.SAMPLED if self.is_sampled else TraceFlags.DEFAULT),
            trace_state=TraceState.from_header([self.state]) if self.state else None,
        )
        headers: dict[str, str] = {}
        _propagator.inject(headers, set_span_in_context(NonRecordingSpan(span), Context()))
        return headers


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def following(trace: Trace, **ids: str) -> Iterator[None]:
    """Let what happens in the block belong to ``trace``: its log lines, and what it asks of other services.

    ``ids`` are on those lines as well.
    """
    token = _current.set(trace)
    bound = structlog.contextvars.bind_contextvars(trace_id=trace.trace_id, **ids)
    try:
        yield
    finally:
        structlog.contextvars.reset_contextvars(**bound)
        _current.reset(token)


def outgoing_headers() -> Mapping[str, str]:
    """What a call to another service carries: the current trace with a span of this call's own; nothing outside one."""
    trace = _current.get()
    return {} if trace is None else trace.headers_of_a_call()


def _bounded(state: TraceState) -> str:
    """The list in one line of at most :data:`MAX_STATE_CHARS`: long members are dropped first, then the last ones."""
    members = [f"{key}={value}" for key, value in state.items()]
    if len(",".join(members)) > MAX_STATE_CHARS:
        members = [member for member in members if len(member) <= _LONG_MEMBER_CHARS]
    while len(",".join(members)) > MAX_STATE_CHARS:
        members.pop()
    return ",".join(members)
