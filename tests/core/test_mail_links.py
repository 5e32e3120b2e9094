"""Where mails send people, as the settings say."""

from __future__ import annotations

from typing import Any

import pytest

from maverik_backend.core.mail_links import Links
from maverik_backend.settings import AppSettings, FrontendSettings, MailSettings, Settings

PUBLIC = "https://api.example.com/maverik"
FRONTEND = "https://app.example.com"
PASSWORD_PAGE = f"{FRONTEND}/auth/set-password"


def links(*, frontend_password_url: str | None = None, support_email: str | None = None, **app: Any) -> Links:
    frontend = FrontendSettings.isolated(frontend_url=FRONTEND, frontend_password_url=frontend_password_url)
    mail = MailSettings.isolated(support_email=support_email)
    return Links.from_settings(Settings(app=AppSettings.isolated(**app), frontend=frontend, mail=mail))


def test_they_are_our_own_pages_at_the_public_address() -> None:
    assert links(public_url=PUBLIC, app_env="prod", support_email="soporte@example.com") == Links(
        frontend=FRONTEND,
        set_password=f"{PUBLIC}/clave/nueva",
        forgot=f"{PUBLIC}/clave/olvide",
        change=f"{PUBLIC}/clave/cambiar",
        support="soporte@example.com",
    )


def test_a_key_is_set_on_the_frontends_page_where_it_has_one() -> None:
    found = links(public_url=PUBLIC, frontend_password_url=PASSWORD_PAGE)

    assert found.with_token("abc") == f"{PASSWORD_PAGE}?token=abc"
    assert found.forgot == f"{PUBLIC}/clave/olvide"


def test_a_frontend_with_such_a_page_is_enough_in_production() -> None:
    found = links(frontend_password_url=PASSWORD_PAGE, app_env="prod")

    assert (found.set_password, found.forgot, found.change) == (PASSWORD_PAGE, FRONTEND, FRONTEND)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8099"),
        ("0.0.0.0", "http://localhost:8099"),  # noqa: S104 - not bound
        ("::", "http://localhost:8099"),
        ("::1", "http://[::1]:8099"),
    ],
)
def test_elsewhere_they_are_where_the_process_listens(host: str, address: str) -> None:
    assert links(host=host, port=8099).set_password == f"{address}/clave/nueva"
