"""What a kind of job is. A new kind is one subclass of :class:`JobKind` and one line in ``api.job_kinds``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel

from maverik_backend.core.deadline import Deadline
from maverik_backend.core.security import Purpose

P = TypeVar("P", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a job. ``number`` counts from 1.

    Jobs run at least once: a process that ends after its handler has finished, and before that is on record, leaves a
    job that runs again. ``idempotency_key`` is unique to the job and the same in each of its attempts, so that a
    receiver can recognise a repetition.
    """

    job_id: int
    number: int
    subject: str | None
    idempotency_key: str = field(repr=False)
    deadline: Deadline


class JobKind(ABC, Generic[P]):
    """How jobs of one kind are parsed, run and retried. Instances are made once, with the clients that they need.

    =====================  =============================================================================================
    Attribute              Meaning
    =====================  =============================================================================================
    ``name``               ``trabajo.tipo``; never changed once jobs with it exist
    ``sealed_as``          what payloads are sealed for; ``None``: they hold no secret and are stored as they are
    ``retry_delays``       how long to wait after each failed attempt; after the last one the job is dead
    ``permanent_errors``   exceptions after which another attempt cannot help: the job is dead at once
    ``concurrency``        how many jobs of the kind one process runs at a time
    ``timeout_s``          the deadline of one attempt; its lease lasts :data:`LEASE_MARGIN` longer
    =====================  =============================================================================================
    """

    name: ClassVar[str]
    sealed_as: ClassVar[Purpose | None]
    retry_delays: ClassVar[Sequence[timedelta]]
    permanent_errors: ClassVar[tuple[type[Exception], ...]] = ()
    concurrency: ClassVar[int] = 1

    timeout_s: float

    @abstractmethod
    def parse(self, content: str) -> P:
        """The payload that ``content`` is the JSON text of, also as earlier releases wrote it.

        Raises:
            ValueError: when it is of another shape.
        """

    @abstractmethod
    def run(self, payload: P, attempt: Attempt) -> None:
        """Do the job, within ``attempt.deadline`` and with no transaction open; returning means that it is done.

        Raises:
            UpstreamError: when another service failed; its ``reason`` is stored.
            Exception: anything else counts as a defect of ours, and is retried as well.
        """


LEASE_MARGIN = timedelta(seconds=60)
"""What a lease leaves for storing the outcome once the attempt's deadline has passed."""
