"""What is used of language models, as services hand it around."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens that one request to ``model`` (``provider:model``) took for ``assistant`` (a slug), an event of a turn.

    As the provider counts them, or estimated where it did not. ``cached_tokens`` are part of ``input_tokens``,
    ``reasoning_tokens`` of ``output_tokens``.
    """

    input_tokens: int
    output_tokens: int
    model: str = ""
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    assistant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one request of a turn to ``model`` is expected to take: what is reserved of a limit."""

    model: str
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The sum of what was used of one model for one assistant; the cost is in millionths of a US dollar."""

    assistant: str
    model: str
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_microusd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a principal's turn adds to the ledger, and the reservation that this ends, if there is one."""

    principal_id: int
    lines: tuple[Line, ...]
    reservation_id: int | None = None
