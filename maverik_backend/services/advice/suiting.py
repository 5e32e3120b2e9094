"""From a checked portfolio to one that suits a person, and the Spanish text that explains it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from maverik_backend.clients.optimizer.base import RiskProfile
from maverik_backend.clients.rag.base import Situation
from maverik_backend.services.advice.limits import (
    AssetKind,
    held_against,
    is_within,
    kind_of,
    limits_for,
    loss_in_a_bad_year_pct,
)
from maverik_backend.services.advice.portfolio import Asset, InvalidPortfolio, Portfolio, portfolio_sentence
from maverik_backend.services.advice.suited_risk import ADULT_AGE, SuitedRisk, suited_risk
from maverik_backend.texts import format as fmt
from maverik_backend.texts import suitability as texts
from maverik_backend.texts.advice import RISK_PROFILES

OWN_ORIGIN = "integrado"
MAX_REPLACED_PCT = 80.0
"""Of an optimiser's portfolio; where more would have to go, nothing is shown of it."""
# Up to this many months all of it stays at hand.
AT_HAND_MONTHS = 3
AT_HAND_PCT = 60.0
MAX_REASONS = 4
# Below these a portfolio of several parts is eaten by minimum lots and commissions.
SMALL_CAPITAL = {"ars": Decimal(500_000), "usd": Decimal(500), "": Decimal(1_000)}
_LARGE_SHARES = frozenset({"Hasta el 50%", "Hasta el 75%"})


class UnsuitedPortfolio(InvalidPortfolio):
    """Hardly anything of what the optimiser answered may be held by this person."""


def liquid_portfolio(situation: Situation, suited: SuitedRisk) -> Portfolio:
    """What money that is needed within a year may be held in; no optimiser is asked."""
    at_hand, placed = texts.LIQUID_ASSETS[situation.currency or ""]
    assets = [Asset(name=at_hand, weight_pct=100.0)]
    if suited.months is not None and suited.months > AT_HAND_MONTHS:
        rest = round(100 - AT_HAND_PCT, 1)
        assets = [Asset(name=at_hand, weight_pct=AT_HAND_PCT), Asset(name=placed, weight_pct=rest)]
    portfolio = Portfolio(risk_profile=RiskProfile.CONSERVATIVE, assets=tuple(assets), origin=OWN_ORIGIN)
    return _explained(portfolio, situation, suited, is_adjusted=False)


def suited_portfolio(portfolio: Portfolio, situation: Situation, suited: SuitedRisk) -> Portfolio:
    """``portfolio`` within the limits of the person, with its reasons and warnings.

    Raises:
        UnsuitedPortfolio: when more than :data:`MAX_REPLACED_PCT` of it would have to be replaced.
    """
    names = [asset.name for asset in portfolio.assets]
    weights = [asset.weight_pct for asset in portfolio.assets]
    limits = limits_for(suited)
    if is_within(names, weights, limits):
        return _explained(portfolio, situation, suited, is_adjusted=False)
    kept, left_pct = held_against(names, weights, limits)
    if left_pct > MAX_REPLACED_PCT:
        raise UnsuitedPortfolio("unsuited")
    assets = _with_liquid(dict(zip(names, kept, strict=True)), left_pct, situation)
    adjusted = replace(portfolio, assets=assets, expected_return_pct=None, volatility_pct=None)
    return _explained(adjusted, situation, suited, is_adjusted=True)


def explanation(portfolio: Portfolio, situation: Situation) -> str:
    """The portfolio in words: its parts, why it suits, how to hold it, what may be lost, what to see to before."""
    kinds = list(dict.fromkeys(kind_of(asset.name) for asset in portfolio.assets))
    parts = [
        texts.HOW_PART.format(
            asset=fmt.enumerate_spanish([asset.name for asset in portfolio.assets if kind_of(asset.name) is kind]),
            how=texts.HOW_TO_HOLD[kind],
        )
        for kind in kinds
    ]
    warnings = [texts.WARNING.format(warning=warning) for warning in portfolio.warnings]
    return "\n\n".join(
        [
            portfolio_sentence(portfolio),
            texts.WHY.format(reasons=" ".join(portfolio.reasons)),
            texts.HOW.format(parts="\n".join(parts)),
            _loss(portfolio, situation),
            texts.BEFORE.format(warnings="\n".join(warnings)),
        ]
    )


