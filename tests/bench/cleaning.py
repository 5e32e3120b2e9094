"""What renderers make active of hostile texts that were cleaned, with every one at hand, and what cleaning costs.

What the suite does with a few hundred texts (tests/core/test_renderers.py), with 100,000, by as many processes as there
are processors.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context

from maverik_backend.core import markdown as answer
from maverik_backend.core import plain_text
from tests.bench.figures import Figure, Result
from tests.bench.stage import Stage
from tests.support import node
from tests.support.markdown import hostile, made_active
from tests.support.node import NodeScript

TEXTS = 100_000
BATCH = 500
TRIES = 50
# As long as an answer usually is, with what it usually has.
ORDINARY = (
    "## Por dónde empezar\n\nConviene **separar** el dinero de todos los días y mirar [esta guía](https://example.com/a).\n\n"
    "- Un fondo de emergencia de tres meses.\n- Un plazo fijo, si la tasa le gana a la inflación.\n\n"
    "| Instrumento | Plazo |\n|---|---|\n| Plazo fijo | 30 días |\n\n"
) * 4


def cleaning(stage: Stage) -> Result:
    batches = range(stage.rounds(TEXTS // BATCH))
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        active = sum(pool.map(active_in_batch, batches))
    costs = {"cleaning": median_ms(answer.clean), "plain text": median_ms(plain_text.of)}
    return Result(
        figures=[
            Figure(title=f"active in {len(batches) * BATCH} cleaned texts", value=active, at_most=0),
            Figure(title="cleaning an ordinary answer", value=costs["cleaning"], unit="ms", at_most=20),
        ],
        details={"texts": len(batches) * BATCH, "node": node.missing() or "used", "median_ms": costs},
    )


def active_in_batch(number: int) -> int:
    """How often a renderer made something active of a cleaned text or its plain text."""
    texts = [answer.clean(hostile(f"bench-{number}-{each}")) for each in range(BATCH)]
    texts += [plain for text in texts if (plain := plain_text.of(text)) != text]
    with NodeScript("markdown.mjs") if node.missing() is None else nullcontext() as script:
        return len(made_active(texts, script))


def median_ms(work: Callable[[str], str]) -> float:
    took = []
    for _ in range(TRIES):
        began = time.process_time()
        work(ORDINARY)
        took.append((time.process_time() - began) * 1000)
    return statistics.median(took)
