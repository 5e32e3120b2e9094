"""How much principals may use of language models, and what that costs."""

from __future__ import annotations

from pydantic import Field, FilePath
from pydantic_settings import SettingsConfigDict

from maverik_backend.settings.base import Group


class UsageSettings(Group):
    """Limits of each principal, by days and months of the clocks of Argentina. ``None``: no limit."""

    model_config = SettingsConfigDict(env_prefix="QUOTA_")

    tokens_per_day: int | None = Field(default=None, ge=1, le=10**12)
    """Tokens of input and output together."""
    tokens_per_month: int | None = Field(default=None, ge=1, le=10**12)
    usd_per_day: float | None = Field(default=None, gt=0, le=10**6)
    """What the tokens cost by the table of prices, in US dollars."""
    usd_per_month: float | None = Field(default=None, gt=0, le=10**6)
    model_prices_file: FilePath | None = Field(default=None, validation_alias="MODEL_PRICES_FILE")
    """Prices that come before the shipped ones (services/usage/prices.toml)."""

    @property
    def has_cost_limit(self) -> bool:
        """Whether a limit is in US dollars."""
        return self.usd_per_day is not None or self.usd_per_month is not None
