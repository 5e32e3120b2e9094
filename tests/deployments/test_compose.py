"""docker-compose.yml and what it relies on elsewhere agree."""

from __future__ import annotations

import re
from typing import Any

import pytest
from uvicorn import Config

from maverik_backend import settings as settings_module
from maverik_backend.core.security import generate_paserk
from maverik_backend.errors import SettingsError
from maverik_backend.settings import PUBLISHED_DB_PASSWORD, Settings, load_config
from maverik_backend.web.body_limit import LARGEST_BYTES
from tests.deployments.compose import environment_of, example_env, services
from tests.deployments.nginx import directives
from tests.processes import ROOT

FRONTEND_TIMEOUT_S = 60  # the frontend's own, from the contract with it
EVERY_SERVICE = ["db", "migrate", "backend", "nginx", "mailpit"]
OURS = ["migrate", "backend"]
PRODUCTION = {
    "APP_ENV": "prod",
    "DB_PASSWORD": "una clave propia",
    "SECRET_KEY": generate_paserk(),
    "FRONTEND_URL": "https://app.example.com",
    "PUBLIC_URL": "https://api.example.com",
    "SMTP_HOST": "smtp.example.com",
    "MAIL_SENDER_ADDRESS": "no-responder@example.com",
}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``load({"APP_ENV": "prod"})``: the backend's settings, when .env holds these."""

    def load(env: dict[str, str]) -> Settings:
        for name, value in environment_of(services(env)["backend"], env).items():
            monkeypatch.setenv(name, value)
        return load_config(env_file=None)

    return load


def seconds(duration: str) -> int:
    number = re.fullmatch(r"(\d+)s", duration)
    assert number, duration
    return int(number[1])


def test_the_example_is_enough_to_start(load: Any) -> None:
    settings = load(example_env())

    assert (settings.app.host, settings.app.port) == ("0.0.0.0", 8082)  # noqa: S104 - compared, not bound
    assert (settings.database.host, settings.database.username) == ("db", "maverik")
    assert (settings.mail.smtp_host, settings.mail.smtp_security) == ("mailpit", "none")
    assert settings.security.rate_limit_storage.get_secret_value() == "postgres"
    assert settings.security.trusted_proxy_count == 1


def test_nothing_at_all_is_enough_to_start(load: Any) -> None:
    assert load({}).mail.is_local


def test_production_refuses_what_only_development_may_have(load: Any) -> None:
    with pytest.raises(SettingsError) as refused:
        load({**example_env(), "APP_ENV": "prod"})

    reasons = (
        *("DB_PASSWORD is the one", "SMTP_SECURITY=none sends", "SECRET_KEY is not set"),
        *("PUBLIC_URL is not set", "FRONTEND_URL is not set"),
    )
    assert [problem[: len(reason)] for problem, reason in zip(refused.value.problems, reasons, strict=True)] == [
        *reasons
    ]


def test_production_needs_no_other_file(load: Any) -> None:
    settings = load({**example_env(), **PRODUCTION, "COMPOSE_PROFILES": ""})

    assert settings.app.is_production
    assert (settings.mail.smtp_host, settings.mail.smtp_security) == ("smtp.example.com", "starttls")


def test_the_database_has_the_password_that_the_backend_uses() -> None:
    for env in ({}, PRODUCTION):
        found = services(env)
        assert found["db"]["environment"]["POSTGRES_PASSWORD"] == found["backend"]["environment"]["DB_PASSWORD"]

    assert services({})["db"]["environment"]["POSTGRES_PASSWORD"] == PUBLISHED_DB_PASSWORD


def test_it_sets_nothing_that_is_no_setting() -> None:
    known = {
        str(field.validation_alias or f"{group.model_config.get('env_prefix', '')}{name}").upper()
        for group in settings_module._GROUPS.values()  # noqa: SLF001
        for name, field in group.model_fields.items()
    }
    development = services({"COMPOSE_PROFILES": "development"})["backend"]

    assert set(environment_of(development, {})) <= known


def test_every_variable_has_a_default_and_stands_in_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    explained = (ROOT / ".env.example").read_text(encoding="utf-8")
    used = re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", re.sub(r"^ *#.*$", "", text, flags=re.MULTILINE))

    assert {default[:2] for _, default in used} == {":-"}
    assert [name for name, _ in used if not re.search(rf"^(# )?{name}=", explained, re.MULTILINE)] == []


@pytest.mark.parametrize("name", ["db", "nginx", "mailpit"])
def test_images_of_others_are_one_release(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", services({})[name]["image"])


def test_everything_waits_for_what_it_needs() -> None:
    found = services({})

    assert found["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert found["backend"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert found["nginx"]["depends_on"] == {"backend": {"condition": "service_healthy"}}
    assert "healthcheck" in found["db"]


def test_any_number_of_backends_fits() -> None:
    backend = services({})["backend"]

    assert not {"ports", "container_name", "hostname"} & set(backend)
    assert backend["volumes"] == ["keys:/data"]  # one key for all of them


@pytest.mark.parametrize("name", [name for name in EVERY_SERVICE if name != "db"])
def test_containers_may_do_no_more_than_they_must(name: str) -> None:
    service = services({})[name]

    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", EVERY_SERVICE)
def test_containers_have_bounds(name: str) -> None:
    assert {"cpus", "memory", "pids"} <= set(services({})[name]["deploy"]["resources"]["limits"])


@pytest.mark.parametrize("name", ["nginx", "mailpit"])
def test_only_this_machine_is_served_until_somebody_says_otherwise(name: str) -> None:
    (port,) = services(example_env())[name]["ports"]

    assert port.startswith("127.0.0.1:")


class TestOrderOfTimes:
    def test_the_proxy_waits_longer_than_a_turn_and_less_than_the_frontend(self) -> None:
        turn_s = Settings().advice.external_service_timeout

        assert turn_s + 5 < seconds(directives("proxy_read_timeout")[0][0]) < FRONTEND_TIMEOUT_S

    def test_containers_are_not_killed_before_their_requests_had_time_to_end(self) -> None:
        found = services(example_env())

        assert seconds(found["backend"]["stop_grace_period"]) > Settings().app.shutdown_s + 10
        assert seconds(found["nginx"]["stop_grace_period"]) > seconds(directives("proxy_read_timeout")[0][0])

    def test_every_thread_that_a_turn_may_need_can_be_started(self) -> None:
        limits = services(example_env())["backend"]["deploy"]["resources"]["limits"]

        assert limits["pids"] > 2 * Settings().app.worker_threads + 100  # its own and the optimiser's

    def test_the_proxy_forgets_idle_connections_before_the_backend_closes_them(self) -> None:
        kept_s = [seconds(found[0]) for found in directives("keepalive_timeout", inside="upstream")]

        assert kept_s == [4]
        assert kept_s[0] < Config("any:app").timeout_keep_alive


def test_the_proxy_takes_bodies_as_large_as_the_application_does() -> None:
    assert directives("client_max_body_size") == [[f"{LARGEST_BYTES // 1024}k"]]
