"""What a model is sent for one turn. Instructions come from files; this fills in variables and marks data off."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from string import Template
from typing import Final

from maverik_backend.clients.llm.base import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from maverik_backend.clients.rag.base import Question
from maverik_backend.services.assistants.context import CONTEXT_SOURCES
from maverik_backend.services.assistants.definition import Definition
from maverik_backend.services.assistants.library import SHIPPED

CHARS_PER_TOKEN: Final = 3
"""Spanish text has 3 to 4.5 characters a token, depending on the model: counted so, a history never overflows."""
MAX_RESULT_CHARS: Final = 24_000
"""Of one tool's result; the rest is left out, and the model is told."""

_VARIABLE = re.compile(r"\$\{?([a-z_]+)\}?")


@dataclass(frozen=True, slots=True)
class Fence:
    """Marks around data of one request, which nothing in that data can close: they hold a random number."""

    number: str = field(default_factory=lambda: secrets.token_hex(6))

    def around(self, text: str, *, source: str) -> str:
        """``text``, marked as data that comes from ``source``."""
        return f"<data-{self.number} source={json.dumps(source, ensure_ascii=False)}>\n{text}\n</data-{self.number}>"


def instructions_for(definition: Definition, question: Question, *, fence: Fence, canary: str) -> str:
    """The assistant's instructions, the rules for every model, and what is known of the principal, marked as data."""
    variables = {"assistant": definition.name, "fence": f"data-{fence.number}", "canary": canary}
    parts = [Template(text).safe_substitute(variables) for text in (definition.instructions, rules())]
    parts += question.instructions
    known = {name: CONTEXT_SOURCES[name](question) for name in definition.context}
    parts += [fence.around(text, source=name) for name, text in known.items() if text]
    return "\n\n".join(part for part in parts if part)


def messages_for(definition: Definition, question: Question) -> list[Message]:
    """The latest turns that fit the definition's bounds, and the new message."""
    history = definition.history
    room = history.max_tokens * CHARS_PER_TOKEN
    kept: list[Message] = []
    for said, answered in reversed(question.chat_history[-history.max_turns :] if history.max_turns else ()):
        room -= len(said) + len(answered)
        if room < 0:
            break
        kept[:0] = [UserMessage(said), AssistantMessage(text=answered)]
    return [*kept, UserMessage(question.input)]


def result_for(call: ToolCall, value: object, *, is_error: bool, fence: Fence) -> ToolResult:
    """A tool's result (JSON) as the model reads it."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > MAX_RESULT_CHARS:
        text = f"{text[:MAX_RESULT_CHARS]} [cut: {len(text):,} characters]"
    return ToolResult(call_id=call.id, name=call.name, text=fence.around(text, source=call.name), is_error=is_error)


@cache
def rules() -> str:
    """What every model is told behind its instructions."""
    return (SHIPPED / "rules.md").read_text(encoding="utf-8").strip()


def unknown_variables(text: str, known: Sequence[str] = ("assistant",)) -> Mapping[str, None]:
    """Variables in instructions that nothing fills in, in order."""
    return dict.fromkeys(name for name in _VARIABLE.findall(text) if name not in known)
