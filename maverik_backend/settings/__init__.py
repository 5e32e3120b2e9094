"""The configuration: grouped, read from the environment and `.env`, checked once at the start.

Every field is one environment variable: the group's prefix and the field's name in capitals (``DB_`` + ``HOST``), read
without regard to case; an empty value counts as not set. ``.env.example`` explains each of them to operators.

:func:`load_config` is the only reader. It collects *everything* that is wrong and raises one
:class:`~maverik_backend.errors.SettingsError` with a sentence for each finding, so nobody mends a configuration one
restart at a time. ``APP_ENV=prod`` refuses every local default that would lose data or leak secrets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, EmailStr, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from maverik_backend.errors import SettingsError
from maverik_backend.invocation import own_command
from maverik_backend.settings.values import HttpUrl, HttpUrls, LongSecret, PaserkKeys, RateLimitStorage

# Where development servers of frontends listen: React and Next.js, Vite, Angular, Vue. The first is what mails link to.
LOCAL_FRONTEND_PORTS = (3000, 5173, 4200, 8080)
LOCAL_FRONTEND_URLS = ",".join(
    f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in LOCAL_FRONTEND_PORTS
)
# Keys that stand in somebody's source; the first is in that of older installations.
PUBLISHED_KEYS = frozenset(
    {
        "k4.local.doPhJGTf4E4lAtRrC8WKUmr18LwF6T_r-kI9D1C_J-k",
        "k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8",  # the PASERK specification's test vectors
        "k4.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    }
)
# What docker-compose.yml gives its database when nobody chose.
PUBLISHED_DB_PASSWORD = "maverik"  # noqa: S105 - worth nothing: production refuses it
MIN_TURNS_PER_ADDRESS = 10
# 43 random characters of 64 hold 31 different ones on average; so few mean that somebody typed it.
MIN_DISTINCT_CHARS = 15


class _Group(BaseSettings):
    """A group of settings that share a prefix."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True)

    @classmethod
    def isolated(cls, **values: Any) -> Self:  # noqa: ANN401 - whatever the fields take
        """The group with ``values`` and defaults, whatever the environment says."""
        for name, field in cls.model_fields.items():
            if isinstance(field.validation_alias, str):  # read under that name, so only a value under it comes first
                values[field.validation_alias] = values.pop(name, field.default)
        return cls(_env_prefix="=", _env_file=None, **values)  # no variable has such a prefix


class AppEnv(StrEnum):
    """Where this process runs. Only ``prod`` changes behaviour: it refuses local defaults."""

    LOCAL = "local"
    DEV = "dev"
    TEST = "test"
    STAGING = "staging"
    PROD = "prod"

    @classmethod
    def _missing_(cls, value: object) -> AppEnv | None:
        """The long names, of which ``development`` stood in the ``.env.example`` of older installations."""
        return {"development": cls.DEV, "production": cls.PROD}.get(str(value))


