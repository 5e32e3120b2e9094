"""`DB_SSL_MODE`: who gets to see what goes to the database. The server is real, TLS stands before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trustme
from pydantic import SecretStr
from sqlalchemy import text

from maverik_backend.errors import DatabaseUnavailable, SettingsError
from maverik_backend.settings import DatabaseSettings
from tests.support.fixtures.application import local_settings
from tests.support.fixtures.database import connected
from tests.support.postgres import PASSWORD, USER, TcpPostgres, TlsFront
from tests.support.servers import LOOPBACK

AUTHORITY = trustme.CA()


@pytest.fixture(scope="module")
def plain() -> Iterator[TcpPostgres]:
    with TemporaryDirectory(prefix="maverik-test-") as folder, TcpPostgres(Path(folder)) as server:
        yield server


@pytest.fixture(scope="module")
def encrypted(plain: TcpPostgres) -> Iterator[TlsFront]:
    """The same server, with a certificate for the address that it is reached at."""
    with TlsFront(plain.port, AUTHORITY.issue_cert(LOOPBACK)) as front:
        yield front


@pytest.fixture
def root_cert(tmp_path: Path) -> Path:
    AUTHORITY.cert_pem.write_to_path(path := tmp_path / "ca.pem")
    return path


def ask(port: int, folder: Path, **settings: Any) -> Any:
    """What the database on ``port`` answers to a question."""
    values: dict[str, Any] = {"host": LOOPBACK, "port": port, "name": "postgres", "username": USER, **settings}
    group = DatabaseSettings.isolated(password=SecretStr(PASSWORD), **values)
    changed = local_settings(folder).model_copy(update={"database": group})
    with connected(changed) as database, database.transaction() as session:
        return session.scalar(text("SELECT 1"))


@pytest.mark.parametrize("mode", ["prefer", "require"])
def test_without_verification_any_certificate_will_do(encrypted: TlsFront, tmp_path: Path, mode: str) -> None:
    before = encrypted.handshakes

    assert ask(encrypted.port, tmp_path, ssl_mode=mode) == 1
    assert encrypted.handshakes == before + 1


def test_a_certificate_of_the_trusted_authority_is_verified(
    encrypted: TlsFront, tmp_path: Path, root_cert: Path
) -> None:
    assert ask(encrypted.port, tmp_path, ssl_mode="verify-full", ssl_root_cert=root_cert) == 1


def test_an_unknown_authority_is_refused_and_the_reason_told(encrypted: TlsFront, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="its certificate is not trusted: unable to get local issuer"):
        ask(encrypted.port, tmp_path, ssl_mode="verify-full")


def test_a_certificate_of_another_server_is_refused(plain: TcpPostgres, tmp_path: Path, root_cert: Path) -> None:
    with (
        TlsFront(plain.port, AUTHORITY.issue_cert("other.example.com")) as other,
        pytest.raises(DatabaseUnavailable, match="its certificate is not trusted: IP address mismatch"),
    ):
        ask(other.port, tmp_path, ssl_mode="verify-full", ssl_root_cert=root_cert)


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_a_server_without_tls_is_refused_where_it_is_demanded(plain: TcpPostgres, tmp_path: Path, mode: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="it offers no TLS, which DB_SSL_MODE demands"):
        ask(plain.port, tmp_path, ssl_mode=mode)


def test_a_server_without_tls_is_used_by_default(plain: TcpPostgres, tmp_path: Path) -> None:
    assert ask(plain.port, tmp_path) == 1


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "not PEM"])
def test_authorities_that_cannot_be_read_are_told_at_the_start(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content, encoding="ascii")

    with pytest.raises(SettingsError, match="DB_SSL_ROOT_CERT cannot be used"):
        ask(1, tmp_path, ssl_mode="verify-full", ssl_root_cert=tmp_path / "ca.pem")
