"""What a language model is to the rest of the product, whichever provider runs it.

==================  ==============================================================================================
Word                Meaning
==================  ==============================================================================================
Provider            who runs models and is paid for it: ``openai`` (and everything that speaks its chat completions),
                    ``anthropic``, ``gemini``, ``perplexity``, ``scripted``
Model name          ``provider:model``, for example ``openai:gpt-4o``; :class:`ModelName`
:class:`Model`      a provider bound to its address and key, which completes requests to any of its models
Completion          one answer of a model: text, or calls of tools, or both
Piece               a part of the text of a completion, as the provider streams it
==================  ==============================================================================================

A tool loop sends a :class:`ModelRequest`; while the :class:`Completion` has ``tool_calls`` it runs them, and sends the
request again with ``completion.as_message()`` and one :class:`ToolResult` for each call appended. What providers want
back unchanged travels as an opaque ``signature`` (Gemini's ``thoughtSignature``): it means nothing to another provider,
which ignores it.

Errors are kinds of :class:`~maverik_backend.errors.UpstreamError`; none holds a key, or a text of request or answer.
The decision behind this is docs/decisions/0012.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, Self

from maverik_backend.core.deadline import Deadline


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model of a provider. Its text form is ``provider:model``; the model may hold further colons."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The name that ``text`` spells.

        Raises:
            ValueError: when it is not of the form ``provider:model``.
        """
        provider, _, model = text.strip().partition(":")
        if not provider or not model:
            raise ValueError("a model is named provider:model")
        return cls(provider, model)

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool that a model may call. ``parameters`` is the JSON schema of an object: the arguments by name."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call that a model asks for.

    ``id`` is unique in the completion, also with providers that give none. ``arguments`` is ``None`` when the model
    wrote something that is no JSON object: the model is to be told so. ``signature`` goes back as it came.
    """

    id: str
    name: str
    arguments: Mapping[str, Any] | None
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What the participant says."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantMessage:
    """What a model said before. ``signature`` belongs to the text, those of calls to the calls."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    signature: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What the tool of ``call_id`` returned, as text that the model reads; ``is_error`` says that it failed."""

    call_id: str
    name: str
    text: str
    is_error: bool = False


Message = UserMessage | AssistantMessage | ToolResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """What a model is asked. ``model`` is the provider's own name of it, without the provider.

    ``messages`` are oldest first; they begin with the participant's, and all results of a message's calls directly
    follow it. ``temperature`` and ``max_output_tokens`` are the provider's defaults where ``None``. With
    ``output_schema``, the JSON schema of an object, the text of a finished completion is JSON of that shape, as far as
    the provider enforces it: check it.
    """

    model: str
    messages: Sequence[Message]
    instructions: str = ""
    tools: Sequence[ToolSpec] = ()
    temperature: float | None = None
    max_output_tokens: int | None = None
    output_schema: Mapping[str, Any] | None = None


class StopReason(StrEnum):
    """Why a completion ended."""

    FINISHED = "finished"
    """The model said all it wanted to."""
    TOOL_CALLS = "tool_calls"
    """It waits for the results of its ``tool_calls``."""
    LENGTH = "length"
    """Cut off at ``max_output_tokens`` or at the end of the model's window."""
    REFUSED = "refused"
    """The model declined; the text, which may be empty, says so in its own words."""
    BLOCKED = "blocked"
    """The provider's safety filter stopped the request or the answer; the text is what came before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUsage:
    """Tokens of one completion as the provider counts them; zeros where it does not tell.

    ``input_tokens`` include ``cached_tokens`` (read from the provider's cache, which costs less), and ``output_tokens``
    include ``reasoning_tokens`` (not shown, and paid), whatever the provider itself adds up.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A page that a searching model rests its text on."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One answer of a model. ``tool_calls`` are those of one step, to be run in any order or at once.

    ``tool_calls`` is empty unless ``stop_reason`` is ``TOOL_CALLS``: calls of a completion that was cut off are
    dropped, since their arguments may be incomplete.
    """

    text: str
    stop_reason: StopReason
    tool_calls: tuple[ToolCall, ...] = ()
    usage: ModelUsage = field(default_factory=ModelUsage)
    citations: tuple[Citation, ...] = ()
    signature: str | None = None

    def as_message(self) -> AssistantMessage:
        """The same as a message of the next request."""
        return AssistantMessage(text=self.text, tool_calls=self.tool_calls, signature=self.signature)


OnText = Callable[[str], None]


class Model(Protocol):
    """A provider bound to its settings. Implementations are safe to call from several threads at once."""

    def complete(self, request: ModelRequest, *, on_text: OnText | None = None, deadline: Deadline) -> Completion:
        """Have ``request`` completed: streamed when there is an ``on_text``, else as one whole answer.

        ``on_text`` gets each piece of the text in order, never an empty one; joined they are the completion's ``text``.
        It is called in another thread, the one that reads all streams of the process, while this one sleeps: it must
        not block. What it raises ends the stream and is raised here.

        Failures before the first piece of the answer are retried while ``deadline`` permits; after it, nothing is.

        Raises:
            Cancelled: when ``deadline`` was cancelled; the connection is closed then.
            UpstreamWrongKey: the provider does not accept the key.
            UpstreamUnknownModel: it has no such model, or none for this key.
            UpstreamQuotaExhausted: its account has no credit left.
            UpstreamRateLimited: too many requests or tokens a minute; ``retry_after_s`` where it says.
            UpstreamOverloaded: it has no capacity now.
            UpstreamInputTooLong: the request is longer than the model's window.
            UpstreamRejected: any other refusal.
            UpstreamStreamFailed: an error in place of the (rest of the) answer, of none of these kinds.
            UpstreamIncomplete: the stream ended without its end.
            UpstreamTooLarge: the answer is longer than this product takes from any model.
            UpstreamBadAnswer: the answer is not of the provider's documented shape.
            UpstreamTimeout: it is not complete at ``deadline``.
            UpstreamUnreachable: no connection, or it was cut.
            UpstreamCircuitOpen: it kept failing and is given a rest.
        """
        ...

    def check(self, *, deadline: Deadline) -> None:
        """See whether the provider could answer, without asking it anything that costs.

        Raises:
            UpstreamError: when it could not, or does not say so before ``deadline``.
        """
        ...


class Models(Protocol):
    """The models that may be asked: those of every provider that is configured."""

    @property
    def default(self) -> ModelName | None:
        """``DEFAULT_AI_MODEL``; ``None`` when it is not set."""
        ...

    @property
    def remote(self) -> Mapping[str, Model]:
        """A model of each provider that is another service, by the provider's name: for health."""
        ...

    def find(self, name: str) -> ModelName:
        """The model that ``name`` means: ``provider:model``, or an alias such as ``openai-gpt4o``.

        Raises:
            ModelUnavailable: when it means none, or one of a provider that is not configured; its text is one English
                sentence that says what to write or to set.
        """
        ...

    def of(self, name: ModelName) -> Model:
        """What completes requests to ``name``; the request's ``model`` is ``name.model``.

        Raises:
            ModelUnavailable: as :meth:`find`.
        """
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
