"""Answers of models that every provider must be read right in."""

from __future__ import annotations

from maverik_backend.clients.llm.base import ModelUsage, StopReason, ToolCall
from tests.support.providers.vendor import Scene

TEXT = Scene(pieces=("¡Hola! ", "Un *plazo fijo*", " rinde 3 % ", "— más o menos 🤔.\n\n", "data: no"))
CALLS = Scene(
    pieces=("Voy a ", "calcular."),
    calls=(
        ToolCall(id="call_a", name="calculator", arguments={"expression": "1 + 1", "precisión": "ñandú"}),
        ToolCall(id="call_b", name="document_search", arguments={"text": "plazo fijo", "filters": {"limit": 3}}),
    ),
    stop=StopReason.TOOL_CALLS,
)
ONLY_CALLS = Scene(calls=CALLS.calls[:1], stop=StopReason.TOOL_CALLS)
WITHOUT_ARGUMENTS = Scene(calls=(ToolCall(id="call_c", name="today", arguments={}),), stop=StopReason.TOOL_CALLS)
STRUCTURED = Scene(pieces=('{"to', 'tal": 3}'))
DETAILED_USAGE = Scene(
    pieces=("Sí.",),
    usage=ModelUsage(input_tokens=900, output_tokens=70, cached_tokens=512, reasoning_tokens=64),
)
CUT_OFF = Scene(pieces=("La inflación ", "es"), stop=StopReason.LENGTH)
REFUSED = Scene(pieces=("No puedo ", "ayudar con eso."), stop=StopReason.REFUSED)
BLOCKED = Scene(pieces=("Primero ",), stop=StopReason.BLOCKED)
BLOCKED_AT_ONCE = Scene(stop=StopReason.BLOCKED)

SCENES = {
    "text": TEXT,
    "parallel calls": CALLS,
    "only a call": ONLY_CALLS,
    "a call without arguments": WITHOUT_ARGUMENTS,
    "structured": STRUCTURED,
    "usage in detail": DETAILED_USAGE,
    "cut off": CUT_OFF,
    "refused": REFUSED,
    "blocked": BLOCKED,
    "blocked at once": BLOCKED_AT_ONCE,
}
