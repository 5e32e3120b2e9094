"""What a tool is: something that a model may call in the middle of its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from maverik_backend.clients.llm.base import ToolSpec
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import MaverikError
from maverik_backend.services.assistants.base import AssistantRequest
from maverik_backend.services.assistants.definition import Definition
from maverik_backend.services.turns import Data, Source, Usage


class ToolFailed(MaverikError):
    """A tool has no result. The message is for the model: what was wrong with the call, or what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """The turn in which a tool is called, and the assistant that calls it."""

    request: AssistantRequest
    definition: Definition
    deadline: Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutput:
    """What a tool found: ``value`` (JSON) for the model and the record, the rest for the turn.

    ``usage`` is what it used of a language model itself.
    """

    value: Any
    sources: tuple[Source, ...] = ()
    data: tuple[Data, ...] = ()
    usage: Usage | None = None


class Tool(Protocol):
    """Safe to call from several threads at once."""

    @property
    def spec(self) -> ToolSpec:
        """What the model is told of it."""
        ...

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolOutput:
        """Run one call. ``arguments`` are as the model wrote them.

        Raises:
            ToolFailed: when the arguments are wrong, or nothing can be found with them.
            UpstreamError: when a service behind it failed.
            DatabaseUnavailable: when the database cannot be read.
        """
        ...


class Arguments(BaseModel):
    """The arguments of a tool: every field has a description, which the model reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")


A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionTool(Generic[A]):
    """A tool out of a function and a model of its arguments."""

    name: str
    description: str
    arguments: type[A]
    function: Callable[[A, ToolContext], ToolOutput]

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(name=self.name, description=self.description, parameters=self.arguments.model_json_schema())

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolOutput:
        try:
            parsed = self.arguments.model_validate(arguments)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False, include_context=False)
            sentences = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
            raise ToolFailed("; ".join(sentences)) from None
        return self.function(parsed, context)
