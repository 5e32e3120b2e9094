"""The interactive documentation: everything from our own origin, and only where it is wanted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.clients.registry import Clients
from maverik_backend.core.database import Database
from maverik_backend.settings import AppEnv, Settings


@pytest.fixture
def with_settings(settings: Settings, clients: Clients, database: Database) -> Any:
    """``with_settings(api_docs=False)``: a client of the application with these settings of the process."""

    def make(**app: Any) -> TestClient:
        changed = settings.model_copy(update={"app": settings.app.model_copy(update=app)})
        return TestClient(create_app(changed, clients=clients, database=database))

    return make


class TestThePage:
    def test_everything_that_it_names_is_served_here_and_may_be_kept(self, api: TestClient) -> None:
        names = re.findall(r'(?:src|href)="([^"]+)"', api.get("/docs").text)

        assert {name.rpartition("/")[2] for name in names} == {
            *("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png", "docs.js", "openapi.json")
        }
        for name in set(names) - {"openapi.json"}:
            assert api.get(f"/{name}").headers["Cache-Control"] == "public, max-age=31536000, immutable"

    def test_it_may_load_nothing_from_elsewhere_and_run_nothing_inline(self, api: TestClient) -> None:
        page = api.get("/docs")
        policy = page.headers["Content-Security-Policy"]

        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "://" not in policy
        assert not re.search(r"<script(?![^>]* src=)|<style| style=", page.text)

    @pytest.mark.parametrize("path", ["/redoc", "/docs/oauth2-redirect", "/docs/static/x/redoc.standalone.js"])
    def test_nothing_else_of_it_is_served(self, api: TestClient, path: str) -> None:
        assert api.get(path).status_code == 404


class TestSwitchedOff:
    PATHS = ("/docs", "/openapi.json", "/docs/static/x/swagger-ui.css")

    def test_there_is_neither_page_nor_document(self, with_settings: Any) -> None:
        api = with_settings(api_docs=False)

        assert [api.get(path).status_code for path in self.PATHS] == [404, 404, 404]
        assert api.get("/").json()["docs"] is None

    def test_production_is_off_unless_asked_for(self, with_settings: Any) -> None:
        served = {env for env in AppEnv if with_settings(app_env=env).get("/docs").status_code == 200}

        assert served == set(AppEnv) - {AppEnv.PROD}
        assert with_settings(app_env=AppEnv.PROD, api_docs=True).get("/").json()["docs"] == "/docs"
