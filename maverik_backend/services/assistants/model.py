"""Assistants of the kind ``model``: a language model that answers with tools, in a bounded loop.

================  ======================================================================================================
Bound             Value
================  ======================================================================================================
Requests          :data:`MAX_STEPS`; to the calls of the last but one the model is told to answer with what it has
Calls             :data:`MAX_CALLS` in a turn; further ones are refused, and the model is told so
Time              the turn's deadline; one call of a tool at most :data:`TOOL_TIMEOUT_S`
Tokens            :data:`MAX_TOKENS` in a turn, as the provider counts them; then as with requests
Usage             of a request that was cut off, or is not counted by its provider: estimated (``usage.py``)
Text              the engine's (services/turns/generating.py)
================  ======================================================================================================

A tool that fails is told to the model, not to the participant. Calls of one step run one after another: their order in
the record is that of the calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import structlog

from maverik_backend.clients.llm.base import (
    Completion,
    Model,
    ModelName,
    ModelRequest,
    ModelUsage,
    StopReason,
    ToolCall,
)
from maverik_backend.clients.llm.base import ToolResult as ModelToolResult
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import Cancelled, DatabaseUnavailable, UpstreamBadAnswer, UpstreamBlocked, UpstreamError
from maverik_backend.services.assistants import prompts, usage
from maverik_backend.services.assistants.base import AssistantRequest
from maverik_backend.services.assistants.definition import Definition
from maverik_backend.services.assistants.prompts import Fence
from maverik_backend.services.assistants.tools import Tool, ToolContext, ToolFailed, ToolOutput
from maverik_backend.services.assistants.tools.web_search import is_web_page
from maverik_backend.services.assistants.writing import Writer
from maverik_backend.services.safety import make_canary
from maverik_backend.services.turns import Emit, Ending, Source, ToolResult
from maverik_backend.services.turns import ToolCall as ToolCallEvent
from maverik_backend.services.usage import Demand
from maverik_backend.texts import advice as texts

MAX_STEPS = 8
MAX_CALLS = 24
MAX_TOKENS = 200_000
TOOL_TIMEOUT_S = 15.0
ORIGIN = "modelo"

# What the model reads, so English: it is no text for people.
_NO_SUCH_TOOL = "There is no tool of this name."
_NOT_JSON = "The arguments are not a JSON object."
_TOO_MANY = "No more calls in this turn: answer with what you have."
_UNAVAILABLE = "The tool does not work at the moment: answer without it, and say what you could not look up."

_log = structlog.get_logger(__name__)


class ModelAssistant:
    """Has a language model answer. ``tools`` are those that the definition names."""

    def __init__(self, definition: Definition, *, name: ModelName, model: Model, tools: Mapping[str, Tool]) -> None:
        self._definition = definition
        self._name = name
        self._model = model
        self._tools = tools

    @property
    def demand(self) -> Demand:
        """What one request is expected to take."""
        return usage.expected(self._definition, self._name)

    def answer(self, request: AssistantRequest, *, emit: Emit, deadline: Deadline) -> Ending:
        turn = _Turn(
            self._definition,
            name=self._name,
            model=self._model,
            tools=self._tools,
            context=ToolContext(request=request, definition=self._definition, deadline=deadline),
            emit=emit,
        )
        return turn.run()


class _Turn:
    """One run of the loop: the messages so far, and what was used up."""

    def __init__(
        self,
        definition: Definition,
        *,
        name: ModelName,
        model: Model,
        tools: Mapping[str, Tool],
        context: ToolContext,
        emit: Emit,
    ) -> None:
        question = context.request.question
        self._definition = definition
        self._name = name
        self._model = model
        self._tools = tools
        self._context = context
        self._emit = emit
        canary = make_canary()
        self._writer = Writer(
            emit,
            canary=canary,
            instructions=f"{definition.instructions}\n{prompts.rules()}",
            lead=question.lead,
        )
        self._fence = Fence()
        self._messages = prompts.messages_for(definition, question)
        self._request = ModelRequest(
            model=name.model,
            messages=self._messages,
            instructions=prompts.instructions_for(definition, question, fence=self._fence, canary=canary),
            tools=tuple(tool.spec for tool in tools.values()),
            temperature=definition.temperature,
            max_output_tokens=definition.max_output_tokens,
            output_schema=definition.output_schema,
        )
        self._tokens = 0
        self._calls = 0
        self._sources: dict[Source, None] = {}

    def run(self) -> Ending:
        try:
            completion = self._complete_with_tools()
        except UpstreamError:
            if not self._writer.is_empty:  # a sentence that says so follows: outside of any block that was left open
                self._writer.end()
            raise
        return self._end(completion)

    def _complete_with_tools(self) -> Completion:
        for step in range(1, MAX_STEPS + 1):
            completion = self._complete()
            if completion.stop_reason is not StopReason.TOOL_CALLS:
                return completion
            self._writer.break_paragraph()
            self._messages.append(completion.as_message())
            is_last = step == MAX_STEPS - 1 or self._tokens > MAX_TOKENS
            self._messages += [self._run_call(call, is_refused=is_last) for call in completion.tool_calls]
        raise UpstreamBadAnswer(self._name.provider, "calls tools without end")

    def _complete(self) -> Completion:
        """One request; what it took is counted, also when it is cut off."""
        meter = usage.Meter(self._request, on_text=self._writer.add)
        try:
            completion = self._model.complete(self._request, on_text=meter.add, deadline=self._context.deadline)
        except (Cancelled, UpstreamError) as error:
            if (used := meter.of_failure(error)) is not None:
                self._count(used)
            raise
        self._count(meter.of(completion))
        return completion

    def _count(self, used: ModelUsage) -> None:
        self._tokens += used.input_tokens + used.output_tokens
        self._emit(usage.event_of(used, self._name, assistant=self._definition.slug))

    def _run_call(self, call: ToolCall, *, is_refused: bool) -> ModelToolResult:
        """The result of one call, as an event and as the model reads it."""
        self._calls += 1
        self._emit(ToolCallEvent(call_id=call.id, name=call.name, arguments=call.arguments or {}))
        try:
            output = self._call(call, is_refused=is_refused or self._calls > MAX_CALLS)
        except ToolFailed as failed:
            return self._result(call, str(failed), is_error=True)
        self._sources |= dict.fromkeys(output.sources)
        for data in output.data:
            self._emit(data)
        if output.usage is not None:
            self._emit(replace(output.usage, assistant=self._definition.slug))
        return self._result(call, output.value, is_error=False)

    def _call(self, call: ToolCall, *, is_refused: bool) -> ToolOutput:
        """Raises: ToolFailed: for whatever reason there is no result."""
        if is_refused:
            raise ToolFailed(_TOO_MANY)
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolFailed(_NO_SUCH_TOOL)
        if call.arguments is None:
            raise ToolFailed(_NOT_JSON)
        try:
            return tool.run(call.arguments, self._context_of_call())
        except (UpstreamError, DatabaseUnavailable) as error:
            _log.warning(
                "tool_failed", tool=call.name, turn_id=self._context.request.turn_id, kind=type(error).__name__
            )
            raise ToolFailed(_UNAVAILABLE) from None

    def _context_of_call(self) -> ToolContext:
        context = self._context
        within_s = min(TOOL_TIMEOUT_S, context.deadline.remaining_s())
        deadline = Deadline.after(within_s, cancellation=context.deadline.cancellation)
        return replace(context, deadline=deadline)

    def _result(self, call: ToolCall, value: object, *, is_error: bool) -> ModelToolResult:
        self._emit(ToolResult(call_id=call.id, result=value, is_error=is_error))
        return prompts.result_for(call, value, is_error=is_error, fence=self._fence)

    def _end(self, completion: Completion) -> Ending:
        """Say what the text does not say by itself, name the sources."""
        reason = completion.stop_reason
        if reason is StopReason.BLOCKED:
            raise UpstreamBlocked(self._name.provider)
        if reason is StopReason.LENGTH:
            self._writer.break_paragraph()
            self._writer.add(texts.TOO_LONG)
        elif reason is StopReason.REFUSED and self._writer.is_empty:
            self._writer.add(texts.REFUSED)
        self._writer.end()
        if self._writer.is_empty:
            raise UpstreamBadAnswer(self._name.provider, "nothing left after cleaning")
        self._add_sources(completion)
        return Ending(origin=ORIGIN, is_advice=reason is not StopReason.REFUSED)

    def _add_sources(self, completion: Completion) -> None:
        pages = filter(is_web_page, completion.citations)
        cited = (Source(title=page.title, url=page.url) for page in pages)
        for source in (*self._sources, *cited):
            self._emit(source)
