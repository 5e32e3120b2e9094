"""What is wrong with a configuration as a whole, although each value alone is fine."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from maverik_backend.settings.model import Need, Settings
from maverik_backend.settings.values import is_encrypted


def contradictions(settings: Settings, needs: Collection[Need]) -> Iterator[str]:
    """Sentences about values that are fine alone but not together, or not in production."""
    is_production = settings.app.is_production
    yield from settings.database.problems()
    if Need.MAIL in needs:
        yield from settings.mail.problems()
    yield from settings.embeddings.problems(settings.llm)
    yield from _capacity_problems(settings)
    if is_production:
        yield from settings.database.production_problems()
        yield from settings.embeddings.production_problems()
        yield from settings.llm.production_problems()
    if is_production and Need.MAIL in needs:
        yield from settings.mail.production_problems()
    if is_production and Need.TOKENS in needs:
        yield from settings.security.key_problems()
    if is_production:
        yield from _exposure_in_production(settings)


def _capacity_problems(settings: Settings) -> Iterator[str]:
    if settings.advice.max_concurrent_turns >= settings.app.worker_threads:
        yield "MAX_CONCURRENT_TURNS must be below WORKER_THREADS: otherwise stuck turns would stop every other request."


def _exposure_in_production(settings: Settings) -> Iterator[str]:
    yield from _link_problems(settings.app.public_url, settings.frontend.frontend_password_url)
    if not settings.security.rate_limits_enabled:
        yield "RATE_LIMITS_ENABLED=false lets clients guess passwords without a limit: production keeps the limits."
    if urlsplit(settings.frontend.main_url).hostname in {"localhost", "127.0.0.1", "::1"}:
        yield "FRONTEND_URL is not set to a public address: links in people's mails would lead to localhost."
    elif not all(is_encrypted(url) for url in settings.frontend.urls):
        yield "FRONTEND_URL sends people's links and tokens in clear: production uses https:// addresses only."


def _link_problems(public_url: str | None, password_url: str | None) -> Iterator[str]:
    if public_url is None and password_url is None:
        yield "PUBLIC_URL is not set: links to set a key need this backend's public address, or FRONTEND_PASSWORD_URL."
    for name, url in (("PUBLIC_URL", public_url), ("FRONTEND_PASSWORD_URL", password_url)):
        if url is not None and not is_encrypted(url):
            yield f"{name} sends people's links and keys in clear: production uses an https:// address."