def with_suited_tolerance(situation: Situation) -> Situation:
    """``situation`` that knows the tolerance which the risk that suits the person stands for."""
    return replace(situation, suited_tolerance=suited_risk(situation).tolerance)


def risk_instruction(situation: Situation) -> str:
    """What an assistant is told of the risk that suits the person."""
    suited = suited_risk(situation)
    told = texts.INSTRUCTION.format(
        profile=RISK_PROFILES[suited.profile.value], reasons=" ".join(reason.text for reason in suited.reasons)
    )
    return told + (texts.INSTRUCTION_LIQUID if suited.is_liquid_only else "")


def _with_liquid(weights: dict[str, float], left_pct: float, situation: Situation) -> tuple[Asset, ...]:
    """The assets that are left, what was taken away added to a liquid one."""
    liquid = [name for name, weight in weights.items() if weight and kind_of(name) is AssetKind.LIQUID]
    target = liquid[0] if liquid else texts.LIQUID_ASSETS[situation.currency or ""][0]
    weights[target] = round(weights.get(target, 0.0) + left_pct, 1)
    assets = (Asset(name=name, weight_pct=weight) for name, weight in weights.items() if weight)
    return tuple(sorted(assets, key=lambda asset: -asset.weight_pct))


def _explained(portfolio: Portfolio, situation: Situation, suited: SuitedRisk, *, is_adjusted: bool) -> Portfolio:
    names, weights = zip(*((asset.name, asset.weight_pct) for asset in portfolio.assets), strict=True)
    return replace(
        portfolio,
        reasons=tuple(reason.text for reason in suited.reasons)[:MAX_REASONS],
        warnings=tuple(_warnings(situation, suited, is_adjusted=is_adjusted)),
        loss_pct=loss_in_a_bad_year_pct(names, weights),
    )


def _warnings(situation: Situation, suited: SuitedRisk, *, is_adjusted: bool) -> Iterator[str]:
    if situation.age is not None and situation.age < ADULT_AGE:
        yield texts.MINOR
    if is_adjusted:
        yield texts.ADJUSTED
    yield texts.EMERGENCY_FUND
    capital = situation.capital
    if capital is not None and capital == 0:
        yield texts.NO_CAPITAL
    elif capital is not None and capital < SMALL_CAPITAL[situation.currency or ""]:
        yield texts.SMALL_CAPITAL
    if suited.is_liquid_only:
        yield texts.CURRENCY_OF_NEED
    elif capital and situation.currency is None:
        yield texts.CURRENCY_UNKNOWN
    if situation.invested_share in _LARGE_SHARES:
        yield texts.LARGE_SHARE
    yield texts.COSTS
    if not suited.is_liquid_only:
        yield texts.CONTRIBUTIONS
    yield texts.NOT_FOR_LOSSES


def _loss(portfolio: Portfolio, situation: Situation) -> str:
    loss_pct = portfolio.loss_pct or 0.0
    if all(kind_of(asset.name) is AssetKind.LIQUID for asset in portfolio.assets):
        return texts.LOSS_LIQUID.format(loss=fmt.percent(loss_pct))
    amount = ""
    if capital := situation.capital:
        lost = round(capital * Decimal(str(loss_pct)) / 100)
        amount = texts.LOSS_AMOUNT.format(amount=fmt.amount(lost), capital=fmt.amount(capital))
    return texts.LOSS.format(loss=fmt.percent(loss_pct), amount=amount)
