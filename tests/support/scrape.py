"""What ``GET /metrics`` says, read as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


def samples(page: str) -> list[Sample]:
    """Every line that is a value."""
    return [sample for family in text_string_to_metric_families(page) for sample in family.samples]


def value(page: str, name: str, **labels: str) -> float | None:
    """The sum over all series of ``name`` that have ``labels``; ``None`` when there is no such one."""
    found = [sample.value for sample in samples(page) if sample.name == name and _has(sample.labels, labels)]
    return sum(found) if found else None


def _has(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return labels.items() >= wanted.items()
