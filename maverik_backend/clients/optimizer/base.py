"""What an optimiser is: it proposes weights for a risk profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from maverik_backend.core.deadline import Deadline


class RiskProfile(StrEnum):
    """The three profiles of the optimiser's contract; the values are its path segments."""

    CONSERVATIVE = "conservative"
    MODERATE = "moderate"
    BOLD = "bold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """What an optimiser answered, not yet checked: ``services.portfolio`` decides whether it makes sense.

    ``weights_pct`` are percentages in the order of ``assets``. ``expected_return_pct`` and ``volatility_pct`` are
    percent a year, ``None`` where the optimiser does not tell. ``origin`` names where it came from.
    """

    assets: Sequence[str]
    weights_pct: Sequence[float]
    expected_return_pct: float | None = None
    volatility_pct: float | None = None
    origin: str


class Optimizer(Protocol):
    """Proposes a portfolio. Implementations are safe to call from several threads at once."""

    def generate(self, *, risk_profile: RiskProfile, deadline: Deadline) -> Allocation:
        """The allocation for ``risk_profile``.

        Raises:
            UpstreamError: when no answer of the contract's shape came before ``deadline``.
        """
        ...

    def check(self, *, deadline: Deadline) -> None:
        """See whether it could answer, without asking it anything that costs.

        Raises:
            UpstreamError: when it could not, or does not say so before ``deadline``.
        """
        ...
