"""Assistants: who answers in conversations, as definitions on disk and one way to ask all of them."""

from maverik_backend.services.assistants.advisors import AdvisorAssistant
from maverik_backend.services.assistants.assistants import Assistants
from maverik_backend.services.assistants.base import Assistant, AssistantRequest
from maverik_backend.services.assistants.data_questions import QueriesAssistant, query_tools
from maverik_backend.services.assistants.definition import Definition, Kind
from maverik_backend.services.assistants.library import SHIPPED, Library
from maverik_backend.services.assistants.model import ModelAssistant
from maverik_backend.services.assistants.store import KeptVersion, get_versions
from maverik_backend.services.assistants.tools import Tool, ToolClients, make_tools
from maverik_backend.services.assistants.validation import faults

__all__ = [
    "SHIPPED",
    "AdvisorAssistant",
    "Assistant",
    "AssistantRequest",
    "Assistants",
    "Definition",
    "KeptVersion",
    "Kind",
    "Library",
    "ModelAssistant",
    "QueriesAssistant",
    "Tool",
    "ToolClients",
    "faults",
    "get_versions",
    "make_tools",
    "query_tools",
]
