"""Which assistants there are beside those that ship, and which of them answers where."""

from __future__ import annotations

from pydantic import DirectoryPath

from maverik_backend.settings.base import Group


class AssistantSettings(Group):
    """Definitions of assistants are files (docs/ASSISTANTS.md)."""

    assistants_dir: DirectoryPath | None = None
    """A folder of definitions; one with the name of a shipped one replaces it."""
    advisory_assistant: str | None = None
    """The name of the assistant that answers advisory sessions; ``None``: the shipped one of what is configured."""
