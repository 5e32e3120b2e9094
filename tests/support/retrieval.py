"""How well passages of the shipped articles are found: questions with the articles that answer them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support.paths import FIXTURE_DATA

QUESTIONS: list[dict[str, list[str]]] = json.loads(
    (FIXTURE_DATA / "retrieval_questions.json").read_text(encoding="utf-8")
)
FOUND = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """``recall`` is the share of questions with a right article among the first :data:`FOUND`; ``mrr`` the mean of 1 /
    the place of the first right one, 0 where there is none.
    """

    recall: float
    mrr: float
    missed: tuple[str, ...]


def measure(find: Callable[[str], Sequence[str | None]]) -> Quality:
    """``find`` gives the slugs of the articles that the passages found are of, best first, repeated as they come."""
    reciprocals, missed = [], []
    for item in QUESTIONS:
        question = str(item["question"])
        articles = list(dict.fromkeys(find(question)))[:FOUND]
        places = [place for place, slug in enumerate(articles, start=1) if slug in item["expected"]]
        reciprocals.append(1 / places[0] if places else 0.0)
        missed += [] if places else [question]
    total = len(QUESTIONS)
    return Quality(recall=1 - len(missed) / total, mrr=sum(reciprocals) / total, missed=tuple(missed))
