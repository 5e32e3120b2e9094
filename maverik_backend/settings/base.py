"""What every group of settings is: fields under one prefix, read once, immutable."""

from __future__ import annotations

from typing import Any, Self

from pydantic_settings import BaseSettings, SettingsConfigDict


class Group(BaseSettings):
    """A group of settings that share a prefix."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True)

    @classmethod
    def isolated(cls, **values: Any) -> Self:  # noqa: ANN401 - whatever the fields take
        """The group with ``values`` and defaults, whatever the environment says."""
        for name, field in cls.model_fields.items():
            if isinstance(field.validation_alias, str):  # read under that name, so only a value under it comes first
                values[field.validation_alias] = values.pop(name, field.default)
        return cls(_env_prefix="=", _env_file=None, **values)  # no variable has such a prefix

    @classmethod
    def variables(cls) -> dict[str, str]:
        """The environment variable of each field."""
        prefix = str(cls.model_config.get("env_prefix", ""))
        return {
            name: str(field.validation_alias or f"{prefix}{name}").upper() for name, field in cls.model_fields.items()
        }
