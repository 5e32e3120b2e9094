"""What the configuration accepts, what it refuses, and in which words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from maverik_backend.core.security import generate_paserk
from maverik_backend.errors import SettingsError
from maverik_backend.invocation import own_command
from maverik_backend.settings import AppEnv, Settings, load_config

PASERK = "k4.local.vN3qYkR1sWz7JbTfXo5LdHc2Gm9UaEiP4Sx8Kj0QyVA"  # invented for these tests
SECRET = "geheim-Xq7"

MAIL_API = {
    "SMTP_API_URL": "https://mail.example.com/v3/email",
    "SMTP_API_KEY": "an-api-key",
    "MAIL_SENDER_ADDRESS": "hola@example.com",
}
SMTP = {"SMTP_HOST": "smtp.example.com", "MAIL_SENDER_ADDRESS": "hola@example.com"}
DATABASE = {"DB_HOST": "db.example.com", "DB_USERNAME": "maverik", "DB_PASSWORD": "a-password"}
PRODUCTION = {
    "APP_ENV": "prod",
    **DATABASE,
    **MAIL_API,
    "RAG_SERVICE_URL": "https://rag.example.com",
    "PORTFOLIO_OPTIMIZATION_URL": "https://optimizer.example.com",
    "FRONTEND_URL": "https://app.example.com",
    "PUBLIC_URL": "https://api.example.com",
    "SECRET_KEY": PASERK,
}


def variables() -> Iterator[str]:
    """Every environment variable that a group reads."""
    for group in Settings.model_fields.values():
        kind = group.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, BaseSettings)
        prefix = str(kind.model_config.get("env_prefix", ""))
        for name, field in kind.model_fields.items():
            yield str(field.validation_alias or f"{prefix}{name}").upper()


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = set(variables())
    for name in [name for name in os.environ if name.upper() in known]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


OLD_EXAMPLE = {
    "APP_ENV": "development",
    "DB_NAME": "maverik",
    "DB_SCHEMA": "public",
    "DB_USERNAME": "maverik",
    "DB_PASSWORD": "secret",
    "DB_HOST": "db",
    "DB_PORT": "5432",
    "RAG_SERVICE_URL": "http://host.docker.internal:8000",
    "PORTFOLIO_OPTIMIZATION_URL": "",
    "FRONTEND_URL": "http://localhost:5173",
    "SMTP_API_URL": "https://api.example.com/send",
    "SMTP_API_KEY": "dev-key",
    "MAIL_SENDER_NAME": "Maverik Bot",
    "MAIL_SENDER_ADDRESS": "no-reply@example.com",
    "SECRET_KEY": "k4.local.doPhJGTf4E4lAtRrC8WKUmr18LwF6T_r-kI9D1C_J-k=",
    "APP_MODULE": "maverik_backend.api:app",
    "EXTERNAL_SERVICE_TIMEOUT": "60",
}


def load(env: pytest.MonkeyPatch, values: dict[str, str]) -> Settings:
    for name, value in values.items():
        env.setenv(name, value)
    return load_config()


def problems_of(env: pytest.MonkeyPatch, values: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(env, values)
    return caught.value.problems


def write_env_file(content: str) -> None:
    Path(".env").write_text(content, encoding="utf-8")


class TestAnOlderInstallation:
    """What its ``.env.example`` told people to set, as they copied it."""

    def test_its_settings_are_accepted(self, env: pytest.MonkeyPatch) -> None:
        settings = load(env, OLD_EXAMPLE)

        assert settings.app.app_env is AppEnv.DEV
        assert (settings.database.host, settings.database.port) == ("db", 5432)
        assert settings.advice.external_service_timeout == 60
        assert settings.advice.optimizer == "embedded"
        assert settings.frontend.origins == ("http://localhost:5173",)
        assert settings.mail.sender == "http_api"

    def test_its_name_for_production_is_production(self, env: pytest.MonkeyPatch) -> None:
        assert any(
            "SECRET_KEY holds a published" in problem
            for problem in problems_of(env, {**OLD_EXAMPLE, "APP_ENV": "production"})
        )


class TestReading:
    def test_nothing_configured_is_a_local_installation(self) -> None:
        settings = load_config()

        assert settings.app.app_env is AppEnv.LOCAL
        assert settings.database.is_embedded
        assert settings.mail.is_local
        assert (settings.advice.advisor, settings.advice.optimizer) == ("embedded", "embedded")
        assert settings.security.secret_key is None

    def test_the_default_port_is_the_contract_s(self) -> None:
        assert load_config().app.port == 8082

    @pytest.mark.parametrize("name", ["DB_NAME", "db_name", "Db_Name"])
    def test_names_are_read_without_regard_to_case(self, env: pytest.MonkeyPatch, name: str) -> None:
        assert load(env, {name: "other"}).database.name == "other"

    @pytest.mark.parametrize("name", ["DB_SCHEMA", "db_schema"])
    def test_the_schema_has_the_name_that_installations_use(self, env: pytest.MonkeyPatch, name: str) -> None:
        assert load(env, {name: "asesoria"}).database.schema_name == "asesoria"

    @pytest.mark.parametrize("name", ["DB_NAME", "db_name"])
    def test_the_env_file_is_read(self, name: str) -> None:
        write_env_file(f"{name}=from_file\n")

        assert load_config().database.name == "from_file"

    def test_the_environment_wins_over_the_env_file(self, env: pytest.MonkeyPatch) -> None:
        write_env_file("DB_NAME=from_file\nPORT=9000\n")

        settings = load(env, {"DB_NAME": "from_environment"})

        assert (settings.database.name, settings.app.port) == ("from_environment", 9000)

    def test_another_env_file_can_be_named(self, tmp_path: Path) -> None:
        write_env_file("DB_NAME=default_file\n")
        (tmp_path / "other.env").write_text("DB_NAME=other_file\n", encoding="utf-8")

        assert load_config(tmp_path / "other.env").database.name == "other_file"

    def test_without_an_env_file_only_the_environment_counts(self) -> None:
        write_env_file("DB_NAME=from_file\n")

        assert load_config(None).database.name == "maverik"

    def test_accents_in_the_env_file_arrive(self) -> None:
        write_env_file("MAIL_SENDER_NAME=Asesoría Ñandú\n")

        assert load_config().mail.mail_sender_name == "Asesoría Ñandú"

    def test_an_env_file_in_another_encoding_is_told_in_a_sentence(self) -> None:
        Path(".env").write_bytes("MAIL_SENDER_NAME=Ñandú\n".encode("latin-1"))

        with pytest.raises(SettingsError, match=r"^\.env cannot be read: it must be UTF-8 text\.$"):
            load_config()

    @pytest.mark.parametrize("name", ["DB_HOST", "DB_PORT", "RAG_SERVICE_URL", "SMTP_API_URL", "SECRET_KEY", "APP_ENV"])
    def test_an_empty_value_counts_as_not_set(self, env: pytest.MonkeyPatch, name: str) -> None:
        assert load(env, {name: ""}) == load_config(None)

    def test_an_empty_line_in_the_env_file_counts_as_not_set(self) -> None:
        write_env_file("DB_HOST=\nDB_PORT=\n")

        assert load_config().database.is_embedded

    def test_variables_of_other_programs_are_ignored(self, env: pytest.MonkeyPatch) -> None:
        write_env_file("SOMETHING_ELSE=1\n")

        assert load(env, {"DB_SOMETHING_ELSE": "1"}).database.name == "maverik"

    def test_settings_cannot_be_changed(self) -> None:
        settings = load_config()

        with pytest.raises(ValueError, match="frozen"):
            settings.app.port = 1  # type: ignore[misc]

    def test_secrets_are_not_shown_with_the_settings(self, env: pytest.MonkeyPatch) -> None:
        settings = load(
            env,
            {
                **PRODUCTION,
                "DB_PASSWORD": SECRET,
                "SMTP_API_KEY": SECRET,
                "RATE_LIMIT_STORAGE": f"redis://:{SECRET}@cache",
            },
        )

        assert SECRET not in repr(settings)
        assert PASERK not in repr(settings)


class TestProblems:
    def test_all_of_them_are_told_at_once(self, env: pytest.MonkeyPatch) -> None:
        wrong = {"PORT": "x", "DB_PORT": "0", "RAG_SERVICE_URL": "x", "SMTP_PORT": "x", "SECRET_KEY": "x"}

        problems = problems_of(env, {**wrong, "FRONTEND_URL": "x"})

        assert [problem.split()[0] for problem in problems] == [*wrong, "FRONTEND_URL"]

    def test_all_contradictions_are_told_at_once(self, env: pytest.MonkeyPatch) -> None:
        assert len(problems_of(env, {"DB_HOST": "db", "SMTP_API_KEY": "key", "SMTP_USERNAME": "me"})) == 3

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("APP_ENV", "live"),
            ("APP_ENV", "PROD"),
            ("PORT", "65536"),
            ("PORT", "-1"),
            ("WORKER_THREADS", "0"),
            ("LOG_LEVEL", "LOUD"),
            ("LOG_FORMAT", "xml"),
            ("DB_PORT", "5432x"),
            ("DB_POOL_SIZE", "0"),
            ("DB_POOL_TIMEOUT_S", "0"),
            ("EXTERNAL_SERVICE_TIMEOUT", "0"),
            ("EXTERNAL_SERVICE_TIMEOUT", "nan"),
            ("EXTERNAL_SERVICE_TIMEOUT", "inf"),
            ("HISTORY_MAX_TURNS", "-1"),
            ("SMTP_SECURITY", "ssl"),
            ("MAIL_SENDER_ADDRESS", "not an address"),
            ("ACCESS_TOKEN_TTL_MINUTES", "0"),
            ("DB_SCHEMA", "1st"),
        ],
    )
    def test_each_is_one_sentence_that_names_the_variable(self, env: pytest.MonkeyPatch, name: str, value: str) -> None:
        (problem,) = problems_of(env, {name: value})

        assert problem.startswith(f"{name} cannot be used: ")
        assert problem.endswith(".")
        assert "\n" not in problem

    @pytest.mark.parametrize("name", sorted(set(variables()) - {"LOCAL_DATA_DIR", "HOST", "MAIL_SENDER_NAME"}))
    def test_a_value_is_never_quoted(self, env: pytest.MonkeyPatch, name: str) -> None:
        values = {"SMTP_HOST": "h", "SMTP_API_URL": "https://h"}  # contradictory, so that there is always a problem

        assert SECRET not in " ".join(problems_of(env, {**values, name: SECRET}))

    @pytest.mark.parametrize(
        "url", [f"https://user:{SECRET}\u2100@h", f"https://user:{SECRET}@h", f"https://[{SECRET}"]
    )
    def test_credentials_in_an_address_are_never_quoted(self, env: pytest.MonkeyPatch, url: str) -> None:
        assert SECRET not in str(problems_of(env, {"RAG_SERVICE_URL": url}))

    @pytest.mark.parametrize("url", [f"redis://:{SECRET}@cache:x", f"redis://:{SECRET}\u2100@h", f"redis://[{SECRET}"])
    def test_credentials_of_a_redis_are_never_quoted(self, env: pytest.MonkeyPatch, url: str) -> None:
        assert SECRET not in str(problems_of(env, {"RATE_LIMIT_STORAGE": url}))

    def test_the_error_itself_reads_as_all_the_sentences(self, env: pytest.MonkeyPatch) -> None:
        with pytest.raises(SettingsError, match=r"^PORT cannot be used: .+\. SECRET_KEY cannot be used: .+\.$"):
            load(env, {"PORT": "x", "SECRET_KEY": "x"})


class TestContradictions:
    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"DB_HOST": "db"}, "DB_HOST is set but DB_USERNAME is not"),
            ({"DB_USERNAME": "me"}, "DB_USERNAME or DB_PASSWORD is set but DB_HOST is not"),
            ({"DB_PASSWORD": SECRET}, "DB_USERNAME or DB_PASSWORD is set but DB_HOST is not"),
            ({"DB_SSL_MODE": "require"}, "DB_SSL_MODE=require is set but DB_HOST is not"),
            ({**DATABASE, "DB_SSL_ROOT_CERT": "ca.pem"}, "DB_SSL_ROOT_CERT is set but nothing is checked against it"),
            ({**MAIL_API, "SMTP_HOST": "smtp"}, "SMTP_API_URL and SMTP_HOST are both set"),
            ({**MAIL_API, "SMTP_API_KEY": ""}, "SMTP_API_URL is set but SMTP_API_KEY is not"),
            ({"SMTP_API_KEY": SECRET}, "SMTP_API_KEY is set but SMTP_API_URL is not"),
            ({**MAIL_API, "MAIL_SENDER_ADDRESS": ""}, "MAIL_SENDER_ADDRESS is not set"),
            ({**SMTP, "MAIL_SENDER_ADDRESS": ""}, "MAIL_SENDER_ADDRESS is not set"),
            ({**SMTP, "SMTP_USERNAME": "me"}, "SMTP_USERNAME and SMTP_PASSWORD belong together"),
            ({**SMTP, "SMTP_PASSWORD": SECRET}, "SMTP_USERNAME and SMTP_PASSWORD belong together"),
            (
                {**SMTP, "SMTP_USERNAME": "me", "SMTP_PASSWORD": SECRET, "SMTP_SECURITY": "none"},
                "SMTP_SECURITY=none would send SMTP_PASSWORD in clear",
            ),
        ],
    )
    def test_what_does_not_fit_together_is_refused(
        self, env: pytest.MonkeyPatch, values: dict[str, str], sentence: str
    ) -> None:
        (problem,) = problems_of(env, values)

        assert problem.startswith(sentence)
        assert SECRET not in problem

    @pytest.mark.parametrize(
        "values",
        [
            DATABASE,
            {**DATABASE, "DB_PASSWORD": ""},
            {**DATABASE, "DB_SSL_MODE": "verify-full", "DB_SSL_ROOT_CERT": "ca.pem"},
            MAIL_API,
            SMTP,
            {**SMTP, "SMTP_USERNAME": "me", "SMTP_PASSWORD": SECRET},
            {**SMTP, "SMTP_SECURITY": "none"},
        ],
    )
    def test_what_fits_together_is_accepted(self, env: pytest.MonkeyPatch, values: dict[str, str]) -> None:
        assert load(env, values).app.app_env is AppEnv.LOCAL


class TestProduction:
    def test_a_complete_configuration_is_accepted(self, env: pytest.MonkeyPatch) -> None:
        settings = load(env, PRODUCTION)

        assert settings.app.is_production
        assert (settings.advice.advisor, settings.advice.optimizer, settings.mail.sender) == (
            "http",
            "http",
            "http_api",
        )

    def test_smtp_instead_of_the_mail_api_is_accepted(self, env: pytest.MonkeyPatch) -> None:
        assert load(env, {**PRODUCTION, **dict.fromkeys(MAIL_API, ""), **SMTP}).mail.sender == "smtp"

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (dict.fromkeys(DATABASE, ""), "DB_HOST is not set"),
            ({"DB_PASSWORD": ""}, "DB_PASSWORD is not set"),
            ({"DB_PASSWORD": "maverik"}, "DB_PASSWORD is the one that docker-compose.yml publishes"),
            (dict.fromkeys(MAIL_API, ""), "SMTP_API_URL or SMTP_HOST is not set"),
            ({**dict.fromkeys(MAIL_API, ""), **SMTP, "SMTP_SECURITY": "none"}, "SMTP_SECURITY=none sends"),
            ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
            ({"FRONTEND_URL": ""}, "FRONTEND_URL is not set"),
            ({"FRONTEND_URL": "http://localhost:3000"}, "FRONTEND_URL is not set"),
            ({"SMTP_API_URL": "http://mail.example.com/v3/email"}, "SMTP_API_URL sends"),
            ({"SMTP_API_URL": "HTTP://mail.example.com/v3/email"}, "SMTP_API_URL sends"),
            ({"RATE_LIMITS_ENABLED": "false"}, "RATE_LIMITS_ENABLED=false lets"),
            ({"FRONTEND_URL": "http://app.example.com"}, "FRONTEND_URL sends"),
            ({"PUBLIC_URL": ""}, "PUBLIC_URL is not set"),
            ({"PUBLIC_URL": "http://api.example.com"}, "PUBLIC_URL sends"),
            ({"FRONTEND_PASSWORD_URL": "http://app.example.com/clave"}, "FRONTEND_PASSWORD_URL sends"),
            ({"FRONTEND_URL": "https://app.example.com,http://www.example.com"}, "FRONTEND_URL sends"),
        ],
    )
    def test_a_default_that_would_lose_data_or_secrets_is_refused(
        self, env: pytest.MonkeyPatch, change: dict[str, str], sentence: str
    ) -> None:
        (problem,) = problems_of(env, {**PRODUCTION, **change})

        assert problem.startswith(sentence)

    @pytest.mark.parametrize("name", ["RAG_SERVICE_URL", "PORTFOLIO_OPTIMIZATION_URL"])
    def test_services_of_a_private_network_may_be_asked_over_http(self, env: pytest.MonkeyPatch, name: str) -> None:
        assert load(env, {**PRODUCTION, name: "http://service.internal:8080"}).app.is_production

    @pytest.mark.parametrize(
        "key",
        [
            "k4.local.doPhJGTf4E4lAtRrC8WKUmr18LwF6T_r-kI9D1C_J-k=",
            "k4.local.doPhJGTf4E4lAtRrC8WKUmr18LwF6T_r-kI9D1C_J-k",
            "k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8",
            "k4.local." + "A" * 43,
            "k4.local." + "Abc" * 14 + "A",
        ],
    )
    @pytest.mark.parametrize("others", ["{}", "{},PASERK", "PASERK,{}", "PASERK , {} "])
    def test_a_published_or_typed_key_is_refused_wherever_it_stands(
        self, env: pytest.MonkeyPatch, key: str, others: str
    ) -> None:
        keys = others.replace("PASERK", PASERK).format(key)

        assert problems_of(env, {**PRODUCTION, "SECRET_KEY": keys}) == (
            f"SECRET_KEY holds a published or guessable key: make one with `{own_command('keys generate')}`.",
        )

    def test_several_keys_of_ones_own_are_accepted(self, env: pytest.MonkeyPatch) -> None:
        keys = ",".join(generate_paserk() for _ in range(20))

        assert load(env, {**PRODUCTION, "SECRET_KEY": keys}).app.is_production

    def test_a_published_key_works_on_a_developers_machine(self, env: pytest.MonkeyPatch) -> None:
        assert load(env, {"SECRET_KEY": "k4.local." + "A" * 43}).app.app_env is AppEnv.LOCAL

    def test_nothing_configured_is_refused_for_every_reason_at_once(self, env: pytest.MonkeyPatch) -> None:
        assert len(problems_of(env, {"APP_ENV": "prod"})) == 5

    @pytest.mark.parametrize("name", ["local", "dev", "test", "staging"])
    def test_other_environments_keep_the_local_defaults(self, env: pytest.MonkeyPatch, name: str) -> None:
        assert not load(env, {"APP_ENV": name}).app.is_production


class TestAccounts:
    def test_the_defaults_are_what_the_documentation_says(self, env: pytest.MonkeyPatch) -> None:
        security = load(env, {}).security

        assert security.access_token_ttl_minutes == 24 * 60
        assert security.refresh_token_ttl_days == 30
        assert security.temporary_key_ttl_hours == 72
        assert security.trusted_proxy_count == 0
        assert security.counts_in_memory
        assert security.rate_limits_enabled

    @pytest.mark.parametrize("value", ["memory", "postgres", "redis://cache:6379/0", "rediss://:key@cache/1"])
    def test_tries_are_counted_where_it_is_said(self, env: pytest.MonkeyPatch, value: str) -> None:
        assert load(env, {"RATE_LIMIT_STORAGE": value}).security.rate_limit_storage.get_secret_value() == value

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("RATE_LIMIT_STORAGE", "sqlite"),
            ("RATE_LIMIT_STORAGE", "redis"),
            ("RATE_LIMIT_STORAGE", "memory postgres"),
            ("RATE_LIMIT_STORAGE", "redis://"),
            ("RATE_LIMIT_STORAGE", "redis://cache:notaport"),
            ("RATE_LIMIT_STORAGE", "redis://:key@cache:65536"),
            ("REFRESH_TOKEN_TTL_DAYS", "0"),
            ("REFRESH_TOKEN_TTL_DAYS", "366"),
            ("TEMPORARY_KEY_TTL_HOURS", "0"),
            ("RESET_LINK_TTL_MINUTES", "4"),
            ("RATE_LIMITS_ENABLED", "perhaps"),
            ("RATE_LIMIT_TURNS_PER_MINUTE", "0"),
            ("RATE_LIMIT_HISTORY_READS_PER_MINUTE", "0"),
            ("RATE_LIMIT_REQUESTS_PER_MINUTE", "0"),
            ("TRUSTED_PROXY_COUNT", "-1"),
            ("TRUSTED_PROXY_COUNT", "11"),
            ("ACCESS_TOKEN_TTL_MINUTES", "0"),
        ],
    )
    def test_a_value_that_makes_no_sense_is_refused(self, env: pytest.MonkeyPatch, name: str, value: str) -> None:
        (problem,) = problems_of(env, {name: value})

        assert problem.startswith(f"{name} cannot be used: ")


class TestSchemaName:
    @pytest.mark.parametrize("name", ["public", "_asesoria", "Asesoria2", "a$b", "a" * 63])
    def test_an_identifier_of_postgresql_is_accepted(self, env: pytest.MonkeyPatch, name: str) -> None:
        assert load(env, {"DB_SCHEMA": name}).database.schema_name == name

    @pytest.mark.parametrize("name", ["2public", "a-b", 'a"b', "a b", "a;b", "público", "public\n", "a" * 64])
    def test_anything_else_is_refused(self, env: pytest.MonkeyPatch, name: str) -> None:
        assert problems_of(env, {"DB_SCHEMA": name})[0].startswith("DB_SCHEMA cannot be used: ")


class TestAddresses:
    def test_the_frontend_may_have_several_addresses(self, env: pytest.MonkeyPatch) -> None:
        frontend = load(env, {"FRONTEND_URL": "https://app.example.com, https://www.example.com:8443"}).frontend

        assert frontend.urls == ("https://app.example.com", "https://www.example.com:8443")

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
    @pytest.mark.parametrize("port", [3000, 5173, 4200, 8080])
    def test_without_one_the_usual_development_servers_may_call(
        self, env: pytest.MonkeyPatch, host: str, port: int
    ) -> None:
        frontend = load(env, {}).frontend

        assert f"http://{host}:{port}" in frontend.origins
        assert frontend.main_url == "http://localhost:3000"

    def test_mails_link_to_the_first_one(self, env: pytest.MonkeyPatch) -> None:
        assert (
            load(env, {"FRONTEND_URL": "https://a.example,https://b.example"}).frontend.main_url == "https://a.example"
        )

    @pytest.mark.parametrize("url", ["https://a.example/", "https://a.example//", "https://a.example"])
    def test_a_closing_slash_is_dropped(self, env: pytest.MonkeyPatch, url: str) -> None:
        assert load(env, {"FRONTEND_URL": url}).frontend.urls == ("https://a.example",)

    def test_a_service_may_live_under_a_path(self, env: pytest.MonkeyPatch) -> None:
        assert load(env, {"RAG_SERVICE_URL": "http://h/rag/v1/"}).advice.rag_service_url == "http://h/rag/v1"

    @pytest.mark.parametrize(
        "url",
        [
            "app.example.com",
            "ftp://app.example.com",
            "javascript:alert(1)",
            "http://",
            "https:///path",
            "https://user@h",
            "https://:password@h",
            "https://h?x=1",
            "https://h?",
            "https://h#x",
            "https://h/#",
            "https://h:0",
            "https://h:65536",
            "https://h:port",
            "https://[::1",
            "https://a,",
            ",https://a",
            "https://a,b",
        ],
    )
    def test_what_is_no_plain_web_address_is_refused(self, env: pytest.MonkeyPatch, url: str) -> None:
        assert problems_of(env, {"FRONTEND_URL": url})[0].startswith("FRONTEND_URL cannot be used: it must be ")


class TestSecretKey:
    @pytest.mark.parametrize("value", [PASERK, PASERK + "=", f"{PASERK},{PASERK}", f"{PASERK} , {PASERK}"])
    def test_paserk_keys_are_accepted(self, env: pytest.MonkeyPatch, value: str) -> None:
        key = load(env, {"SECRET_KEY": value}).security.secret_key

        assert key is not None
        assert key.get_secret_value() == value

    @pytest.mark.parametrize(
        "value",
        [
            "a-password",
            "k4.local.",
            "k4.local.AAAA",
            PASERK[:-1],
            PASERK + "A",
            PASERK + "==",
            PASERK.replace("k4", "k3"),
            PASERK.replace("local", "secret"),
            PASERK[:-1] + "+",
            PASERK[:-1] + "ñ",
            f"{PASERK},",
            f"{PASERK};{PASERK}",
            f"{PASERK},short",
            "k4.local." + "A" * 22,
        ],
    )
    def test_anything_else_is_refused(self, env: pytest.MonkeyPatch, value: str) -> None:
        (problem,) = problems_of(env, {"SECRET_KEY": value})

        wanted = f"it must hold keys as `{own_command('keys generate')}` prints them"
        assert problem.startswith(f"SECRET_KEY cannot be used: {wanted}")