class AppSettings(_Group):
    """The process itself."""

    app_env: AppEnv = AppEnv.LOCAL
    local_data_dir: Path = Path(".maverik")
    """Where local defaults keep their files: embedded PostgreSQL, local mailbox, generated key."""
    host: str = "127.0.0.1"
    port: int = Field(default=8082, ge=0, le=65535)
    public_url: HttpUrl | None = None
    """The address of this backend as people's browsers reach it; mails link to its pages."""
    api_docs: bool | None = None
    """Whether ``/docs`` and ``/openapi.json`` are served; not set: everywhere but in production (ASVS 5.0, 13.4.5)."""
    worker_threads: int = Field(default=600, ge=1, le=2000)
    """How many requests are worked on at once in a process; a turn keeps its thread while the RAG service thinks."""
    max_connections: int = Field(default=4096, ge=16, le=65_536)
    """How many clients may be connected to a process at once; fewer where its limit of open files demands it."""
    max_connections_per_address: int | None = Field(default=None, ge=1, le=65_536)
    """How many of them from one address (of IPv6 one /64); by default a quarter. Not counted behind proxies."""
    keep_alive_s: float = Field(default=5.0, ge=1, le=3600)
    """How long a connection stays open after an answer, for the next request."""
    shutdown_drain_s: float = Field(default=0.0, ge=0, le=600)
    """How long requests are still accepted after a SIGTERM, while ``/health/ready`` already says 503."""
    shutdown_grace_s: float = Field(default=25.0, gt=0, le=600)
    """How long turns under way may take to finish after that; the rest are marked as interrupted."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "json", "console"] = "auto"

    @property
    def is_production(self) -> bool:
        return self.app_env is AppEnv.PROD

    @property
    def serves_api_docs(self) -> bool:
        return not self.is_production if self.api_docs is None else self.api_docs

    @property
    def local_url(self) -> str:
        """Where a browser on this machine finds the process."""
        host = "localhost" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def shutdown_s(self) -> float:
        """How long the process takes to end, at most."""
        return self.shutdown_drain_s + self.shutdown_grace_s


class DatabaseSettings(_Group):
    """PostgreSQL. Without a host, an embedded one is started."""

    model_config = SettingsConfigDict(env_prefix="DB_", populate_by_name=True)

    host: str | None = None
    port: int = Field(default=5432, ge=1, le=65535)
    name: str = "maverik"
    schema_name: str = Field(default="public", validation_alias="DB_SCHEMA", pattern=r"^[A-Za-z_][A-Za-z0-9_$]{0,62}$")
    username: str | None = None
    password: SecretStr | None = None
    pool_size: int = Field(default=10, ge=1, le=500)
    pool_timeout_s: float = Field(default=5.0, gt=0, le=60)
    """How long a request waits for a free connection before it is told that the service is overloaded."""
    connect_timeout_s: float = Field(default=5.0, gt=0, le=60)
    ssl_mode: Literal["prefer", "require", "verify-full"] = "prefer"
    """As libpq's ``sslmode``: TLS when the server offers it, always, or always and with a certificate that is its own
    (https://www.postgresql.org/docs/current/libpq-ssl.html). Production may do without: inside one private network,
    such as docker's, servers commonly have no certificate."""
    ssl_root_cert: Path | None = None
    """The authorities that ``verify-full`` trusts, in PEM; without it those of the system."""
    statement_timeout_s: float = Field(default=15.0, gt=0, le=600)

    @property
    def request_slots(self) -> int:
        """How many requests may hold a connection at once; the others are for turns, logins and mails."""
        return max(1, self.pool_size * 3 // 4)

    @property
    def is_embedded(self) -> bool:
        return self.host is None


class AdviceSettings(_Group):
    """The services that answer a turn. Without an address, the embedded ones do."""

    rag_service_url: HttpUrl | None = None
    """Where questions go: to the address itself when its path ends in ``/chat``, else to ``/api/chat`` below it."""
    rag_fallback: Literal["text", "embedded"] = "text"
    """What a person gets when the RAG service fails: an apology, or also what the embedded advisor has to say."""
    portfolio_optimization_url: HttpUrl | None = None
    external_service_timeout: float = Field(default=50.0, ge=1, le=300)
    """Seconds that a whole turn may spend waiting for other services."""
    max_concurrent_turns: int = Field(default=500, ge=1, le=5000)
    """Turns worked on at once in a process; another one is told at once to come back, instead of waiting in a queue.
    Keep it below ``WORKER_THREADS``, so that everything else always finds a free thread."""
    max_concurrent_turns_per_person: int = Field(default=3, ge=1, le=5000)
    """Of these, how many one person may have at once."""
    max_concurrent_turns_per_address: int | None = Field(default=None, ge=1, le=5000)
    """Of these, how many the people behind one address (of IPv6 one /64) may have at once; ``None`` is a share of all,
    see :attr:`turns_per_address`."""
    max_sessions_per_person: int = Field(default=1000, ge=1, le=100_000)
    history_max_turns: int = Field(default=20, ge=0, le=200)
    history_max_chars: int = Field(default=24_000, ge=0, le=200_000)

    @property
    def turns_per_address(self) -> int:
        """Turns at once for one address: unless it is set, a fifth of all, but enough for a small office."""
        if self.max_concurrent_turns_per_address is not None:
            return self.max_concurrent_turns_per_address
        return max(MIN_TURNS_PER_ADDRESS, self.max_concurrent_turns // 5)

    @property
    def advisor(self) -> str:
        """Key into the registry of advisors."""
        return "http" if self.rag_service_url else "embedded"

    @property
    def optimizer(self) -> str:
        """Key into the registry of optimisers."""
        return "http" if self.portfolio_optimization_url else "embedded"


class MailSettings(_Group):
    """How mails leave: an HTTP API, an SMTP server, or (with neither) a local mailbox of files."""

    smtp_api_url: HttpUrl | None = None
    smtp_api_key: SecretStr | None = None
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    mail_sender_name: str = "Maverik"
    mail_sender_address: EmailStr | None = None
    mail_timeout_s: float = Field(default=20.0, gt=0, le=120)
    outbox_poll_interval_s: float = Field(default=1.0, gt=0, le=60)

    @property
    def sender(self) -> str:
        """Key into the registry of mail senders."""
        if self.smtp_api_url:
            return "http_api"
        return "smtp" if self.smtp_host else "local"

    @property
    def is_local(self) -> bool:
        return self.sender == "local"


class SecuritySettings(_Group):
    """Keys and tokens."""

    secret_key: PaserkKeys | None = None
    """One or several PASERK ``k4.local.`` keys separated by commas: the first encrypts, all decrypt."""
    access_token_ttl_minutes: int = Field(default=24 * 60, ge=1, le=7 * 24 * 60)
    short_access_token_ttl_minutes: int = Field(default=15, ge=1, le=24 * 60)
    """The same for clients that say at login that they refresh; never longer than the other."""
    refresh_token_ttl_days: int = Field(default=30, ge=1, le=365)
    temporary_key_ttl_hours: int = Field(default=72, ge=1, le=24 * 30)
    """How long a mailed key lets somebody in who never used it, and the link beside it."""
    reset_link_ttl_minutes: int = Field(default=60, ge=5, le=24 * 60)
    trusted_proxy_count: int = Field(default=0, ge=0, le=10)
    """How many proxies of ours stand before the server: so many entries of ``X-Forwarded-For`` are believed."""
    rate_limit_storage: RateLimitStorage = SecretStr("memory")
    """Where tries are counted: ``memory`` for one process, ``postgres`` or ``redis://...`` for several. The address of
    a Redis may hold its password."""
    rate_limits_enabled: bool = True
    """False turns every limit off, for load tests."""
    rate_limit_turns_per_minute: int | None = Field(default=None, ge=1)
    """By person, as the next; these three change the table in ``services/limits/throttle.py``."""
    rate_limit_history_reads_per_minute: int | None = Field(default=None, ge=1)
    rate_limit_requests_per_minute: int | None = Field(default=None, ge=1)
    """By address (of IPv6 by /64)."""
    operator_second_factor: Literal["required", "optional"] = "required"
    """Whether an operator's rights are refused to logins that were opened without a second factor."""
    metrics_token: LongSecret | None = None
    """What ``GET /metrics`` wants as its bearer token; without one there is no such route."""

    @property
    def counts_in_memory(self) -> bool:
        return self.rate_limit_storage.get_secret_value() == "memory"


class FrontendSettings(_Group):
    """The web application that people use."""

    frontend_url: HttpUrls = LOCAL_FRONTEND_URLS
    frontend_password_url: HttpUrl | None = None
    """The frontend's page that sets a key with ``?token=``; without one, mails link to ours."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address the frontend is served from."""
        return tuple(self.frontend_url.split(","))

    @property
    def origins(self) -> tuple[str, ...]:
        """The same as browsers name them in ``Origin``: without a path (RFC 6454, section 6.2)."""
        return tuple("{0.scheme}://{0.netloc}".format(urlsplit(url)).lower() for url in self.urls)

    @property
    def main_url(self) -> str:
        """Where mails send people who want to use the product."""
        return self.urls[0]


class Settings(BaseModel):
    """The whole configuration, immutable. Build it with :func:`load_config`; tests build the groups directly."""

    model_config = ConfigDict(frozen=True)

    app: AppSettings = Field(default_factory=AppSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    advice: AdviceSettings = Field(default_factory=AdviceSettings)
    mail: MailSettings = Field(default_factory=MailSettings)
    security: SecuritySettings = Field(default_factory=SecuritySettings)
    frontend: FrontendSettings = Field(default_factory=FrontendSettings)

    def listening_on(self, host: str, port: int) -> Self:
        """The same, for a process that was told on the command line where to listen."""
        return self.model_copy(update={"app": self.app.model_copy(update={"host": host, "port": port})})

    @property
    def mailbox_dir(self) -> Path:
        """Where the local mailbox keeps its files."""
        return self.app.local_data_dir / "mailbox"


_GROUPS: dict[str, type[_Group]] = {
    "app": AppSettings,
    "database": DatabaseSettings,
    "advice": AdviceSettings,
    "mail": MailSettings,
    "security": SecuritySettings,
    "frontend": FrontendSettings,
}


class Need(StrEnum):
    """What not every process does, and so not every process is given the secrets for."""

    TOKENS = "tokens"
    """Seals and opens tokens and mails: ``SECRET_KEY``."""
    MAIL = "mail"
    """Delivers mails: an address to send them to, and the right to."""


def load_config(env_file: Path | None = Path(".env"), *, needs: Collection[Need] = frozenset(Need)) -> Settings:
    """Read the environment and ``env_file`` (the environment wins) and check the whole.

    ``needs`` is what this process does; what only others need may be missing.

    Raises:
        SettingsError: with one English sentence for every problem found.
    """
    problems: list[str] = []
    groups: dict[str, _Group] = {}
    for name, group in _GROUPS.items():
        try:
            groups[name] = group(_env_file=env_file, _env_file_encoding="utf-8")
        except ValidationError as error:
            problems += [_sentence(group, detail) for detail in error.errors(include_input=False, include_url=False)]
        except UnicodeDecodeError:
            raise SettingsError([f"{env_file} cannot be read: it must be UTF-8 text."]) from None
    if problems:
        raise SettingsError(problems)
    settings = Settings.model_validate(groups)
    if problems := list(_contradictions(settings, needs)):
        raise SettingsError(problems)
    return settings


def _sentence(group: type[_Group], detail: ErrorDetails) -> str:
    """One finding of pydantic as a sentence that names the variable but never quotes its value."""
    field = str(detail["loc"][0]) if detail["loc"] else "settings"
    prefix = group.model_config.get("env_prefix", "")
    variable = field.upper() if field.startswith("DB_") else f"{prefix}{field}".upper()
    reason = detail["msg"].rstrip(".")
    return f"{variable} cannot be used: {reason[:1].lower()}{reason[1:]}."


def _contradictions(settings: Settings, needs: Collection[Need]) -> Iterator[str]:
    """Sentences about values that are fine alone but not together, or not in production."""
    is_production = settings.app.is_production
    yield from _database_problems(settings.database)
    if Need.MAIL in needs:
        yield from _mail_problems(settings.mail)
    yield from _capacity_problems(settings)
    if is_production:
        yield from _database_in_production(settings.database)
    if is_production and Need.MAIL in needs:
        yield from _mail_in_production(settings.mail)
    if is_production and Need.TOKENS in needs:
        yield from _key_problems(settings.security)
    if is_production:
        yield from _exposure_in_production(settings)


def _capacity_problems(settings: Settings) -> Iterator[str]:
    if settings.advice.max_concurrent_turns >= settings.app.worker_threads:
        yield "MAX_CONCURRENT_TURNS must be below WORKER_THREADS: otherwise stuck turns would stop every other request."


def _key_problems(security: SecuritySettings) -> Iterator[str]:
    if security.secret_key is None:
        yield f"SECRET_KEY is not set: production does not invent one; make it with `{own_command('keys generate')}`."
        return
    keys = [key.strip().rstrip("=") for key in security.secret_key.get_secret_value().split(",")]
    if any(key in PUBLISHED_KEYS or len(set(key.removeprefix("k4.local."))) < MIN_DISTINCT_CHARS for key in keys):
        yield f"SECRET_KEY holds a published or guessable key: make one with `{own_command('keys generate')}`."


def _database_problems(database: DatabaseSettings) -> Iterator[str]:
    if database.host is not None and not database.username:
        yield "DB_HOST is set but DB_USERNAME is not: set the user to connect as."
    if database.host is None and (database.username or database.password):
        yield "DB_USERNAME or DB_PASSWORD is set but DB_HOST is not: set DB_HOST, or none for the embedded PostgreSQL."
    if database.host is None and database.ssl_mode != "prefer":
        yield f"DB_SSL_MODE={database.ssl_mode} is set but DB_HOST is not: the embedded PostgreSQL speaks no TLS."
    if database.ssl_root_cert and database.ssl_mode != "verify-full":
        yield "DB_SSL_ROOT_CERT is set but nothing is checked against it: set DB_SSL_MODE=verify-full."


def _mail_problems(mail: MailSettings) -> Iterator[str]:
    if mail.smtp_api_url and mail.smtp_host:
        yield "SMTP_API_URL and SMTP_HOST are both set: keep the one that mails should leave through."
    if mail.smtp_api_url and not mail.smtp_api_key:
        yield "SMTP_API_URL is set but SMTP_API_KEY is not: set the key of the mail API."
    if mail.smtp_api_key and not mail.smtp_api_url:
        yield "SMTP_API_KEY is set but SMTP_API_URL is not: set the address of the mail API."
    if not mail.is_local and not mail.mail_sender_address:
        yield "MAIL_SENDER_ADDRESS is not set: mails that leave through a server need a sender."
    if bool(mail.smtp_username) != bool(mail.smtp_password):
        yield "SMTP_USERNAME and SMTP_PASSWORD belong together: set both or none."
    if mail.smtp_username and mail.smtp_security == "none":
        yield "SMTP_SECURITY=none would send SMTP_PASSWORD in clear: use starttls or tls, or no user."


def _database_in_production(database: DatabaseSettings) -> Iterator[str]:
    if database.is_embedded:
        yield "DB_HOST is not set: production does not keep people's data in the embedded PostgreSQL."
    elif not database.password:
        yield "DB_PASSWORD is not set: production does not connect to the database without one."
    elif database.password.get_secret_value() == PUBLISHED_DB_PASSWORD:
        yield "DB_PASSWORD is the one that docker-compose.yml publishes: production uses one of its own."


def _mail_in_production(mail: MailSettings) -> Iterator[str]:
    if mail.is_local:
        yield "SMTP_API_URL or SMTP_HOST is not set: production does not leave people's keys in a local mailbox."
    if mail.smtp_host and mail.smtp_security == "none":
        yield "SMTP_SECURITY=none sends people's keys in clear: production uses starttls or tls."
    # The advisor and the optimiser may be asked over http: they can live in a private network, and get no secrets.
    if mail.smtp_api_url and not _is_encrypted(mail.smtp_api_url):
        yield "SMTP_API_URL sends the API key and people's keys in clear: production uses an https:// address."


def _exposure_in_production(settings: Settings) -> Iterator[str]:
    yield from _link_problems(settings.app.public_url, settings.frontend.frontend_password_url)
    if not settings.security.rate_limits_enabled:
        yield "RATE_LIMITS_ENABLED=false lets anybody guess keys as fast as they can: production keeps the limits."
    if urlsplit(settings.frontend.main_url).hostname in {"localhost", "127.0.0.1", "::1"}:
        yield "FRONTEND_URL is not set to a public address: links in people's mails would lead to localhost."
    elif not all(_is_encrypted(url) for url in settings.frontend.urls):
        yield "FRONTEND_URL sends people's links and tokens in clear: production uses https:// addresses only."


def _link_problems(public_url: str | None, password_url: str | None) -> Iterator[str]:
    if public_url is None and password_url is None:
        yield "PUBLIC_URL is not set: links to set a key need this backend's public address, or FRONTEND_PASSWORD_URL."
    for name, url in (("PUBLIC_URL", public_url), ("FRONTEND_PASSWORD_URL", password_url)):
        if url is not None and not _is_encrypted(url):
            yield f"{name} sends people's links and keys in clear: production uses an https:// address."


def _is_encrypted(url: str) -> bool:
    return urlsplit(url).scheme == "https"
