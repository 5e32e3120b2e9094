"""What all providers over HTTP have in common: asking, reading, failing. An adapter only knows a wire format.

An adapter writes a request (:meth:`HttpModel.body`, :meth:`HttpModel.path`) and reads decoded JSON into a
:class:`~maverik_backend.clients.llm.building.CompletionBuilder`: the events of a stream (:meth:`HttpModel.read_event`)
and a whole answer (:meth:`HttpModel.read_whole`). JSON of another shape than it expects may raise whatever it raises
(``KeyError``, ``TypeError`` and the like): that becomes a bad answer here.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic_core import from_json

from maverik_backend.clients.llm.base import Completion, ModelRequest, OnText
from maverik_backend.clients.llm.building import CompletionBuilder
from maverik_backend.clients.llm.failures import failure_of
from maverik_backend.clients.llm.reader import Body, Reader
from maverik_backend.clients.llm.server_sent_events import EventDecoder
from maverik_backend.clients.policy import CallPolicy
from maverik_backend.core import trace
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import UpstreamBadAnswer, UpstreamRejected, UpstreamWrongKey

if TYPE_CHECKING:
    import aiohttp

RETRIED_STATUSES = frozenset({408, 409, 429, *range(500, 600)})
"""What the providers' own clients retry, too."""
MAX_ERROR_BYTES = 64 * 1024
_SERVER_ERROR = 500
_UNEXPECTED_SHAPE = (AttributeError, IndexError, KeyError, TypeError, ValueError)


class HttpModel(ABC):
    """A provider at one address. Safe to use from several threads."""

    provider: ClassVar[str]
    """Key into the registry of providers, and what errors, logs and metrics call it."""
    models_path: ClassVar[str]
    """Lists the models, at no cost: what health asks for."""

    def __init__(
        self, *, base_url: str, headers: Mapping[str, str], reader: Reader, metrics: Metrics | None = None
    ) -> None:
        """``headers`` hold the key, and go with every call."""
        self._base_url = base_url
        self._headers = headers
        self._reader = reader
        self._policy = CallPolicy(self.provider, metrics=metrics, retried_statuses=RETRIED_STATUSES)

    @abstractmethod
    def path(self, request: ModelRequest, *, is_streamed: bool) -> str:
        """Where ``request`` is sent to, below the base address."""

    @abstractmethod
    def body(self, request: ModelRequest, *, is_streamed: bool) -> Mapping[str, Any]:
        """``request`` as the provider's JSON."""

    @abstractmethod
    def read_event(self, event: Any, into: CompletionBuilder) -> bool:  # noqa: ANN401 - decoded JSON
        """Read one event of a stream, and say whether it is the last of it."""

    @abstractmethod
    def read_whole(self, answer: Any, into: CompletionBuilder) -> None:  # noqa: ANN401 - decoded JSON
        """Read an answer that is not streamed."""

    def complete(self, request: ModelRequest, *, on_text: OnText | None = None, deadline: Deadline) -> Completion:
        """As :meth:`~maverik_backend.clients.llm.base.Model.complete` says."""
        is_streamed = on_text is not None
        path = self.path(request, is_streamed=is_streamed)
        # Not every provider takes the escape of half a surrogate pair, which JSON allows and a browser may send.
        body = json.dumps(self.body(request, is_streamed=is_streamed), ensure_ascii=False).encode(errors="replace")
        builder = CompletionBuilder(self.provider, on_text)

        def attempt() -> Completion:
            nonlocal builder
            builder = CompletionBuilder(self.provider, on_text)
            headers = {**self._headers, **trace.outgoing_headers()}
            with self._policy.attempt():
                return self._reader.run(
                    lambda: self._ask(path, body, headers, builder), service=self.provider, deadline=deadline
                )

        return self._policy.repeat(attempt, deadline=deadline, may_repeat=lambda: not builder.has_begun)

    def check(self, *, deadline: Deadline) -> None:
        """As :meth:`~maverik_backend.clients.llm.base.Model.check` says."""
        self._policy.check(
            lambda: self._reader.run(self._probe, service=self.provider, deadline=deadline),
        )

    def failure(self, error: Any) -> Exception:  # noqa: ANN401 - decoded JSON
        """The exception for an error object in a 200."""
        return failure_of(self.provider, error)

    async def _probe(self) -> None:
        """Not every server lists its models, so a 404 is an answer; a wrong key is none."""
        url = self._base_url + self.models_path
        async with self._reader.request("GET", url, headers=self._headers, body=None) as response:
            status = response.status
            failure = None if _is_success(status) else await self._failure_of(response)
        if status >= _SERVER_ERROR or isinstance(failure, UpstreamWrongKey):
            raise failure or UpstreamRejected(self.provider, status)

    async def _ask(self, path: str, body: bytes, headers: Mapping[str, str], builder: CompletionBuilder) -> Completion:
        url = self._base_url + path
        async with self._reader.request("POST", url, headers=headers, body=body) as response:
            if not _is_success(response.status):
                raise await self._failure_of(response)
            if response.content_type == "text/event-stream":
                await self._read_stream(response, builder)
            else:
                await self._read_answer(response, builder)
            return builder.completion()

    async def _failure_of(self, response: aiohttp.ClientResponse) -> Exception:
        """What a status that is no success says, with the beginning of its body."""
        body = await response.content.read(MAX_ERROR_BYTES)
        try:
            error = from_json(body)
        except ValueError:  # a proxy's page
            error = None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return failure_of(self.provider, error, status=response.status, headers=headers)

    async def _read_stream(self, response: aiohttp.ClientResponse, builder: CompletionBuilder) -> None:
        body, decoder = Body(response, service=self.provider), EventDecoder()
        while data := await body.read():
            try:
                is_over = self._read_events(decoder.feed(data), builder)
            finally:  # also what came before an error
                builder.flush()
            if is_over:
                return
        self._read_events(decoder.end(), builder)
        builder.flush()

    def _read_events(self, events: Iterable[bytes], builder: CompletionBuilder) -> bool:
        for data in events:
            if data == b"[DONE]":
                return True
            try:
                if self.read_event(_decode(data), builder):
                    return True
            except _UNEXPECTED_SHAPE:
                raise UpstreamBadAnswer(self.provider, "an event of another shape") from None
        return False

    async def _read_answer(self, response: aiohttp.ClientResponse, builder: CompletionBuilder) -> None:
        body = await Body(response, service=self.provider).read_all()
        try:
            self.read_whole(_decode(body), builder)
        except _UNEXPECTED_SHAPE:
            raise UpstreamBadAnswer(self.provider, "another shape") from None
        builder.flush()


def _decode(data: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    return from_json(data)


def _is_success(status: int) -> bool:
    return status // 100 == 2  # noqa: PLR2004 - RFC 9110, section 15.3
