"""What suits a person: the risk, the portfolio with its explanation, and when it is given."""

from maverik_backend.services.advice.occasion import calls_for_portfolio, facts_behind
from maverik_backend.services.advice.portfolio import Asset, Portfolio, portfolio_sentence
from maverik_backend.services.advice.proposal import PendingPortfolio, Proposals, Refused
from maverik_backend.services.advice.suited_risk import Reason, SuitedRisk, suited_risk
from maverik_backend.services.advice.suiting import explanation, risk_instruction

__all__ = [
    "Asset",
    "PendingPortfolio",
    "Portfolio",
    "Proposals",
    "Reason",
    "Refused",
    "SuitedRisk",
    "calls_for_portfolio",
    "explanation",
    "facts_behind",
    "portfolio_sentence",
    "risk_instruction",
    "suited_risk",
]
