"""What values settings may have: addresses, secrets, keys. A refusal says what is wanted, never what was given."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr
from pydantic_core import PydanticCustomError

from maverik_backend.invocation import own_command

MIN_TOKEN_CHARS = 16


def _http_url(value: str) -> str:
    """Accept an absolute http(s) address without credentials, drop the closing slash."""
    if not is_http_url(value):
        raise PydanticCustomError(
            "http_url", "it must be an http:// or https:// address without credentials, query or fragment"
        )
    return value.rstrip("/")


def is_http_url(value: str) -> bool:
    """Whether it is an absolute http(s) address without credentials, query or fragment."""
    try:
        parts = urlsplit(value)
        is_host = bool(parts.hostname) and parts.port != 0
    except ValueError:  # quotes the value, and with it credentials
        return False
    return is_host and parts.scheme in {"http", "https"} and "@" not in parts.netloc and {"?", "#"}.isdisjoint(value)


def origin_of(url: str) -> str:
    """What browsers name an address's pages by in ``Origin``: without a path (RFC 6454, section 6.2)."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(url)).lower()


def is_encrypted(url: str) -> bool:
    """Whether what is sent to the address is encrypted on the way."""
    return urlsplit(url).scheme == "https"


def _http_urls(value: str) -> str:
    """Accept one or several addresses separated by commas."""
    return ",".join(_http_url(part.strip()) for part in value.split(","))


def _long_secret(value: SecretStr) -> SecretStr:
    """Accept a text that is too long to be guessed."""
    if len(value.get_secret_value()) < MIN_TOKEN_CHARS:
        raise PydanticCustomError(
            "short_secret", "it must have at least {least} characters", {"least": MIN_TOKEN_CHARS}
        )
    return value


def _api_key(value: SecretStr) -> SecretStr:
    """Accept what can stand in a header (RFC 9110, section 5.5); drop spaces around it."""
    key = value.get_secret_value().strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise PydanticCustomError("api_key", "it must be the key alone: printable ASCII characters without spaces")
    return SecretStr(key)


def _paserk_keys(value: SecretStr) -> SecretStr:
    """Accept one or several PASERK v4 local keys of 32 bytes each (https://github.com/paseto-standard/paserk)."""
    for key in value.get_secret_value().split(","):
        if not re.fullmatch(r"k4\.local\.[A-Za-z0-9_-]{43}=?", key.strip()):
            raise PydanticCustomError(
                "paserk",
                "it must hold keys as `{command}` prints them (k4.local. and 43 characters)",
                {"command": own_command("keys generate")},
            )
    return value


def _rate_limit_storage(value: SecretStr) -> SecretStr:
    storage = value.get_secret_value()
    if storage not in {"memory", "postgres"} and not _is_redis_url(storage):
        raise PydanticCustomError("rate_limit_storage", "it must be memory, postgres, or redis://host:port")
    return value


def _is_redis_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        is_host = bool(parts.hostname) and parts.port != 0
    except ValueError:  # quotes the value, and with it credentials
        return False
    return is_host and parts.scheme in {"redis", "rediss"} and not re.search(r"\s", value)


RateLimitStorage = Annotated[SecretStr, AfterValidator(_rate_limit_storage)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
HttpUrls = Annotated[str, AfterValidator(_http_urls)]
ApiKey = Annotated[SecretStr, AfterValidator(_api_key)]
LongSecret = Annotated[SecretStr, AfterValidator(_long_secret)]
PaserkKeys = Annotated[SecretStr, AfterValidator(_paserk_keys)]
