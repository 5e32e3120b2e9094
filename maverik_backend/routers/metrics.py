"""What Prometheus reads; here only with METRICS_TOKEN, and part of no client's API."""

from __future__ import annotations

import math

from fastapi import APIRouter, Depends, Response

from maverik_backend.core.metrics import CONTENT_TYPE
from maverik_backend.services.jobs import Backlog
from maverik_backend.web.dependencies import App, require_details_right

_UNKNOWN = Backlog(waiting=math.nan, dead=math.nan, oldest_waiting_s=math.nan)

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_details_right)])


@router.get("/metrics")
def get_metrics(app: App) -> Response:
    report = app.health.report()
    app.metrics.set_health({name: one.status == "healthy" for name, one in report.dependencies.items()})
    for kind in app.jobs.kinds.keys() | (report.jobs or {}).keys():
        backlog = _UNKNOWN if report.jobs is None else report.jobs.get(kind, Backlog())
        app.metrics.set_jobs(
            kind, waiting=backlog.waiting, dead=backlog.dead, oldest_waiting_s=backlog.oldest_waiting_s
        )
    return Response(app.metrics.render(), headers={"Content-Type": CONTENT_TYPE})
