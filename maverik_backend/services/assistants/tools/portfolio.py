"""``suggest_portfolio``: a portfolio that suits the person, as advisory sessions give it."""

from __future__ import annotations

from maverik_backend.services.advice import Proposals, Refused, explanation
from maverik_backend.services.assistants.tools.base import (
    Arguments,
    FunctionTool,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutput,
)
from maverik_backend.services.turns import PORTFOLIO, Data


class NoArguments(Arguments):
    """What decides is the person's profile, which the product knows."""


def suggest_portfolio(proposals: Proposals) -> Tool:
    """The tool over ``proposals``."""

    def run(arguments: NoArguments, context: ToolContext) -> ToolOutput:
        del arguments
        situation, turn_id = context.request.question.situation, context.request.turn_id
        pending = proposals.ask(turn_id=turn_id, situation=situation, deadline=context.deadline)
        proposal = proposals.take(pending, turn_id=turn_id, within_s=context.deadline.remaining_s())
        if proposal is None:
            raise ToolFailed("There is no portfolio at the moment.")
        if isinstance(proposal, Refused):
            raise ToolFailed(f"No portfolio suits: {proposal.reason}")
        portfolio = proposal.as_json()
        return ToolOutput(
            value={"portfolio": portfolio, "explanation": explanation(proposal, situation)},
            data=(Data(name=PORTFOLIO, value=portfolio),),
        )

    return FunctionTool(
        name="suggest_portfolio",
        description="A portfolio that suits this person's profile, horizon and goal; only when one is asked for.",
        arguments=NoArguments,
        function=run,
    )
