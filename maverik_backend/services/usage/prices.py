"""What tokens cost: one table (``prices.toml``), which operators override with a file of the same form."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Self

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maverik_backend.errors import SettingsError

SHIPPED = Path(__file__).with_name("prices.toml")

_log = structlog.get_logger(__name__)


class Price(BaseModel):
    """US dollars for a million tokens; ``cached`` is for input from the provider's cache, as ``input`` where unset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Decimal = Field(ge=0, le=100_000)
    output: Decimal = Field(ge=0, le=100_000)
    cached: Decimal | None = Field(default=None, ge=0, le=100_000)

    def of(self, *, input_tokens: int, cached_tokens: int, output_tokens: int) -> Decimal:
        """What so many tokens cost, in millionths of a US dollar."""
        cached = self.input if self.cached is None else self.cached
        return (input_tokens - cached_tokens) * self.input + cached_tokens * cached + output_tokens * self.output


_FREE = Price(input=Decimal(0), output=Decimal(0))


class Prices:
    """Prices by patterns of ``provider:model`` in several tables; the first one in which a pattern fits counts."""

    def __init__(self, tables: Sequence[Mapping[str, Price]]) -> None:
        self._tables = tables
        self._find = lru_cache(maxsize=1_000)(self._look_up)

    @classmethod
    def load(cls, own: Path | None) -> Self:
        """Those of the file ``own``, and the shipped ones for what it leaves out.

        Raises:
            SettingsError: with a sentence for each fault of the file.
        """
        return cls([_read(path) for path in (own, SHIPPED) if path is not None])

    def find(self, model: str) -> Price | None:
        """The price of ``model`` (``provider:model``): of the longest pattern that fits."""
        return self._find(model)

    def cost_microusd(self, model: str, *, input_tokens: int, cached_tokens: int, output_tokens: int) -> int:
        """What the tokens cost, in whole millionths of a US dollar; 0 for a model without a price."""
        price = self.find(model) or _FREE
        cost = price.of(input_tokens=input_tokens, cached_tokens=cached_tokens, output_tokens=output_tokens)
        return int(cost.to_integral_value())

    def _look_up(self, model: str) -> Price | None:
        for table in self._tables:
            if fitting := [pattern for pattern in table if fnmatchcase(model, pattern)]:
                return table[max(fitting, key=len)]
        _log.warning("model_without_price", model=model)  # once, as what is found is kept
        return None


def _read(path: Path) -> dict[str, Price]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise SettingsError([f"MODEL_PRICES_FILE cannot be read: {error.strerror}."]) from None
    except ValueError as error:  # no UTF-8, or no TOML
        raise SettingsError([f"MODEL_PRICES_FILE is no TOML: {error}."]) from None
    prices: dict[str, Price] = {}
    faults: list[str] = []
    for pattern, values in table.items():
        try:
            prices[pattern] = Price.model_validate(values)
        except ValidationError as error:
            faults += [
                f'MODEL_PRICES_FILE, "{pattern}": {".".join(map(str, fault["loc"])) or "the price"}: {fault["msg"]}.'
                for fault in error.errors(include_input=False, include_url=False)
            ]
    if faults:
        raise SettingsError(faults)
    return prices
