"""Messages as several providers want them: by side, and with signatures that only their own provider gets back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from maverik_backend.clients.llm.base import AssistantMessage, Message


def by_side(messages: Sequence[Message]) -> Iterator[tuple[bool, list[Message]]]:
    """Consecutive messages of one side together; the flag is whether it is the model's.

    Results of tools are the participant's, so those of parallel calls, and what is said after them, are one turn.
    """
    for is_of_model, group in groupby(messages, key=lambda message: isinstance(message, AssistantMessage)):
        yield is_of_model, list(group)


def sign(provider: str, value: str | None) -> str | None:
    """``value`` as an opaque signature that :func:`signed` gives back to ``provider`` alone."""
    return f"{provider}:{value}" if value else None


def signed(provider: str, signature: str | None) -> str | None:
    """What ``provider`` made ``signature`` of; ``None`` when another one did."""
    owner, _, value = (signature or "").partition(":")
    return value if owner == provider else None
