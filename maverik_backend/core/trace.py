"""Which trace a request belongs to, by W3C Trace Context (https://www.w3.org/TR/trace-context/).

This service records no spans of its own: it takes the client's trace or begins one, names it in every log line, and
passes it on to the services that it asks, so that one search finds a turn in the logs of all of them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog

MAX_STATE_MEMBERS = 32
MAX_STATE_CHARS = 512
"""What section 3.3.1.5 asks to pass on at least; we pass on no more."""
_LONG_MEMBER_CHARS = 128  # the ones to drop first, says the same section
_SAMPLED = 0x01
_VERSION = "00"
_INVALID_VERSION = "ff"

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_KEY = r"(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
_VALUE = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_STATE_MEMBER = re.compile(f"{_KEY}={_VALUE}")


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
        trace = _read_parent(parents[0]) if len(parents) == 1 else None
        if trace is None:
            return cls.new()
        return cls(trace_id=trace.trace_id, is_sampled=trace.is_sampled, state=_read_state(states))


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def following(trace: Trace) -> Iterator[None]:
    """Let whatever happens in the block belong to ``trace``: its log lines, and what it asks of others."""
    token = _current.set(trace)
    try:
        with structlog.contextvars.bound_contextvars(trace_id=trace.trace_id):
            yield
    finally:
        _current.reset(token)


def outgoing_headers() -> Mapping[str, str]:
    """What a call to another service carries: the current trace with a span of this call's own; nothing outside one."""
    trace = _current.get()
    if trace is None:
        return {}
    flags = "01" if trace.is_sampled else "00"
    parent = f"{_VERSION}-{trace.trace_id}-{secrets.token_hex(8)}-{flags}"
    return {"traceparent": parent, **({"tracestate": trace.state} if trace.state else {})}


def _read_parent(header: str) -> Trace | None:
    """Of versions to come, what they share with this one (section 3.2.4)."""
    found = _PARENT.fullmatch(header)
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    is_valid_version = version != _INVALID_VERSION and (version != _VERSION or more is None)
    if not is_valid_version or not int(trace_id, 16) or not int(parent_id, 16):
        return None
    return Trace(trace_id=trace_id, is_sampled=bool(int(flags, 16) & _SAMPLED))


def _read_state(headers: Sequence[str]) -> str:
    """The list in one line and within our bounds; one that breaks the rules is dropped whole (section 3.3.1)."""
    members = [member for part in ",".join(headers).split(",") if (member := part.strip(" \t"))]
    keys = {member.partition("=")[0] for member in members}
    if len(members) > MAX_STATE_MEMBERS or len(keys) < len(members):
        return ""
    if not all(_STATE_MEMBER.fullmatch(member) for member in members):
        return ""
    if len(",".join(members)) > MAX_STATE_CHARS:
        members = [member for member in members if len(member) <= _LONG_MEMBER_CHARS]
    while len(",".join(members)) > MAX_STATE_CHARS:
        members.pop()
    return ",".join(members)
