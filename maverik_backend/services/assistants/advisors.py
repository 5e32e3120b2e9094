"""Assistants of the kinds ``rag`` and ``embedded``: advisors that answer as one text, or stream it."""

from __future__ import annotations

from maverik_backend.clients.rag.base import Advisor, Answer, Question, StreamingAdvisor
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import UpstreamBadAnswer, UpstreamError
from maverik_backend.services.advice import checked
from maverik_backend.services.assistants.base import AssistantRequest
from maverik_backend.services.assistants.writing import Writer, write_whole
from maverik_backend.services.turns import Emit, Ending, Source


class AdvisorAssistant:
    """Has an :class:`~maverik_backend.clients.rag.base.Advisor` answer."""

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor

    def answer(self, request: AssistantRequest, *, emit: Emit, deadline: Deadline) -> Ending:
        advisor, question = self._advisor, request.question
        if isinstance(advisor, StreamingAdvisor):
            answer = _stream(advisor, question, emit=emit, deadline=deadline)
        else:
            answer = _ask(advisor, question, emit=emit, deadline=deadline)
        for title in answer.sources:
            emit(Source(title=title))
        return Ending(origin=answer.origin, is_advice=answer.is_advice)


def _ask(advisor: Advisor, question: Question, *, emit: Emit, deadline: Deadline) -> Answer:
    answer = advisor.answer(question, deadline=deadline)
    if not write_whole(checked(answer.text, question.findings), emit):
        raise UpstreamBadAnswer(answer.origin, "nothing left after cleaning")
    return answer


def _stream(advisor: StreamingAdvisor, question: Question, *, emit: Emit, deadline: Deadline) -> Answer:
    writer = Writer(emit, lead=question.lead)
    try:
        answer = advisor.stream(question, on_text=writer.add, deadline=deadline)
    except UpstreamError:
        if not writer.is_empty:  # a sentence that says so follows: outside of any block that was left open
            writer.end()
        raise
    writer.end()
    if writer.is_empty:
        raise UpstreamBadAnswer(answer.origin, "nothing left after cleaning")
    return answer
