"""Fixtures live in ``tests/fixtures``, one file a concern."""

from __future__ import annotations

import pytest

pytest_plugins = [
    "tests.fixtures.application",
    "tests.fixtures.browser",
    "tests.fixtures.database",
    "tests.fixtures.people",
    "tests.fixtures.second_factor",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-openapi", action="store_true", help="write the OpenAPI snapshot anew")
