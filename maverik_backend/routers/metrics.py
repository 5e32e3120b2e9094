"""What Prometheus reads; here only with METRICS_TOKEN, and part of no client's API."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from maverik_backend.core.metrics import CONTENT_TYPE
from maverik_backend.web.dependencies import App, require_details_right

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_details_right)])


@router.get("/metrics")
def get_metrics(app: App) -> Response:
    found = app.health.report().dependencies
    app.metrics.set_health(
        dependencies={name: one.status == "healthy" for name, one in found.items()}, backlog=found["mail"].backlog
    )
    return Response(app.metrics.render(), headers={"Content-Type": CONTENT_TYPE})
