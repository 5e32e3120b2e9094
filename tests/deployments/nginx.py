"""The bundled nginx.conf: read without an nginx, or run by a real one before backends of a test."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import crossplane  # type: ignore[import-untyped]
import requests

from tests.support.paths import ROOT
from tests.support.processes import free_port

CONF = ROOT / "deployments" / "nginx" / "nginx.conf"
PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
START_TIMEOUT_S = 60.0


def parsed() -> list[dict[str, Any]]:
    """The top-level directives; every directive is one that nginx knows, in a place where it is allowed."""
    payload = crossplane.parse(str(CONF), strict=False, comments=False, check_ctx=True, check_args=True)
    assert payload["status"] == "ok", payload["errors"]
    found: list[dict[str, Any]] = payload["config"][0]["parsed"]
    return found


def directives(name: str, *, inside: str | None = None) -> list[list[str]]:
    """The arguments of every ``name``; ``inside`` only those in blocks of that kind."""

    def walk(block: list[dict[str, Any]], parents: tuple[str, ...]) -> Iterator[list[str]]:
        for directive in block:
            if directive["directive"] == name and (inside is None or inside in parents):
                yield directive["args"]
            yield from walk(directive.get("block", []), (*parents, directive["directive"]))

    return list(walk(parsed(), ()))


@contextmanager
def running_nginx(folder: Path, *backend_ports: int) -> Iterator[str]:
    """The address of an nginx with the bundled configuration, before these backends instead of docker's.

    Its access log is ``folder/access.log``.
    """
    assert PROGRAM is not None
    port = free_port()
    (folder / "nginx.conf").write_text(_adapted(folder, port, backend_ports), encoding="utf-8")
    process = subprocess.Popen(  # noqa: S603 - the program under test
        [PROGRAM, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-g", "daemon off;"]
    )
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(url):
            assert process.poll() is None, "nginx ended"
            assert time.monotonic() < deadline, "nginx does not answer"
            time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=START_TIMEOUT_S)


def _adapted(folder: Path, port: int, backend_ports: tuple[int, ...]) -> str:
    """Other addresses and folders. `resolve` goes with docker's DNS: older versions do not know it."""
    servers = " ".join(f"server 127.0.0.1:{backend} max_fails=0;" for backend in backend_ports)
    text = CONF.read_text(encoding="utf-8").replace("server backend:8082 resolve max_fails=0;", servers)
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}").replace(" /tmp/", f" {folder}/")
    return re.sub(
        r"/dev/std(out|err)", lambda found: f"{folder}/{'access' if found[1] == 'out' else 'error'}.log", text
    )


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/edge-health", timeout=10).status_code == 204
    except requests.RequestException:
        return False
