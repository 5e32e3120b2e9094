"""Where mails send people: the frontend, the pages on which a key is set, restored and changed, and the operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from maverik_backend.settings import Settings

SET_PATH = "/clave/nueva"
FORGOT_PATH = "/clave/olvide"
CHANGE_PATH = "/clave/cambiar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Absolute addresses. ``set_password`` is a page that takes the token of a mailed link, see :meth:`with_token`.

    ``support`` is the mail address of the operators, where one is configured.
    """

    frontend: str
    set_password: str
    forgot: str
    change: str
    support: str | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Our own pages, unless ``FRONTEND_PASSWORD_URL`` names the frontend's.

        Production may then leave ``PUBLIC_URL`` out: the frontend has to show the way to the other two.
        """
        app, frontend = settings.app, settings.frontend
        if app.is_production and app.public_url is None:
            forgot = change = frontend.main_url
        else:
            forgot, change = (f"{app.public_url or app.local_url}{path}" for path in (FORGOT_PATH, CHANGE_PATH))
        own_page = f"{app.public_url or app.local_url}{SET_PATH}"
        return cls(
            frontend=frontend.main_url,
            set_password=frontend.frontend_password_url or own_page,
            forgot=forgot,
            change=change,
            support=settings.mail.support_email,
        )

    def with_token(self, token: str) -> str:
        """The link that lets its holder set a key."""
        return f"{self.set_password}?token={token}"
