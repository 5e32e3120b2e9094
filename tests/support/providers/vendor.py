"""What a test needs of each provider: its wire format for an answer, for its failures, and its own client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from maverik_backend.clients.llm.base import Citation, Completion, ModelUsage, StopReason, ToolCall
from maverik_backend.errors import UpstreamError
from maverik_backend.settings import LlmSettings
from tests.support.providers.server import Answering, json_answer, sse, stream

Way = Literal["streamed", "whole"]
STREAMED: Way = "streamed"
WHOLE: Way = "whole"
WAYS: tuple[Way, ...] = (STREAMED, WHOLE)
KEY = "sk-prueba-0123456789"
MODEL = "modelo-1"
SCHEMA = {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """An answer of a model, before a provider puts it into its format. Arguments of calls come in pieces."""

    pieces: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    stop: StopReason = StopReason.FINISHED
    usage: ModelUsage = field(default_factory=lambda: ModelUsage(input_tokens=40, output_tokens=12))
    citations: tuple[Citation, ...] = ()

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How a provider says no."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Vendor(ABC):
    """One provider."""

    name: ClassVar[str]
    failures: ClassVar[Mapping[type[UpstreamError], Failure]]
    """By the kind that it is to become."""

    @abstractmethod
    def settings(self, url: str) -> LlmSettings:
        """The provider at ``url``."""

    @abstractmethod
    def frames(self, scene: Scene) -> list[bytes]:
        """``scene`` as the provider streams it."""

    @abstractmethod
    def whole(self, scene: Scene) -> Any:
        """``scene`` as a whole answer."""

    @abstractmethod
    def error_frame(self, failure: Failure) -> bytes:
        """The same failure in a stream that began."""

    @abstractmethod
    def unknown_error(self) -> Any:
        """An error object of no known kind, as it comes with a 200."""

    @abstractmethod
    def sdk(self, url: str, *, way: Way) -> Completion:
        """What the vendor's own client reads from the server at ``url``."""

    def can_say(self, scene: Scene) -> bool:  # noqa: ARG002 - most can say all
        """Whether the provider has such an answer."""
        return True

    def is_only_usage(self, frame: bytes) -> bool:  # noqa: ARG002 - most tell it beside the end
        """Whether ``frame`` may never come, and tells nothing but usage."""
        return False

    def text_frames(self, scene: Scene) -> list[bytes]:
        """The stream up to its last piece of text: no end, no usage."""
        last = min(number for number, frame in enumerate(self.frames(scene)) if scene.pieces[-1].encode() in frame)
        return self.frames(scene)[: last + 1]

    def answer(self, scene: Scene, *, way: Way) -> Answering:
        return stream(self.frames(scene)) if way == STREAMED else json_answer(self.whole(scene))

    def refusal(self, kind: type[UpstreamError]) -> Answering:
        failure = self.failures[kind]
        return json_answer(failure.body, status=failure.status, headers=failure.headers)


def unknown_error_frame(vendor: Vendor) -> bytes:
    return sse(vendor.unknown_error())


def halves(text: str) -> tuple[str, str]:
    """``text`` in two pieces, as models stream arguments."""
    return text[: len(text) // 2], text[len(text) // 2 :]
