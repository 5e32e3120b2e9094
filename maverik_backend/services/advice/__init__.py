"""What suits a person: the risk, the portfolio and when it is given; wishes that do not suit; sums."""

from maverik_backend.services.advice import finance
from maverik_backend.services.advice.calculator import NotCalculable, evaluate
from maverik_backend.services.advice.findings import checked, findings_of
from maverik_backend.services.advice.occasion import calls_for_portfolio, facts_behind
from maverik_backend.services.advice.portfolio import Asset, Portfolio, portfolio_sentence
from maverik_backend.services.advice.proposal import PendingPortfolio, Proposals, Refused
from maverik_backend.services.advice.stated import with_stated
from maverik_backend.services.advice.suited_risk import Reason, SuitedRisk
from maverik_backend.services.advice.suiting import explanation, risk_instruction, with_suited_tolerance

__all__ = [
    "Asset",
    "NotCalculable",
    "PendingPortfolio",
    "Portfolio",
    "Proposals",
    "Reason",
    "Refused",
    "SuitedRisk",
    "calls_for_portfolio",
    "checked",
    "evaluate",
    "explanation",
    "facts_behind",
    "finance",
    "findings_of",
    "portfolio_sentence",
    "risk_instruction",
    "with_stated",
    "with_suited_tolerance",
]
