"""Slow work that runs outside of requests: jobs in a table, their kinds, and the threads that run them.

A job is enqueued in the transaction of the fact that it follows from, and runs at least once
(docs/decisions/0006-jobs-in-postgresql.md). What runs is handed to :class:`JobRunner` by ``api.job_kinds``.
"""

from maverik_backend.services.jobs.kind import LEASE_MARGIN, Attempt, JobKind
from maverik_backend.services.jobs.mail import MailJob, MailPayload, enqueue_mail
from maverik_backend.services.jobs.queue import enqueue
from maverik_backend.services.jobs.runner import JobRunner
from maverik_backend.services.jobs.store import OPEN, Backlog, Job, backlogs, delete_ended, discard, find, retry
from maverik_backend.services.jobs.worker import Worker

__all__ = [
    "LEASE_MARGIN",
    "OPEN",
    "Attempt",
    "Backlog",
    "Job",
    "JobKind",
    "JobRunner",
    "MailJob",
    "MailPayload",
    "Worker",
    "backlogs",
    "delete_ended",
    "discard",
    "enqueue",
    "enqueue_mail",
    "find",
    "retry",
]
