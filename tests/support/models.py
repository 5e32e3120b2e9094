"""A language model that does what it is told, in order, and remembers what it was asked."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.clients.llm.base import (
    Completion,
    Model,
    ModelName,
    ModelRequest,
    ModelUsage,
    OnText,
    StopReason,
    ToolCall,
)
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import ModelUnavailable
from maverik_backend.web.resources import Resources
from tests.support.fixtures.people import TestUser

_WORD = re.compile(r"\S+\s*|\s+")
NAME = ModelName("scripted", "test")
USAGE = ModelUsage(input_tokens=100, output_tokens=20, cached_tokens=60, reasoning_tokens=5)


def says(text: str, *, stop_reason: StopReason = StopReason.FINISHED, **fields: Any) -> Completion:
    """A completion that is a text."""
    return Completion(text=text, stop_reason=stop_reason, usage=USAGE, **fields)


def calls(name: str, arguments: dict[str, Any] | None, *, text: str = "", call_id: str = "call-1") -> Completion:
    """A completion that calls one tool."""
    call = ToolCall(id=call_id, name=name, arguments=arguments)
    return Completion(text=text, stop_reason=StopReason.TOOL_CALLS, tool_calls=(call,), usage=USAGE)


class ScriptedModel:
    """Completes with what is queued, a word at a time. An exception in the queue is raised, after ``text`` if given."""

    def __init__(self, *queue: Completion | Exception) -> None:
        self.queue: deque[Completion | Exception] = deque(queue)
        self.requests: list[ModelRequest] = []
        self.before_failure = ""

    def complete(self, request: ModelRequest, *, on_text: OnText | None = None, deadline: Deadline) -> Completion:
        assert not deadline.passed
        self.requests.append(replace(request, messages=tuple(request.messages)))
        completion = self.queue.popleft() if self.queue else says("Conviene empezar por un presupuesto.")
        text = self.before_failure if isinstance(completion, Exception) else completion.text
        if on_text is not None and text:
            reader = threading.Thread(target=_read, args=(text, on_text))
            reader.start()
            reader.join()
        if isinstance(completion, Exception):
            raise completion
        return completion

    def check(self, *, deadline: Deadline) -> None:
        del deadline


def _read(text: str, on_text: OnText) -> None:
    for piece in _WORD.findall(text):
        on_text(piece)


class ScriptedModels:
    """One model under the default name."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def default(self) -> ModelName | None:
        return NAME

    @property
    def remote(self) -> Mapping[str, Model]:
        return {}

    def find(self, name: str) -> ModelName:
        if name != str(NAME):
            raise ModelUnavailable(f"There is no {name}.")
        return NAME

    def of(self, name: ModelName) -> Model:
        assert name == NAME
        return self._model

    def close(self) -> None:
        """There is nothing to close."""


def at_application(resources: Resources, user: TestUser, model: Model, **groups: Mapping[str, Any]) -> TestUser:
    """``user`` at another application on the same database, with ``model``; ``groups`` are changes to its settings."""
    settings = resources.settings
    changed = {name: getattr(settings, name).model_copy(update=dict(changes)) for name, changes in groups.items()}
    clients = replace(resources.clients, models=ScriptedModels(model))
    app = create_app(settings.model_copy(update=changed), clients=clients, database=resources.database)
    return TestUser(TestClient(app), email=user.email, key=user.key, token=user.token, refresh_token="")
