"""Who answers: the assistants of the library, each asked in the same way, with what stands in for one that fails.

==================  ================================================================================================
What fails          What the participant gets
==================  ================================================================================================
before any text     the fallback assistant's answer behind a sentence that says so; without one, or when it fails as
                    well, only a text that says so
in the middle       what came, and a sentence that it is incomplete
==================  ================================================================================================
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import Cancelled, DatabaseUnavailable, NotFound, UpstreamError
from maverik_backend.services.assistants import store
from maverik_backend.services.assistants.base import Assistant, AssistantRequest
from maverik_backend.services.assistants.definition import Definition, Kind
from maverik_backend.services.assistants.library import Library
from maverik_backend.services.assistants.model import ModelAssistant
from maverik_backend.services.turns import AnsweredBy, Emit, Ending, StoredEvent, TextDelta
from maverik_backend.services.usage import Demand
from maverik_backend.texts import advice as texts

FALLBACK_ORIGIN = "respaldo"

Make = Callable[[Definition], Assistant | None]
"""Makes an assistant of a kind; ``None`` when nothing that is configured can answer for it."""

_log = structlog.get_logger(__name__)


class Assistants:
    """The assistants by slug. Safe to use from several threads at once."""

    def __init__(self, library: Library, *, kinds: Mapping[Kind, Make], transaction: TransactionFactory) -> None:
        self._library = library
        self._kinds = kinds
        self._transaction = transaction
        self._lock = threading.Lock()
        self._made: dict[str, tuple[Definition, Assistant | None]] = {}
        self._kept: set[tuple[str, str]] = set()

    def definitions(self) -> Sequence[Definition]:
        """Every definition as it is now, in order of slug."""
        return [definition for _, definition in sorted(self._library.current().items())]

    def can_answer(self, slug: str) -> bool:
        """Whether there is such an assistant and something that is configured answers for it."""
        definition = self._library.current().get(slug)
        return definition is not None and self._assistant(definition) is not None

    def demand(self, slug: str) -> Demand | None:
        """What one request to the model of ``slug`` is expected to take; ``None`` where no model answers."""
        definition = self._library.current().get(slug)
        assistant = self._assistant(definition) if definition else None
        return assistant.demand if isinstance(assistant, ModelAssistant) else None

    def answer(self, slug: str, request: AssistantRequest, *, emit: Emit, deadline: Deadline) -> Ending:
        """Have assistant ``slug`` answer; ``emit`` gets the events. Its failures are the table above.

        Raises:
            Cancelled: when ``deadline`` was cancelled.
            NotFound: when there is no such assistant (any more), or nothing answers for it.
            DatabaseUnavailable: when something that the assistant needs cannot be read.
        """
        definition = self._library.current().get(slug)
        assistant = self._assistant(definition) if definition else None
        if definition is None or assistant is None:
            raise NotFound("assistant")
        answered_by = self._keep(definition)
        watched = _Watched(emit)
        try:
            ending = assistant.answer(request, emit=watched.emit, deadline=deadline)
        except UpstreamError as error:
            if deadline.is_cancelled:
                raise Cancelled from None
            _log.warning("advisor_failed", turn_id=request.turn_id, kind=error.kind, detail=error.detail)
            if watched.has_text:
                emit(TextDelta(text=texts.CUT_OFF))
                ending = Ending(origin=FALLBACK_ORIGIN, failure=error.kind, is_advice=False)
            else:
                ending = self._fall_back(definition, request, failure=error.kind, emit=emit, deadline=deadline)
        return replace(ending, answered_by=answered_by)

    def _fall_back(
        self, failed: Definition, request: AssistantRequest, *, failure: str, emit: Emit, deadline: Deadline
    ) -> Ending:
        """What stands in for an answer of ``failed``."""
        ending = Ending(origin=FALLBACK_ORIGIN, failure=failure)
        definition = self._library.current().get(failed.fallback) if failed.fallback else None
        fallback = self._assistant(definition) if definition else None
        if fallback is None:
            emit(TextDelta(text=texts.FALLBACK))
            return ending
        watched = _Watched(emit, before_text=texts.FALLBACK_LEAD)
        try:
            fallback.answer(request, emit=watched.emit, deadline=deadline)
        except (UpstreamError, DatabaseUnavailable) as error:
            _log.warning("fallback_failed", turn_id=request.turn_id, kind=type(error).__name__)
            emit(TextDelta(text=texts.CUT_OFF if watched.has_text else texts.FALLBACK))
        return ending

    def _assistant(self, definition: Definition) -> Assistant | None:
        """The assistant of a definition, made once for each version."""
        with self._lock:
            known = self._made.get(definition.slug)
            if known is None or known[0] is not definition:
                known = definition, self._kinds[definition.kind](definition)
                self._made[definition.slug] = known
            return known[1]

    def _keep(self, definition: Definition) -> AnsweredBy:
        """Store the content of a version that answers for the first time in this process."""
        key = definition.slug, definition.version
        if key not in self._kept:
            try:
                with self._transaction() as db:
                    store.keep_version(db, definition)
            except DatabaseUnavailable:  # the turn itself may still be written; the next one tries again
                _log.warning("assistant_version_not_kept", slug=definition.slug, version=definition.version)
            else:
                self._kept.add(key)
        return AnsweredBy(slug=definition.slug, version=definition.version)


class _Watched:
    """Passes events on, and knows whether there was any text. ``before_text`` is emitted before the first of it."""

    def __init__(self, emit: Emit, *, before_text: str = "") -> None:
        self._emit = emit
        self._before_text = before_text
        self.has_text = False

    def emit(self, event: StoredEvent) -> None:
        if isinstance(event, TextDelta) and not self.has_text:
            self.has_text = True
            if self._before_text:
                self._emit(TextDelta(text=self._before_text))
        self._emit(event)
