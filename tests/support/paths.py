"""Where the tree and the files that tests read lie, wherever a test module moves to."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURE_DATA = Path(__file__).with_name("fixtures")
OPENAPI_SNAPSHOT = ROOT / "tests" / "api" / "openapi.json"
