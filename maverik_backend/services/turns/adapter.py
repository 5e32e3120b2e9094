"""What a kind of conversation brings to the engine: whose it is, what is written in it, and who answers.

One class a kind (``services/sessions/advisory.py`` is that of advisory sessions). The engine knows nothing else about
where a turn belongs.
"""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import Connection

from maverik_backend.core.deadline import Deadline
from maverik_backend.services.turns.events import Emit
from maverik_backend.services.turns.records import Attempt, Ending, Outcome
from maverik_backend.services.usage import Demand


class ConversationAdapter(Protocol):
    """The conversations of one kind that one principal owns. Safe to use from several threads at once."""

    def prepare(self) -> None:
        """Load what is needed and may not be there yet: later calls must not ask for a second connection.

        Raises:
            DatabaseUnavailable: when it cannot be loaded.
        """

    def authenticate(self, db: Connection, *, for_key_share: bool = False) -> None:
        """Demand that the principal may act now; with ``for_key_share`` it is not erased before ``db`` ends.

        Raises:
            NotAuthenticated: when it may not.
        """

    def lock(self, db: Connection, conversation_id: int) -> Any:  # noqa: ANN401 - the implementation's own context
        """Lock the principal's conversation until ``db`` ends, and load what an answer depends on.

        Raises:
            NotAuthenticated: when the principal may not act any more.
            NotFound: when there is no such conversation, or it is another principal's.
        """

    def message_of(self, context: Any, text: str | None) -> str:  # noqa: ANN401
        """What goes on record as the participant's message for ``text``.

        Raises:
            InvalidInput: when there is none without a text.
        """

    def demand(self, context: Any, message: str) -> Demand | None:  # noqa: ANN401
        """What is to be reserved of the principal's limits for an answer to ``message``; ``None`` when nothing is.

        Nothing is where no language model will be asked. Called only when there are limits.
        """

    def respond(self, attempt: Attempt, *, emit: Emit, deadline: Deadline) -> Ending:
        """Have ``attempt`` answered: ``emit`` its events in order, return how it ended. No transaction is open.

        ``emit`` may be called from another thread while this one waits, by one thread at a time.

        Raises:
            Cancelled: when ``deadline`` was cancelled; what was emitted stays.
        """

    def settle(self, db: Connection, attempt: Attempt, outcome: Outcome) -> bool:
        """Note on the conversation what ``outcome`` means for it, before the turn is written; whether it wrote so."""
