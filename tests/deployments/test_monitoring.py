"""The dashboard and the alerts ask for what the running application exports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests
import yaml

from maverik_backend.services.operations.health import LATE_MAIL
from maverik_backend.settings import DatabaseSettings
from tests.support.paths import ROOT
from tests.support.processes import ServerProcess
from tests.support.scrape import samples
from tests.support.servers import OptimizerServer, RagServer, Reply
from tests.support.talk import Talk

TOKEN = "una-clave-de-metricas-8Qz"
DASHBOARD = json.loads((ROOT / "deployments" / "grafana" / "maverik.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((ROOT / "deployments" / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
EXPRESSIONS = [*QUERIES, *(rule["expr"] for rule in RULES)]
# Prometheus' own: whether it could be read, and which of the servers it was.
OF_PROMETHEUS = {"up": {"job"}}
LABELS_OF_PROMETHEUS = {"instance", "job"}

Exported = dict[str, set[str]]


@pytest.fixture(scope="module")
def exported() -> Iterator[Exported]:
    """The names in the page of a server that had some traffic, each with its labels."""
    with (
        TemporaryDirectory(prefix="maverik-test-") as folder,
        RagServer() as rag,
        OptimizerServer() as optimizer,
        ServerProcess(
            Path(folder),
            RAG_SERVICE_URL=rag.url,
            PORTFOLIO_OPTIMIZATION_URL=optimizer.url,
            METRICS_TOKEN=TOKEN,
            RATE_LIMIT_STORAGE="postgres",
        ) as server,
    ):
        talk = Talk.begin(server, Path(folder))
        session = talk.open_session()
        rag.script(Reply.json({"response": "Hola"}), Reply(status=400))
        assert [talk.post(session, said).status_code for said in ("mensaje uno", "mensaje dos")] == [200, 200]
        page = requests.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30).text
        found: Exported = {}
        for sample in samples(page):
            found.setdefault(sample.name, set()).update(sample.labels)
        yield found


def metrics_in(expression: str) -> dict[str, set[str]]:
    """Every metric that PromQL names, with the labels that it selects by."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    found: dict[str, set[str]] = {}
    for name, selector in re.findall(r"\b(up|maverik_\w+)\b(?:\{([^}]*)\})?", bare):
        found.setdefault(name, set()).update(re.findall(r"(\w+)(?==|!=)", selector))
    return found


def selected(expression: str) -> set[str]:
    """Whatever stands before a selector or a range, ours or not."""
    return set(re.findall(r"(\w+)(?=[{\[])", re.sub(r'"[^"]*"', '""', expression)))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_asked_for_is_exported(expression: str, exported: Exported) -> None:
    asked = metrics_in(expression)

    assert asked
    assert selected(expression) <= asked.keys()
    known = {**exported, **OF_PROMETHEUS}
    for name, labels in asked.items():
        assert name in known
        assert labels <= known[name] | LABELS_OF_PROMETHEUS


def test_what_is_exported_is_shown(exported: Exported) -> None:
    asked = {name for expression in QUERIES for name in metrics_in(expression)}
    # Every histogram has a sum, which only an average would need.
    wanted = {name for name in exported if not name.endswith("_sum")}

    assert wanted == asked


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_brackets_are_in_pairs(expression: str) -> None:
    bare = re.sub(r'"[^"]*"', "", expression)

    assert all(bare.count(one) == bare.count(other) for one, other in ("()", "[]", "{}"))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_alert_on_the_pool_rings_as_soon_as_ordinary_requests_have_to_wait(workers: int) -> None:
    (rule,) = (rule for rule in RULES if rule["alert"] == "MaverikPoolExhausted")
    ratio, threshold = rule["expr"].split(" >= ")
    pool = DatabaseSettings.isolated()

    assert ratio == "maverik_database_pool_in_use / maverik_database_pool_size"
    in_use, size = workers * pool.request_slots, workers * pool.pool_size
    assert (in_use - 1) / size < float(threshold) <= in_use / size


def test_the_alert_on_late_jobs_rings_by_kind_and_for_mails_when_the_service_is_degraded() -> None:
    (rule,) = (rule for rule in RULES if rule["alert"] == "MaverikJobsLate")
    age, threshold = rule["expr"].split(" > ")

    assert age == "max by (kind) (maverik_jobs_oldest_waiting_seconds)"
    assert float(threshold) == LATE_MAIL.total_seconds()
    assert "$labels.kind" in rule["annotations"]["summary"]


def test_the_alert_on_dead_jobs_rings_by_kind() -> None:
    (rule,) = (rule for rule in RULES if rule["alert"] == "MaverikJobsDead")

    assert rule["expr"].startswith('max by (kind) (delta(maverik_jobs{state="fallido"}[')
    assert "$labels.kind" in rule["annotations"]["summary"]


def test_the_dashboard_can_be_imported_for_any_prometheus() -> None:
    assert DASHBOARD["schemaVersion"] >= 36
    assert DASHBOARD.get("id") is None
    assert [one["name"] for one in DASHBOARD["templating"]["list"] if one["type"] == "datasource"] == ["datasource"]
    sources = [part["datasource"] for panel in DASHBOARD["panels"] for part in (panel, *panel["targets"])]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)


def test_panels_have_their_own_places_and_say_what_they_show() -> None:
    def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
        place = panel["gridPos"]
        columns, rows = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        return {(column, row) for column in columns for row in rows}

    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] and panel["description"] for panel in panels)
    taken = [cell for panel in panels for cell in cells(panel)]
    assert len(taken) == len(set(taken))
    assert max(column for column, _ in taken) < 24


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_waits_and_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"[1-9][0-9]*m", rule["for"])
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description"}
