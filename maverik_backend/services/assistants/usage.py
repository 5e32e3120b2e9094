"""How many tokens requests to models take: as the provider counts them, estimated where it does not."""

from __future__ import annotations

import json
from typing import Final

from maverik_backend.clients.llm.base import (
    AssistantMessage,
    Completion,
    Message,
    ModelName,
    ModelRequest,
    ModelUsage,
    OnText,
)
from maverik_backend.errors import MaverikError, UpstreamCircuitOpen, UpstreamRejected, UpstreamUnreachable
from maverik_backend.services.assistants.definition import Definition
from maverik_backend.services.assistants.prompts import CHARS_PER_TOKEN
from maverik_backend.services.usage import Demand, Usage

OTHER_INPUT_TOKENS: Final = 3_000
"""Of a request, besides instructions and history: rules, context, tools and the message."""
USUAL_OUTPUT_TOKENS: Final = 2_000
"""Of a request whose definition has no ``max_output_tokens``."""
_UNPAID: Final = (UpstreamCircuitOpen, UpstreamRejected, UpstreamUnreachable)
"""After these, unless text came, the provider has not begun to answer."""


def expected(definition: Definition, name: ModelName) -> Demand:
    """What one request to the model of ``definition`` may take."""
    instructions = len(definition.instructions) // CHARS_PER_TOKEN
    return Demand(
        model=str(name),
        input_tokens=definition.history.max_tokens + instructions + OTHER_INPUT_TOKENS,
        output_tokens=definition.max_output_tokens or USUAL_OUTPUT_TOKENS,
    )


def event_of(used: ModelUsage, name: ModelName, *, assistant: str = "") -> Usage:
    """``used`` of the model ``name`` as an event."""
    return Usage(
        assistant=assistant,
        model=str(name),
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cached_tokens=used.cached_tokens,
        reasoning_tokens=used.reasoning_tokens,
    )


class Meter:
    """Measures one request: passes its pieces on to ``on_text`` and counts their characters."""

    def __init__(self, request: ModelRequest, *, on_text: OnText | None = None) -> None:
        self._request = request
        self._on_text = on_text
        self._chars = 0

    def add(self, piece: str) -> None:
        """Count and pass on the next piece."""
        self._chars += len(piece)
        if self._on_text is not None:
            self._on_text(piece)

    def of(self, completion: Completion) -> ModelUsage:
        """What a completion took; estimated when its provider tells nothing."""
        used = completion.usage
        return used if used.input_tokens or used.output_tokens else self._estimate(len(completion.text))

    def of_failure(self, error: MaverikError) -> ModelUsage | None:
        """What a request took that ended with ``error``; ``None`` when its provider never began to answer."""
        return None if isinstance(error, _UNPAID) and not self._chars else self._estimate(self._chars)

    def _estimate(self, output_chars: int) -> ModelUsage:
        request = self._request
        tools = (json.dumps([tool.name, tool.description, tool.parameters]) for tool in request.tools)
        chars = len(request.instructions) + sum(map(len, tools)) + sum(map(_chars_of, request.messages))
        return ModelUsage(input_tokens=-(-chars // CHARS_PER_TOKEN), output_tokens=-(-output_chars // CHARS_PER_TOKEN))


def _chars_of(message: Message) -> int:
    calls = message.tool_calls if isinstance(message, AssistantMessage) else ()
    return len(message.text) + sum(len(json.dumps(call.arguments)) for call in calls)
