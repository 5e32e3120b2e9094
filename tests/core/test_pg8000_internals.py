"""pg8000 from inside is the one that core/postgres_driver.py was written against."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from pg8000 import core, dbapi, legacy  # type: ignore[import-untyped]

VERSION = "1.31.6"
# What each is to core/postgres_driver.py, and the digest of its source in that version.
INTERNALS: dict[str, tuple[Callable[..., Any], str, str]] = {
    "CoreConnection.__init__": (
        core.CoreConnection.__init__,
        "sets _sock, _usock, message_types, pg_types",
        "c9557d9f5d4a0fb2",
    ),
    "CoreConnection.close": (
        core.CoreConnection.close,
        "raises InterfaceError for a lost connection",
        "9383ab7e1e4dd3f6",
    ),
    "CoreConnection.execute_simple": (
        core.CoreConnection.execute_simple,
        "commit, rollback, is_there",
        "57ca4e0354186ded",
    ),
    "CoreConnection.handle_messages": (
        core.CoreConnection.handle_messages,
        "replaced by handle_messages",
        "f3450a3764f06985",
    ),
    "CoreConnection.handle_ROW_DESCRIPTION": (
        core.CoreConnection.handle_ROW_DESCRIPTION,
        "extended: columns and input_funcs are remembered",
        "43a1f417332b6cd9",
    ),
    "CoreConnection.handle_DATA_ROW": (core.CoreConnection.handle_DATA_ROW, "reads input_funcs", "d6a80acc05cbc255"),
    "CoreConnection.handle_COMMAND_COMPLETE": (
        core.CoreConnection.handle_COMMAND_COMPLETE,
        "counts rows; passed over for the answers of BEGIN",
        "dead6eaa3e83cf76",
    ),
    "CoreConnection.handle_READY_FOR_QUERY": (
        core.CoreConnection.handle_READY_FOR_QUERY,
        "sets _transaction_status",
        "755520a156c276df",
    ),
    "Context": (core.Context.__init__, "made for each statement", "410d77f895ea5ade"),
    "make_params": (core.make_params, "turns values into texts", "d164156f5ba5b850"),
    "convert_paramstyle": (
        dbapi.convert_paramstyle,
        "numbers placeholders; its result is remembered",
        "d86b773c239000bd",
    ),
    "legacy.Connection.commit": (legacy.Connection.commit, "replaced by commit", "33f87e623209f788"),
    "legacy.Connection.rollback": (legacy.Connection.rollback, "replaced by rollback", "b6d214b8281a8452"),
    "legacy.Connection._in_transaction": (
        legacy.Connection._in_transaction.fget,  # noqa: SLF001 - what is compared
        "asked before each statement",
        "d685b87c7344e436",
    ),
    "legacy.Cursor.execute": (legacy.Cursor.execute, "replaced by Cursor.execute", "54009f088e6f2b90"),
}


def digest(function: Callable[..., Any]) -> str:
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


def test_the_version_is_the_one_that_was_read() -> None:
    assert version("pg8000") == VERSION, (
        f"core/postgres_driver.py was written against pg8000 {VERSION}: compare pg8000/core.py and legacy.py of both "
        "releases, run tests/core/test_postgres_driver.py, then change VERSION here and the pin in pyproject.toml"
    )


@pytest.mark.parametrize("name", INTERNALS)
def test_what_the_driver_rests_on_is_unchanged(name: str) -> None:
    function, use, known = INTERNALS[name]

    assert digest(function) == known, (
        f"pg8000's {name} changed ({use}): read what is different, follow it in core/postgres_driver.py, and write the "
        "new digest here"
    )
