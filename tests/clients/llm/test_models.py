"""Which models may be asked, by what names, and what stops the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maverik_backend.clients.llm.base import ModelName
from maverik_backend.clients.llm.models import ALIASES, IN_PROCESS, PROVIDERS, ConfiguredModels
from maverik_backend.clients.registry import ClientContext
from maverik_backend.errors import ModelUnavailable, SettingsError
from maverik_backend.settings import AppSettings, LlmSettings, Settings
from tests.support.processes import run_python
from tests.support.providers.vendor import KEY
from tests.support.providers.vendors import VENDORS

ALL_KEYS = dict.fromkeys(("openai_api_key", "anthropic_api_key", "google_ai_api_key", "perplexity_api_key"), KEY)


def models(**values: Any) -> ConfiguredModels:
    app = AppSettings.isolated(app_env=values.pop("app_env", "local"))
    settings = Settings(app=app, llm=LlmSettings.isolated(**values))
    return ConfiguredModels.from_context(ClientContext(settings=settings, search=lambda _text, *, limit: [][:limit]))


class TestNames:
    def test_a_name_is_its_provider_and_its_model(self) -> None:
        assert ModelName.parse("openai:llama3.2:3b") == ModelName("openai", "llama3.2:3b")

    @pytest.mark.parametrize("name", ["", "gpt", ":gpt", "openai:", "  "])
    def test_anything_else_is_none(self, name: str) -> None:
        with pytest.raises(ModelUnavailable, match="provider:model"):
            models().find(name)

    @pytest.mark.parametrize("alias", ALIASES)
    def test_an_alias_means_a_model_of_a_provider_that_there_is(self, alias: str) -> None:
        found = models(**ALL_KEYS).find(alias)

        assert str(found) == ALIASES[alias]
        assert found.provider in PROVIDERS

    def test_a_provider_that_there_is_not_is_told_with_those_that_there_are(self) -> None:
        with pytest.raises(ModelUnavailable, match="openai, anthropic, gemini, perplexity"):
            models().find("mistral:large")

    @pytest.mark.parametrize(
        ("name", "setting"),
        [
            ("openai:gpt-4o", "OPENAI_API_KEY"),
            ("anthropic:claude-opus-4-5", "ANTHROPIC_API_KEY"),
            ("gemini-2.0-flash", "GOOGLE_AI_API_KEY"),
            ("perplexity:fast-search", "PERPLEXITY_API_KEY"),
        ],
    )
    def test_one_that_is_not_configured_says_what_to_set(self, name: str, setting: str) -> None:
        with pytest.raises(ModelUnavailable, match=setting):
            models().find(name)


class TestConfiguring:
    def test_each_provider_is_there_with_its_key(self) -> None:
        assert set(models(**ALL_KEYS).by_provider) == set(PROVIDERS)

    def test_a_compatible_server_needs_none(self) -> None:
        assert "openai" in models(openai_base_url="http://localhost:11434/v1").by_provider

    def test_the_default_may_be_an_alias(self) -> None:
        assert models(default_ai_model="openai-gpt4o", openai_api_key=KEY).default == ModelName("openai", "gpt-4o")

    def test_a_default_that_cannot_be_asked_stops_the_start(self) -> None:
        with pytest.raises(SettingsError, match=r"DEFAULT_AI_MODEL cannot be used: openai is not configured: set"):
            models(default_ai_model="openai:gpt-4o")

    def test_production_has_no_scripted_model(self) -> None:
        with pytest.raises(SettingsError, match="APP_ENV=prod"):
            models(app_env="prod", default_ai_model="scripted:demo")

    @pytest.mark.parametrize("name", ["openai", "anthropic", "google_ai", "perplexity"])
    def test_production_sends_no_key_in_clear(self, name: str) -> None:
        settings = LlmSettings.isolated(**{f"{name}_api_key": KEY, f"{name}_base_url": "http://10.0.0.1"})

        assert [f"{name.upper()}_BASE_URL" in problem for problem in settings.production_problems()] == [True]

    def test_production_may_ask_a_server_without_a_key_in_clear(self) -> None:
        assert not list(LlmSettings.isolated(openai_base_url="http://ollama:11434/v1").production_problems())

    @pytest.mark.parametrize("key", ["sk a", "sk\nX: y", "clavé"])
    def test_a_key_that_no_header_can_hold_is_refused_and_not_quoted(self, key: str) -> None:
        with pytest.raises(ValueError, match="printable") as raised:
            LlmSettings.isolated(openai_api_key=key)
        assert key not in str(raised.value)

    def test_spaces_around_a_key_mean_nothing(self) -> None:
        key = LlmSettings.isolated(openai_api_key=f" {KEY}\n").openai_api_key

        assert key is not None
        assert key.get_secret_value() == KEY

    def test_a_key_is_not_in_what_is_printed(self) -> None:
        assert KEY not in repr(LlmSettings.isolated(**ALL_KEYS))


def test_every_provider_over_http_is_played_by_the_tests() -> None:
    assert set(VENDORS) == set(PROVIDERS) - IN_PROCESS


def test_without_a_provider_nothing_of_it_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys, maverik_backend.api\n"
        "from maverik_backend.clients.llm.models import ConfiguredModels\n"
        "from maverik_backend.clients.registry import ClientContext\n"
        "from maverik_backend.settings import Settings\n"
        "ConfiguredModels.from_context(ClientContext(settings=Settings(), search=None))\n"
        "print(sorted({'aiohttp', 'openai', 'anthropic', 'google.genai'} & sys.modules.keys()))"
    )

    assert run_python("-c", code, cwd=tmp_path).stdout.strip() == "[]"
