"""The portfolio of a session, asked for in a thread beside the advisor. Its failure never fails the turn."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import copy_context
from dataclasses import dataclass

import structlog

from maverik_backend.clients.optimizer.base import Optimizer
from maverik_backend.clients.rag.base import Situation
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import Cancelled, UpstreamError
from maverik_backend.services.advice.portfolio import InvalidPortfolio, Portfolio, check
from maverik_backend.services.advice.suited_risk import SuitedRisk, suited_risk
from maverik_backend.services.advice.suiting import UnsuitedPortfolio, liquid_portfolio, suited_portfolio
from maverik_backend.texts import suitability as texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """No portfolio is shown, and ``reason`` says so to the person."""

    reason: str


Proposal = Portfolio | Refused
PendingPortfolio = Future[Proposal | None]

_log = structlog.get_logger(__name__)


class Proposals:
    """Asks the optimiser in threads of ``executor``."""

    def __init__(self, *, optimizer: Optimizer, executor: Executor) -> None:
        self._optimizer = optimizer
        self._executor = executor

    def ask(self, *, turn_id: int, situation: Situation, deadline: Deadline) -> PendingPortfolio:
        """Start asking; the result is a portfolio that suits the person, a refusal, or ``None``."""
        suited = suited_risk(situation)
        if suited.is_liquid_only:
            known: PendingPortfolio = Future()
            known.set_result(liquid_portfolio(situation, suited))
            return known
        try:
            return self._executor.submit(copy_context().run, self._propose, turn_id, situation, suited, deadline)
        except RuntimeError:  # no thread can be started, or no more because the process is ending
            _log.warning("optimizer_failed", turn_id=turn_id, kind="no_thread")
            none: PendingPortfolio = Future()
            none.set_result(None)
            return none

    def take(self, pending: PendingPortfolio, *, turn_id: int, within_s: float) -> Proposal | None:
        """The proposal, ``None`` when it does not come within ``within_s`` seconds."""
        try:
            return pending.result(timeout=within_s)
        except FutureTimeoutError:
            pending.cancel()
            _log.warning("optimizer_failed", turn_id=turn_id, kind="late")
            return None

    def _propose(self, turn_id: int, situation: Situation, suited: SuitedRisk, deadline: Deadline) -> Proposal | None:
        try:
            allocation = self._optimizer.generate(risk_profile=suited.profile, deadline=deadline)
            portfolio = check(allocation, risk_profile=suited.profile)
            return suited_portfolio(portfolio, situation, suited)
        except Cancelled:
            return None
        except UpstreamError as error:
            _log.warning("optimizer_failed", turn_id=turn_id, kind=error.kind, detail=error.detail)
        except UnsuitedPortfolio:
            _log.warning("optimizer_failed", turn_id=turn_id, kind="unsuited")
            return Refused(reason=texts.UNSUITED)
        except InvalidPortfolio as error:
            _log.warning("optimizer_failed", turn_id=turn_id, kind="nonsense", detail=str(error))
        except Exception:  # noqa: BLE001 - the portfolio is an extra: no defect in it may cost the answer
            _log.exception("optimizer_failed", turn_id=turn_id, kind="unexpected")
        return None
