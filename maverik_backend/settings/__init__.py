"""The configuration: grouped, read from the environment and `.env`, checked once at the start.

Every field is one environment variable: the group's prefix and the field's name in capitals (``DB_`` + ``HOST``), read
without regard to case; an empty value counts as not set. ``.env.example`` explains each of them to operators.

:func:`load_config` is the only reader. It collects *everything* that is wrong and raises one
:class:`~maverik_backend.errors.SettingsError` with a sentence for each finding, so that one
restart is enough to mend a configuration. ``APP_ENV=prod`` refuses every local default that would lose data or leak
secrets.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from maverik_backend.errors import SettingsError
from maverik_backend.settings.advice import AdviceSettings
from maverik_backend.settings.app import AppEnv, AppSettings
from maverik_backend.settings.assistants import AssistantSettings
from maverik_backend.settings.base import Group
from maverik_backend.settings.checks import contradictions
from maverik_backend.settings.data_sources import DataSourceSettings
from maverik_backend.settings.database import PUBLISHED_DB_PASSWORD, DatabaseSettings
from maverik_backend.settings.embeddings import EmbeddingsSettings
from maverik_backend.settings.frontend import FrontendSettings
from maverik_backend.settings.llm import LlmSettings
from maverik_backend.settings.mail import MailSettings
from maverik_backend.settings.model import GROUPS, Need, Settings
from maverik_backend.settings.security import SecuritySettings
from maverik_backend.settings.usage import UsageSettings

__all__ = [
    "GROUPS",
    "PUBLISHED_DB_PASSWORD",
    "AdviceSettings",
    "AppEnv",
    "AppSettings",
    "AssistantSettings",
    "DataSourceSettings",
    "DatabaseSettings",
    "EmbeddingsSettings",
    "FrontendSettings",
    "LlmSettings",
    "MailSettings",
    "Need",
    "SecuritySettings",
    "Settings",
    "UsageSettings",
    "load_config",
]


def load_config(env_file: Path | None = Path(".env"), *, needs: Collection[Need] = frozenset(Need)) -> Settings:
    """Read the environment and ``env_file`` (the environment wins) and check the whole.

    ``needs`` is what this process does; what only others need may be missing.

    Raises:
        SettingsError: with one English sentence for every problem found.
    """
    problems: list[str] = []
    groups: dict[str, Group] = {}
    for name, group in GROUPS.items():
        try:
            groups[name] = group(_env_file=env_file, _env_file_encoding="utf-8")
        except ValidationError as error:
            problems += [_sentence(group, detail) for detail in error.errors(include_input=False, include_url=False)]
        except UnicodeDecodeError:
            raise SettingsError([f"{env_file} cannot be read: it must be UTF-8 text."]) from None
    if problems:
        raise SettingsError(problems)
    settings = Settings.model_validate(groups)
    if problems := list(contradictions(settings, needs)):
        raise SettingsError(problems)
    return settings


def _sentence(group: type[Group], detail: ErrorDetails) -> str:
    """One finding of pydantic as a sentence that names the variable but never quotes its value."""
    field = str(detail["loc"][0]) if detail["loc"] else "settings"
    variable = group.variables().get(field, field.upper())
    if len(detail["loc"]) > 1:  # a variable a name
        variable = variable.replace("<NAME>", str(detail["loc"][1]).upper())
    reason = detail["msg"].rstrip(".")
    return f"{variable} cannot be used: {reason[:1].lower()}{reason[1:]}."
