"""docker-compose.yml and what it relies on elsewhere agree."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from uvicorn import Config

from maverik_backend import settings as settings_module
from maverik_backend.core.security import generate_paserk
from maverik_backend.errors import SettingsError
from maverik_backend.settings import PUBLISHED_DB_PASSWORD, Settings, load_config
from maverik_backend.web.middleware.body_limit import LARGEST_BYTES, UPLOADS
from tests.deployments.compose import environment_of, example_env, services
from tests.deployments.nginx import directives
from tests.support.paths import ROOT

FRONTEND_TIMEOUT_S = 60  # the frontend's own, from the contract with it
EVERY_SERVICE = ["old-database", "db", "migrate", "backend", "nginx", "mailpit"]
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


def fake_programs(folder: Path, *names: str) -> Path:
    """A folder of programs that print how they were called."""
    for name in names:
        (folder / name).write_text(f'#!/bin/sh\necho "{name} $*"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def replay(
    command: list[str], programs: Path | None, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """A container's command, here: its mounted scripts are those of the repository."""
    path = f"{programs}{os.pathsep}{os.environ['PATH']}" if programs else os.environ["PATH"]
    words = [word.replace("/scripts/", f"{ROOT}/deployments/database/") for word in command]
    return subprocess.run(  # noqa: S603 - a script of ours
        words, check=False, capture_output=True, text=True, timeout=30, env={**environment, "PATH": path}
    )


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
    known = {variable for group in settings_module.GROUPS.values() for variable in group.variables().values()}
    development = services({"COMPOSE_PROFILES": "development"})["backend"]

    assert set(environment_of(development, {})) <= known


def test_every_variable_has_a_default_and_stands_in_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    explained = (ROOT / ".env.example").read_text(encoding="utf-8")
    used = re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", re.sub(r"^ *#.*$", "", text, flags=re.MULTILINE))

    assert {default[:2] for _, default in used} == {":-"}
    assert [name for name, _ in used if not re.search(rf"^(# )?{name}=", explained, re.MULTILINE)] == []


