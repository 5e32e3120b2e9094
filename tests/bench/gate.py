"""What care, suitability and sums add to a turn: processor time of all that is judged before an assistant is asked."""

from __future__ import annotations

import statistics
import time
from decimal import Decimal

from maverik_backend.clients.rag.base import Question, Situation
from maverik_backend.services.advice import calls_for_portfolio, findings_of, with_stated
from maverik_backend.services.safety import judge
from tests.bench.figures import Figure, Result
from tests.bench.stage import Stage

TRIES = 100
SAID = (
    "Tengo deudas con dos tarjetas y un préstamo personal, gano 900 mil por mes y quiero saber por dónde empezar a "
    "ordenar todo esto sin dejar de ahorrar algo"
)
SITUATION = Situation(goal="Viajar", capital=Decimal(12_000), horizon_months=48, risk_tolerance="media")
HISTORY = tuple((SAID, "Bien. " * 50) for _ in range(20))


def gate(stage: Stage) -> Result:
    took_ms = []
    for _ in range(stage.rounds(TRIES)):
        began = time.process_time()
        judge_all()
        took_ms.append((time.process_time() - began) * 1000)
    median = statistics.median(took_ms)
    return Result(
        figures=[Figure(title="the gate before a turn with 20 earlier ones", value=median, unit="ms", at_most=3)],
        details={"median_ms": median, "worst_ms": max(took_ms)},
    )


def judge_all() -> None:
    """Everything that ``services/sessions/advisory.py`` asks before it asks an assistant."""
    judge(SAID, remembered=None)
    situation = with_stated(SITUATION, [*(person for person, _ in HISTORY), SAID])
    question = Question(user_profile="", chat_history=HISTORY, input=SAID, situation=situation)
    calls_for_portfolio(SAID, has_goal=True, is_due=True)
    findings_of(question, is_opening=False)
