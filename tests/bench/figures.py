"""What a measurement hands back, and how all of them are shown and kept."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with its unit and, where one is promised, its bound."""

    title: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def bound(self) -> str:
        if self.at_least is not None:
            return f">= {self._shown(self.at_least)}"
        return "" if self.at_most is None else f"<= {self._shown(self.at_most)}"

    @property
    def is_reached(self) -> bool:
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def row(self) -> tuple[str, str, str, str]:
        verdict = ("yes" if self.is_reached else "NO") if self.bound else ""
        return self.title, self._shown(self.value), self.bound, verdict

    def _shown(self, value: float) -> str:
        digits = max(0, 3 - len(str(int(abs(value)))))
        return f"{value:,.{digits}f} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The figures of one measurement, and under ``details`` every number and setting behind them."""

    figures: Sequence[Figure]
    details: Mapping[str, Any] = field(default_factory=dict)


def table(figures: Sequence[Figure]) -> str:
    """All figures, one a line."""
    rows = [("figure", "measured", "must reach", "reached?"), *(figure.row for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def write(path: Path, results: Mapping[str, Result], *, postgres: str) -> None:
    """Everything that was measured, and the machine, as JSON."""
    content = {
        "machine": {**machine(), "postgresql": postgres},
        "measurements": {
            name: {
                "figures": [
                    {
                        "title": figure.title,
                        "value": figure.value,
                        "unit": figure.unit,
                        "bound": figure.bound,
                        "reached": figure.is_reached,
                    }
                    for figure in result.figures
                ],
                "details": result.details,
            }
            for name, result in results.items()
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """What the figures depend on beside the product."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
