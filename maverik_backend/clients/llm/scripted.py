"""A model that says what a file tells it to, for tests and demonstrations; there is none in production.

``SCRIPTED_MODEL_FILE`` is TOML. The first rule that fits a request answers it; without a file, or when none fits, the
participant's text comes back (:data:`DEFAULT_TEXT`)::

    [[rule]]
    when = "plazo fijo"          # fits when the last message holds it, whatever the case; left out: always
    after_tool = "calculator"    # fits when the last message is a result of this tool; left out: when it is no result
    model = "careful"            # fits requests to scripted:careful
    times = 1                    # how often it answers in this process; left out: always
    text = "Da {result}."        # {input}, {result}, {instructions}: the participant's last text, the last result
    tool_calls = [{ name = "calculator", arguments = { expression = "1 + 1" } }]
    stop_reason = "finished"     # or length, refused, blocked
    error = "rate_limited"       # instead of an answer: the kind of failure, after the text if there is one
    piece_delay_s = 0.05         # between two words

Safe to use from several threads.
"""

from __future__ import annotations

import re
import threading
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maverik_backend.clients.llm.base import (
    Completion,
    ModelRequest,
    ModelUsage,
    OnText,
    StopReason,
    ToolCall,
    ToolResult,
    UserMessage,
)
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import (
    Cancelled,
    SettingsError,
    UpstreamBadAnswer,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInputTooLong,
    UpstreamOverloaded,
    UpstreamQuotaExhausted,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamStreamFailed,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnknownModel,
    UpstreamUnreachable,
    UpstreamWrongKey,
)

if TYPE_CHECKING:
    from maverik_backend.clients.llm.reader import Reader
    from maverik_backend.clients.registry import ClientContext

DEFAULT_TEXT = "Me escribiste: {input}"
PROVIDER = "scripted"
_WORDS = re.compile(r"\S*\s*")
_PLACEHOLDER = re.compile(r"\{(input|result|instructions)\}")
_REFUSALS: tuple[tuple[type[UpstreamRejected], int], ...] = (
    (UpstreamWrongKey, 401),
    (UpstreamUnknownModel, 404),
    (UpstreamQuotaExhausted, 429),
    (UpstreamRateLimited, 429),
    (UpstreamOverloaded, 529),
    (UpstreamInputTooLong, 400),
)
_FAILURES = (
    UpstreamUnreachable,
    UpstreamTimeout,
    UpstreamBadAnswer,
    UpstreamIncomplete,
    UpstreamTooLarge,
    UpstreamStreamFailed,
)
_ERRORS: Mapping[str, Callable[[], UpstreamError]] = {
    **{kind.kind: partial(kind, PROVIDER, status) for kind, status in _REFUSALS},
    **{kind.kind: partial(kind, PROVIDER) for kind in _FAILURES},
}


class _ScriptedCall(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class Rule(BaseModel):
    """One rule of the file, as the module's docstring explains."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: str | None = None
    after_tool: str | None = None
    model: str | None = None
    times: int | None = Field(default=None, ge=1)
    text: str = ""
    tool_calls: tuple[_ScriptedCall, ...] = ()
    stop_reason: StopReason = StopReason.FINISHED
    error: str | None = None
    piece_delay_s: float = Field(default=0.0, ge=0, le=60)

    def fits(self, request: ModelRequest) -> bool:
        """Whether it is for ``request``."""
        last = request.messages[-1] if request.messages else UserMessage("")
        tool = last.name if isinstance(last, ToolResult) else None
        return (
            self.model in {None, request.model}
            and self.after_tool == tool
            and (self.when is None or self.when.casefold() in last.text.casefold())
        )


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rule: tuple[Rule, ...] = ()


class ScriptedModel:
    """A model without a provider."""

    provider: ClassVar[str] = PROVIDER

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self._rules = rules
        self._lock = threading.Lock()
        self._used = [0] * len(rules)

    @classmethod
    def from_context(cls, context: ClientContext, reader: Reader | None) -> Self:  # noqa: ARG003 - it reads nothing
        """The model of the file that the settings name.

        Raises:
            SettingsError: when it cannot be read, or holds what no rule has.
        """
        path = context.settings.llm.scripted_model_file
        return cls(_read(path) if path else ())

    def complete(self, request: ModelRequest, *, on_text: OnText | None = None, deadline: Deadline) -> Completion:
        """As :meth:`~maverik_backend.clients.llm.base.Model.complete` says."""
        rule = self._take(request)
        text = _PLACEHOLDER.sub(partial(_filled, _values(request)), rule.text)
        for piece in _WORDS.findall(text)[:-1]:
            _wait(rule.piece_delay_s, deadline)
            if on_text is not None:
                on_text(piece)
        if rule.error:
            failure = _ERRORS[rule.error]
            raise failure()
        return _completion(rule, text, request)

    def check(self, *, deadline: Deadline) -> None:
        """It can always answer."""

    def _take(self, request: ModelRequest) -> Rule:
        with self._lock:
            for number, rule in enumerate(self._rules):
                if rule.fits(request) and (rule.times is None or self._used[number] < rule.times):
                    self._used[number] += 1
                    return rule
        return Rule(text=DEFAULT_TEXT)


def _wait(seconds: float, deadline: Deadline) -> None:
    if seconds:
        deadline.sleep(min(seconds, deadline.remaining_s()))
    if deadline.is_cancelled:
        raise Cancelled
    if deadline.passed:
        raise UpstreamTimeout(PROVIDER)


def _completion(rule: Rule, text: str, request: ModelRequest) -> Completion:
    calls = tuple(
        ToolCall(id=f"call_{len(request.messages)}_{number}", name=call.name, arguments=call.arguments)
        for number, call in enumerate(rule.tool_calls)
    )
    stop_reason = StopReason.TOOL_CALLS if calls and rule.stop_reason is StopReason.FINISHED else rule.stop_reason
    asked = sum(len(message.text.split()) for message in request.messages) + len(request.instructions.split())
    return Completion(
        text=text,
        stop_reason=stop_reason,
        tool_calls=calls if stop_reason is StopReason.TOOL_CALLS else (),
        usage=ModelUsage(input_tokens=asked, output_tokens=len(text.split())),
    )


def _values(request: ModelRequest) -> Mapping[str, str]:
    said = [message.text for message in request.messages if isinstance(message, UserMessage)]
    results = [message.text for message in request.messages if isinstance(message, ToolResult)]
    return {"input": "".join(said[-1:]), "result": "".join(results[-1:]), "instructions": request.instructions}


def _filled(values: Mapping[str, str], placeholder: re.Match[str]) -> str:
    return values[placeholder[1]]


def _read(path: Path) -> tuple[Rule, ...]:
    try:
        rules = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).rule
    except (OSError, UnicodeDecodeError):
        raise SettingsError([f"SCRIPTED_MODEL_FILE cannot be read: {path}."]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"SCRIPTED_MODEL_FILE is no TOML: {error}."]) from None
    except ValidationError as error:
        raise SettingsError([_sentence(detail) for detail in error.errors(include_input=False)]) from None
    if unknown := sorted({rule.error for rule in rules if rule.error} - set(_ERRORS)):
        raise SettingsError([f"SCRIPTED_MODEL_FILE: {', '.join(unknown)} is no error: {', '.join(sorted(_ERRORS))}."])
    return rules


def _sentence(detail: Mapping[str, Any]) -> str:
    where = ".".join(map(str, detail["loc"]))
    return f"SCRIPTED_MODEL_FILE: {where}: {detail['msg']}."
