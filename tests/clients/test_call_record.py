"""What calls teach about a service."""

from __future__ import annotations

import contextlib

import pytest

from maverik_backend.clients.call_record import REMEMBERED_S, WORKS_FOR_S, WRONG_ADDRESS_STATUSES, CallRecord
from maverik_backend.errors import UpstreamBadAnswer, UpstreamError, UpstreamRejected, UpstreamTimeout


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def record(clock: Clock) -> CallRecord:
    return CallRecord(clock=clock)


def call(record: CallRecord, failure: UpstreamError | None = None) -> None:
    with contextlib.suppress(UpstreamError), record.call():
        if failure:
            raise failure


def rejected(status: int) -> UpstreamRejected:
    return UpstreamRejected("rag", status)


class TestWrongAddress:
    @pytest.mark.parametrize("status", sorted(WRONG_ADDRESS_STATUSES))
    def test_an_answer_that_says_not_here_is_remembered(self, record: CallRecord, status: int) -> None:
        call(record, rejected(status))
        assert record.refusal is not None
        assert record.refusal.status == status

    @pytest.mark.parametrize(
        "failure", [rejected(400), rejected(422), rejected(429), rejected(500), UpstreamTimeout("rag")]
    )
    def test_another_failure_is_not(self, record: CallRecord, failure: UpstreamError) -> None:
        call(record, failure)
        assert record.refusal is None

    def test_a_success_forgets_it(self, record: CallRecord) -> None:
        call(record, rejected(404))
        call(record)
        assert record.refusal is None

    def test_another_failure_does_not_forget_it(self, record: CallRecord) -> None:
        call(record, rejected(404))
        call(record, UpstreamTimeout("rag"))
        assert record.refusal is not None

    def test_it_is_forgotten_after_a_while(self, record: CallRecord, clock: Clock) -> None:
        call(record, rejected(404))
        clock.now_s += REMEMBERED_S - 1
        assert record.refusal is not None
        clock.now_s += 1
        assert record.refusal is None


class TestWorks:
    def test_nothing_is_known_at_first(self, record: CallRecord) -> None:
        assert not record.works

    def test_one_that_answered_does_for_a_while(self, record: CallRecord, clock: Clock) -> None:
        call(record)
        clock.now_s += WORKS_FOR_S - 1
        assert record.works
        clock.now_s += 1
        assert not record.works

    def test_one_that_is_at_work_does(self, record: CallRecord) -> None:
        with record.call():
            assert record.works

    @pytest.mark.parametrize("failure", [UpstreamTimeout("rag"), UpstreamBadAnswer("rag"), rejected(500)])
    def test_one_that_failed_last_does_not_even_at_work(self, record: CallRecord, failure: UpstreamError) -> None:
        call(record)
        call(record, failure)
        with record.call():
            assert not record.works

    def test_refusing_one_question_is_no_failure(self, record: CallRecord) -> None:
        call(record)
        call(record, rejected(422))
        assert record.works

    def test_a_call_that_ended_is_not_at_work(self, record: CallRecord) -> None:
        with pytest.raises(KeyError), record.call():
            raise KeyError
        assert not record.works
