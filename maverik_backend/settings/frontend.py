"""Where the web application is that people use."""

from __future__ import annotations

from maverik_backend.settings.base import Group
from maverik_backend.settings.values import HttpUrl, HttpUrls, origin_of

# Where development servers of frontends listen: React and Next.js, Vite, Angular, Vue. The first is what mails link to.
LOCAL_FRONTEND_PORTS = (3000, 5173, 4200, 8080)
LOCAL_FRONTEND_URLS = ",".join(
    f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in LOCAL_FRONTEND_PORTS
)


class FrontendSettings(Group):
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
        return tuple(origin_of(url) for url in self.urls)

    @property
    def main_url(self) -> str:
        """Where mails send people who want to use the product."""
        return self.urls[0]
