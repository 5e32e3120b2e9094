"""Phrases that the first corpora had missed: of which kind each is matters less than that it is seen."""

from __future__ import annotations

import pytest

from maverik_backend.clients.rag.base import Situation
from maverik_backend.services.advice.suitability import unsuitable_in
from maverik_backend.services.safety import care_in
from tests.support.paths import FIXTURE_DATA

LINES = (FIXTURE_DATA / "later_phrases.txt").read_text(encoding="utf-8").splitlines()
PHRASES = [tuple(part.strip() for part in line.partition("|")[::2]) for line in LINES if not line.startswith("#")]


@pytest.mark.parametrize(("kind", "text"), PHRASES)
def test_each_is_seen_for_what_it_is(kind: str, text: str) -> None:
    is_care = care_in(text) is not None
    is_wish = unsuitable_in(text, Situation(horizon_months=60, age=35)) is not None

    assert is_care if kind == "care" else not is_care or kind == "wish"
    assert is_wish or kind != "wish"
