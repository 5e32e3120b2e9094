"""What docker compose makes of docker-compose.yml, as far as this one needs it: merged, its variables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

from tests.support.paths import ROOT

_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+):-([^}]*)\}")


def example_env() -> dict[str, str]:
    """What ``cp .env.example .env`` sets."""
    return _read(ROOT / ".env.example")


def services(env: Mapping[str, str]) -> dict[str, Any]:
    """Every service, when ``.env`` holds ``env``."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    filled = _VARIABLE.sub(lambda found: env.get(found[1]) or found[2], text)
    found: dict[str, Any] = yaml.safe_load(filled)["services"]
    return found


def environment_of(service: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, str]:
    """What a container of ``service`` finds in its environment: its files in order, its own values last."""
    variables: dict[str, str] = {}
    for file in service["env_file"]:
        variables |= env if file["path"] == ".env" else _read(ROOT / file["path"])
        assert file["required"] is False, "a file that need not be there"
    return {**variables, **service["environment"]}


def _read(file: Path) -> dict[str, str]:
    """Its variables; none when there is no such file."""
    return {name: value or "" for name, value in dotenv_values(file, interpolate=False).items()}
