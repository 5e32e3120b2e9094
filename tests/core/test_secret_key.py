"""The generated key of a developer's machine."""

from __future__ import annotations

import threading
from pathlib import Path

from maverik_backend.core.secret_key import make_keyring
from maverik_backend.core.security import Keyring, Purpose
from tests.support.fixtures.application import local_settings


def test_it_survives_a_restart(tmp_path: Path) -> None:
    sealed = make_keyring(local_settings(tmp_path)).seal(b"hola", purpose=Purpose.MAIL)

    assert make_keyring(local_settings(tmp_path)).unseal(sealed, purpose=Purpose.MAIL) == b"hola"


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    make_keyring(local_settings(tmp_path))

    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_use_the_same_one(tmp_path: Path) -> None:
    barrier, keyrings = threading.Barrier(8), list[Keyring]()

    def start() -> None:
        barrier.wait()
        keyrings.append(make_keyring(local_settings(tmp_path)))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    sealed = keyrings[0].seal(b"hola", purpose=Purpose.MAIL)
    assert [keyring.unseal(sealed, purpose=Purpose.MAIL) for keyring in keyrings] == [b"hola"] * 8
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]
