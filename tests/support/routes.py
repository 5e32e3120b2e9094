"""The routes of the application with everything switched on, for tests that are made from each of them.

They are read off an application while tests are collected: no router that ``create_app`` includes can be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import SecretStr
from sqlalchemy import create_engine

from maverik_backend.api import create_app
from maverik_backend.core.database import Database
from maverik_backend.settings import (
    AdviceSettings,
    AppSettings,
    DatabaseSettings,
    FrontendSettings,
    MailSettings,
    SecuritySettings,
    Settings,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path; ``endpoint`` is the function that answers it."""

    method: str
    path: str
    endpoint: Callable[..., Any] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _application() -> FastAPI:
    """An application that connects to nothing."""
    settings = Settings(
        app=AppSettings.isolated(app_env="test", api_docs=True, local_data_dir=Path("unused")),
        database=DatabaseSettings.isolated(),
        advice=AdviceSettings.isolated(
            rag_service_url="http://rag.invalid", portfolio_optimization_url="http://optimizer.invalid"
        ),
        mail=MailSettings.isolated(smtp_host="mail.invalid", mail_sender_address="m@example.com"),
        security=SecuritySettings.isolated(
            secret_key=SecretStr("k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8"),
            metrics_token=SecretStr("x" * 16),
        ),
        frontend=FrontendSettings.isolated(),
    )
    return create_app(settings, database=Database(create_engine("postgresql+pg8000://")))


def _routes(app: FastAPI) -> tuple[Route, ...]:
    return tuple(
        Route(method=method, path=context.path, endpoint=context.endpoint)
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute) and context.path and context.endpoint
        for method in sorted(context.methods or ())
    )


OWN_ROUTES = _routes(_application())
