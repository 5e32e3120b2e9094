"""Who owns what is said and done: one word for the users of every surface, so that no service asks for their tokens.

Ids come from one sequence whatever the kind, so an id alone tells two principals apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PrincipalKind(StrEnum):
    """What a principal is; surfaces that come later add theirs.

    A person who uses an operator's rights acts as ``OPERATOR``; the row in ``principal`` stays that of a person.
    """

    PERSON = "persona"
    OPERATOR = "operador"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who sends a request; ``id`` is that of a row in ``principal``."""

    id: int
    kind: PrincipalKind = PrincipalKind.PERSON

    @property
    def key(self) -> str:
        """What limits and concurrency shares count by."""
        return str(self.id)
