"""The optimiser over HTTP: ``POST /portfolio/generate/{risk_profile}``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from maverik_backend.clients.http import HttpService
from maverik_backend.clients.optimizer.base import Allocation, RiskProfile
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import UpstreamBadAnswer

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext


class HttpOptimizer:
    """Asks the service and checks the shape of its answer; whether the numbers make sense is not its business."""

    origin = "optimizador"

    def __init__(self, base_url: str, *, max_connections: int = 64, metrics: Metrics | None = None) -> None:
        self._service = HttpService("optimizer", base_url, max_connections=max_connections, metrics=metrics)

    @classmethod
    def from_context(cls, context: ClientContext) -> Self:
        settings = context.settings
        url = settings.advice.portfolio_optimization_url or ""
        return cls(url, max_connections=settings.app.worker_threads, metrics=context.metrics)

    def check(self, *, deadline: Deadline) -> None:
        self._service.check(deadline=deadline)

    def generate(self, *, risk_profile: RiskProfile, deadline: Deadline) -> Allocation:
        return self._service.ask(
            f"/portfolio/generate/{risk_profile}", None, parse=self._allocation_of, deadline=deadline
        )

    def _allocation_of(self, body: Any) -> Allocation:  # noqa: ANN401 - decoded JSON
        if not isinstance(body, dict):
            raise UpstreamBadAnswer("optimizer", "not an object")
        return Allocation(
            assets=_list_of(body.get("assets"), str),
            weights_pct=_floats(_list_of(body.get("weights"), (int, float))),
            origin=self.origin,
        )


def _list_of(value: Any, kinds: type | tuple[type, ...]) -> list[Any]:  # noqa: ANN401 - decoded JSON
    if isinstance(value, list) and all(isinstance(item, kinds) and not isinstance(item, bool) for item in value):
        return value
    raise UpstreamBadAnswer("optimizer", "assets or weights have another shape")


def _floats(numbers: list[Any]) -> list[float]:
    """JSON has no largest integer, floating-point numbers do."""
    try:
        return [float(number) for number in numbers]
    except OverflowError:
        raise UpstreamBadAnswer("optimizer", "a weight is too large") from None
