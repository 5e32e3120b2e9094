"""Swagger UI over our own document, everything from our own origin."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse
from markupsafe import Markup

from maverik_backend.web import assets
from maverik_backend.web.assets import SITE_FOLDER, Assets
from maverik_backend.web.middleware.security_headers import DOCS_PATH

OPENAPI_PATH = "/openapi.json"
_SWAGGER_FOLDER = Path(str(files("fastapi_offline"))) / "static"
ASSETS = Assets(
    "docs/static",
    {
        **{name: _SWAGGER_FOLDER / name for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")},
        "docs.js": SITE_FOLDER / "static" / "docs.js",
    },
)

router = APIRouter(include_in_schema=False)


@router.get(DOCS_PATH)
def show_docs() -> HTMLResponse:
    template = Markup((SITE_FOLDER / "docs.html").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    return HTMLResponse(
        template.format(
            stylesheet=ASSETS.href("swagger-ui.css"),
            icon=ASSETS.href("favicon.png"),
            bundle=ASSETS.href("swagger-ui-bundle.js"),
            script=ASSETS.href("docs.js"),
            document=OPENAPI_PATH.removeprefix("/"),
        )
    )


@router.get(f"/{ASSETS.prefix}{assets.ROUTE}")
def get_docs_asset(version: assets.Segment, name: assets.Segment) -> FileResponse:
    return ASSETS.response(version, name)