@pytest.mark.parametrize("name", ["old-database", "db", "nginx", "mailpit"])
def test_images_of_others_are_one_release(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", services({})[name]["image"])


def test_everything_waits_for_what_it_needs() -> None:
    found = services({})

    assert found["db"]["depends_on"] == {"old-database": {"condition": "service_completed_successfully"}}
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
def test_only_this_machine_is_served_by_default(name: str) -> None:
    (port,) = services(example_env())[name]["ports"]

    assert port.startswith("127.0.0.1:")


class TestAnotherDatabase:
    def test_host_and_port_of_env_are_the_backend_s(self, load: Any) -> None:
        database = load({**example_env(), "DB_HOST": "db.example.com", "DB_PORT": "6432"}).database

        assert (database.host, database.port) == ("db.example.com", 6432)

    def test_it_can_be_reached_by_all_that_use_it(self) -> None:
        for name in OURS:
            assert "edge" in services({})[name]["networks"]

    @pytest.mark.parametrize("name", OURS)
    def test_this_machine_has_a_name(self, name: str) -> None:
        assert services({})[name]["extra_hosts"] == ["host.docker.internal:host-gateway"]

    def test_ours_listens_where_the_backend_looks_for_it(self, load: Any) -> None:
        env = {**example_env(), "DB_HOST": "db", "DB_PORT": "5433"}

        assert services(env)["db"]["environment"]["PGPORT"] == str(load(env).database.port) == "5433"

    @pytest.mark.parametrize(
        ("host", "runs"),
        [
            ("", "docker-entrypoint.sh postgres"),
            ("db", "docker-entrypoint.sh postgres"),
            ("db.example.com", "sleep infinity"),
        ],
    )
    def test_ours_is_started_only_when_none_is_named(self, tmp_path: Path, host: str, runs: str) -> None:
        service = services({"DB_HOST": host})["db"]
        programs = fake_programs(tmp_path, "docker-entrypoint.sh", "sleep")

        ran = replay([*service["entrypoint"], *service["command"]], programs, service["environment"])

        assert ran.stdout.splitlines()[-1] == runs

    @pytest.mark.parametrize(
        ("host", "asks"),
        [
            ("db", "pg_isready --quiet --host 127.0.0.1 --username maverik --dbname maverik\n"),
            ("db.example.com", ""),
        ],
    )
    def test_ours_is_asked_for_its_health_only_when_it_runs(self, tmp_path: Path, host: str, asks: str) -> None:
        service = services({"DB_HOST": host})["db"]
        programs = fake_programs(tmp_path, "pg_isready")

        ran = replay(service["healthcheck"]["test"][1:], programs, service["environment"])

        assert (ran.returncode, ran.stdout) == (0, asks)


class TestTheVolumeOfTheOlderComposeFile:
    @pytest.fixture
    def volumes(self, tmp_path: Path) -> tuple[Path, Path]:
        """Of the older release and of this one, both empty, as a machine that never had either shows them."""
        old, new = tmp_path / "old", tmp_path / "new"
        old.mkdir()
        new.mkdir()
        return old, new

    @staticmethod
    def fill_old(old: Path) -> None:
        (old / "PG_VERSION").write_text("16\n", encoding="utf-8")

    @staticmethod
    def fill_new(new: Path) -> None:
        cluster = new / "18" / "docker"
        cluster.mkdir(parents=True)
        (cluster / "PG_VERSION").write_text("18\n", encoding="utf-8")

    @staticmethod
    def look(volumes: tuple[Path, Path], **env: str) -> subprocess.CompletedProcess[str]:
        service = services(env)["old-database"]
        places = dict(zip(("/old", "/new"), map(str, volumes), strict=True))
        return replay(
            [*service["entrypoint"], *(places[word] for word in service["command"])], None, service["environment"]
        )

    def test_it_is_only_looked_at(self) -> None:
        service = services({})["old-database"]
        mounted = {volume.split(":")[0]: volume.split(":")[1:] for volume in service["volumes"]}

        assert mounted["old-database"] == ["/old", "ro"]
        assert mounted["database"] == ["/new", "ro"]
        assert service["network_mode"] == "none"

    def test_a_new_installation_starts(self, volumes: tuple[Path, Path]) -> None:
        assert self.look(volumes).returncode == 0

    def test_beside_it_nothing_starts_and_one_sentence_says_what_to_do(self, volumes: tuple[Path, Path]) -> None:
        self.fill_old(volumes[0])

        looked = self.look(volumes, OLD_DATABASE_VOLUME="otra_pgdata")

        assert looked.returncode == 1
        assert looked.stderr.startswith("Nothing was started: the volume otra_pgdata holds a database of PostgreSQL 16")
        assert 'docs/UPGRADING.md says under "Docker compose"' in looked.stderr
        assert "## Docker compose" in (ROOT / "docs" / "UPGRADING.md").read_text(encoding="utf-8")

    def test_once_carried_over_everything_starts_beside_it(self, volumes: tuple[Path, Path]) -> None:
        self.fill_old(volumes[0])
        self.fill_new(volumes[1])

        assert self.look(volumes).returncode == 0

    @pytest.mark.parametrize("env", [{"START_EMPTY": "yes"}, {"DB_HOST": "db.example.com"}], ids=str)
    def test_beside_it_starts_what_was_asked_for(self, volumes: tuple[Path, Path], env: dict[str, str]) -> None:
        self.fill_old(volumes[0])

        assert self.look(volumes, **env).returncode == 0


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
        assert kept_s[0] < Config("any:app", log_config=None).timeout_keep_alive


def test_the_proxy_takes_bodies_as_large_as_the_application_does() -> None:
    (upload,) = UPLOADS.values()
    assert directives("client_max_body_size") == [[f"{LARGEST_BYTES // 1024}k"], [f"{upload // 1024**2}m"]]
