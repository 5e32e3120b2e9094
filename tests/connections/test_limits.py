"""How many connections settings and system allow."""

from __future__ import annotations

import resource
from typing import Any

import pytest

from maverik_backend.connections import ConnectionLimits, limits_from, raise_open_files_limit
from maverik_backend.connections.limits import MIN_CONNECTIONS, RESERVED_OPEN_FILES
from maverik_backend.settings import AppSettings, DatabaseSettings, SecuritySettings, Settings
from maverik_backend.web.middleware.body_limit import LARGEST_BYTES, UPLOADS

PLENTY = 65_536


def settings(*, trusted_proxy_count: int = 0, **app: Any) -> Settings:
    return Settings(
        app=AppSettings.isolated(**app),
        database=DatabaseSettings.isolated(pool_size=10),
        security=SecuritySettings.isolated(trusted_proxy_count=trusted_proxy_count),
    )


def test_half_of_the_open_files_are_for_clients() -> None:
    assert limits_from(settings(), open_files=1_024).max_connections == (1_024 - RESERVED_OPEN_FILES - 10) // 2


def test_the_setting_counts_where_there_are_enough() -> None:
    assert limits_from(settings(max_connections=4_096), open_files=PLENTY).max_connections == 4_096


def test_some_are_always_allowed() -> None:
    assert limits_from(settings(), open_files=RESERVED_OPEN_FILES).max_connections == MIN_CONNECTIONS


@pytest.mark.parametrize(("setting", "allowed"), [(None, 1_024), (7, 7), (60_000, 4_096)])
def test_one_address_gets_a_quarter_or_what_is_set(setting: int | None, allowed: int) -> None:
    assert (
        limits_from(settings(max_connections_per_address=setting), open_files=PLENTY).max_connections_per_address
        == allowed
    )


def test_behind_a_proxy_addresses_are_not_counted() -> None:
    assert limits_from(settings(trusted_proxy_count=1), open_files=PLENTY).max_connections_per_address is None


def test_a_low_soft_limit_is_raised() -> None:
    limits = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(soft, 1_024)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))

        assert raise_open_files_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(hard, PLENTY)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_body_of_the_largest_size_fits_in_however_it_is_sent() -> None:
    assert ConnectionLimits().max_body_wire_bytes >= 2 * max(LARGEST_BYTES, *UPLOADS.values())
