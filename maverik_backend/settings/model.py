"""The whole configuration: its groups, and what a process may need of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from maverik_backend.settings.advice import AdviceSettings
from maverik_backend.settings.app import AppSettings
from maverik_backend.settings.assistants import AssistantSettings
from maverik_backend.settings.base import Group
from maverik_backend.settings.data_sources import DataSourceSettings
from maverik_backend.settings.database import DatabaseSettings
from maverik_backend.settings.embeddings import EmbeddingsSettings
from maverik_backend.settings.frontend import FrontendSettings
from maverik_backend.settings.llm import LlmSettings
from maverik_backend.settings.mail import MailSettings
from maverik_backend.settings.security import SecuritySettings
from maverik_backend.settings.usage import UsageSettings


class Settings(BaseModel):
    """The whole configuration, immutable. Build it with :func:`load_config`; tests build the groups directly."""

    model_config = ConfigDict(frozen=True)

    app: AppSettings = Field(default_factory=AppSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    advice: AdviceSettings = Field(default_factory=AdviceSettings)
    assistants: AssistantSettings = Field(default_factory=AssistantSettings)
    llm: LlmSettings = Field(default_factory=LlmSettings)
    usage: UsageSettings = Field(default_factory=UsageSettings)
    mail: MailSettings = Field(default_factory=MailSettings)
    embeddings: EmbeddingsSettings = Field(default_factory=EmbeddingsSettings)
    security: SecuritySettings = Field(default_factory=SecuritySettings)
    frontend: FrontendSettings = Field(default_factory=FrontendSettings)
    data_sources: DataSourceSettings = Field(default_factory=DataSourceSettings)

    def listening_on(self, host: str, port: int) -> Self:
        """The same, for a process that was told on the command line where to listen."""
        return self.model_copy(update={"app": self.app.model_copy(update={"host": host, "port": port})})

    @property
    def mailbox_dir(self) -> Path:
        """Where the local mailbox keeps its files."""
        return self.app.local_data_dir / "mailbox"


GROUPS: dict[str, type[Group]] = {
    "app": AppSettings,
    "database": DatabaseSettings,
    "advice": AdviceSettings,
    "assistants": AssistantSettings,
    "llm": LlmSettings,
    "usage": UsageSettings,
    "mail": MailSettings,
    "embeddings": EmbeddingsSettings,
    "security": SecuritySettings,
    "frontend": FrontendSettings,
    "data_sources": DataSourceSettings,
}


class Need(StrEnum):
    """What not every process does, and so not every process is given the secrets for."""

    TOKENS = "tokens"
    """Seals and opens tokens and mails: ``SECRET_KEY``."""
    MAIL = "mail"
    """Delivers mails: an address to send them to, and the right to."""
