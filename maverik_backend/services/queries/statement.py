"""A statement that passed the fence, which alone may be run."""

from __future__ import annotations

from dataclasses import dataclass

ROW_LIMIT = "maverik_row_limit"
"""The last parameter of every statement: how many rows it returns at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """``sql`` has ``$1`` for the first of ``parameters``, and so on; ``columns`` are the names of what it returns."""

    sql: str
    parameters: tuple[str, ...]
    columns: tuple[str, ...]
