"""Advisory sessions of a person: their life cycle, the first message made from a profile, and how turns in them run."""

from maverik_backend.services.sessions.advisory import AdviceClients, AdvisorySessions
from maverik_backend.services.sessions.prompt import first_input
from maverik_backend.services.sessions.records import AdvisorySession, SessionFacts
from maverik_backend.services.sessions.store import get_or_raise, remove, rename
from maverik_backend.services.sessions.use_cases import create, get_page, title_of

__all__ = [
    "AdviceClients",
    "AdvisorySession",
    "AdvisorySessions",
    "SessionFacts",
    "create",
    "first_input",
    "get_or_raise",
    "get_page",
    "remove",
    "rename",
    "title_of",
]
