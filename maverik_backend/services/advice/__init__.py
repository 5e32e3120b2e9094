"""Portfolios: what a session asks the optimiser for, and the text that shows one."""

from maverik_backend.services.advice.portfolio import Asset, Portfolio, portfolio_sentence, risk_profile_for
from maverik_backend.services.advice.proposal import PendingPortfolio, Proposals

__all__ = ["Asset", "PendingPortfolio", "Portfolio", "Proposals", "portfolio_sentence", "risk_profile_for"]
