"""Fixtures live in ``tests/support/fixtures``, one file a concern."""

from __future__ import annotations

import pytest

pytest_plugins = [
    "tests.support.fixtures.application",
    "tests.support.fixtures.browser",
    "tests.support.fixtures.dashboard",
    "tests.support.fixtures.database",
    "tests.support.fixtures.keys",
    "tests.support.fixtures.people",
    "tests.support.fixtures.replicas",
    "tests.support.fixtures.second_factor",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-openapi", action="store_true", help="write the OpenAPI snapshot anew")
