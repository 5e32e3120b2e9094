"""``DATA_SOURCE_<NAME>_URL``: a variable a source, refused with a sentence that names it and quotes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from maverik_backend.errors import SettingsError
from maverik_backend.settings import DataSourceSettings, load_config

URL = "postgresql://reader:p%40ss@db.example.com:5433/orders"


@pytest.fixture(autouse=True)
def _nothing_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("APP_ENV", "test")


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> DataSourceSettings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_config().data_sources


def test_a_source_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, DATA_SOURCE_MIEMPRESA_URL=URL, data_source_otra_url=URL, DATA_SOURCE_VACIA_URL="")

    assert sorted(settings.urls) == ["miempresa", "otra"]


def test_its_address_is_read_as_libpq_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(monkeypatch, DATA_SOURCE_A_URL=f"{URL}?sslmode=verify-full&sslrootcert=/ca.pem").connection("a")

    assert found is not None
    assert (found.host, found.port, found.name, found.username) == ("db.example.com", 5433, "orders", "reader")
    assert found.password is not None
    assert found.password.get_secret_value() == "p@ss"
    assert (found.ssl_mode, str(found.ssl_root_cert)) == ("verify-full", "/ca.pem")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql+asyncpg", "postgresql+pg8000"])
def test_schemes_of_other_programs_are_taken(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    assert load(monkeypatch, DATA_SOURCE_A_URL=URL.replace("postgresql", scheme)).connection("a") is not None


def test_a_unix_socket_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(monkeypatch, DATA_SOURCE_A_URL="postgresql://reader@/orders?host=/run/postgresql").connection("a")

    assert found is not None
    assert found.host == "/run/postgresql"


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(
        "DATA_SOURCE_A_URL=postgresql://reader@file/a\nDATA_SOURCE_B_URL=postgresql://reader@file/b\n", encoding="utf-8"
    )

    settings = load(monkeypatch, DATA_SOURCE_A_URL=URL)

    hosts = [connection.host for name in "ab" if (connection := settings.connection(name))]
    assert hosts == ["db.example.com", "file"]


def test_there_is_none_without_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)

    assert (settings.urls, settings.connection("a")) == ({}, None)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://reader:hidden@h/d", "it must begin with postgresql://"),
        (
            "postgresql://h/d",
            "it must name a host, a user and a database: postgresql://USER:PASSWORD@HOST:5432/DATABASE",
        ),
        ("postgresql://reader:hidden@h", "it must name a host, a user and a database"),
        ("postgresql://reader:hidden@/d", "it must name a host, a user and a database"),
        ("postgresql://reader:hidden@h:x/d", "it is no address"),
        ("postgresql://reader:hidden@h/d?sslmode=disable", "sslmode must be one of prefer, require, verify-full"),
        ("postgresql://reader:hidden@h/d?options=-crole=x", "of its options only host, sslmode, sslrootcert are known"),
        ("hidden", "it must begin with postgresql://"),
    ],
)
def test_what_is_wrong_is_said_without_quoting_it(monkeypatch: pytest.MonkeyPatch, url: str, reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, DATA_SOURCE_A_URL=url)

    (problem,) = caught.value.problems
    assert problem.startswith(f"DATA_SOURCE_A_URL cannot be used: {reason}")
    assert "hidden" not in problem


def test_no_repr_shows_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, DATA_SOURCE_A_URL=URL)

    assert "db.example.com" not in repr(settings)
    assert "p@ss" not in repr(settings.connection("a"))
