"""What the ways into the program say and keep; see test_cli.py for the commands themselves."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from maverik_backend.cli.common import plain_errors
from maverik_backend.core.migrations import upgrade
from maverik_backend.errors import SettingsError
from maverik_backend.models import SCHEMA_REVISIONS
from maverik_backend.settings import Settings
from tests.support.processes import run_python


class TestMigratingToAnOlderRevision:
    @pytest.mark.parametrize("revision", [SCHEMA_REVISIONS[0], SCHEMA_REVISIONS[0][:4], "base"])
    def test_it_is_refused(self, own_database: Settings, revision: str) -> None:
        with pytest.raises(SettingsError, match=f"newer than {revision}: going down is `alembic downgrade {revision}`"):
            upgrade(own_database, revision)

    def test_every_way_up_is_still_taken(self, empty_database: Settings) -> None:
        for revision in (SCHEMA_REVISIONS[0], SCHEMA_REVISIONS[0], "+1", SCHEMA_REVISIONS[2][:4], "head", "heads"):
            upgrade(empty_database, revision)


class TestErrorsOfTheSystem:
    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            (OSError("the host is down"), "the host is down."),
            (TimeoutError(110, "Connection timed out"), "Connection timed out."),
            (PermissionError(13, "Permission denied", "a.txt"), "a.txt cannot be used: Permission denied."),
        ],
    )
    def test_they_are_told_in_their_own_words(self, error: OSError, sentence: str) -> None:
        @click.command()
        @plain_errors
        def fail() -> None:
            raise error

        result = CliRunner().invoke(fail)

        assert (result.exit_code, result.stderr) == (2, f"{sentence}\n")


def test_the_application_made_from_the_environment_is_one(own_folder: Path) -> None:
    code = "from maverik_backend import api; assert api.app is api.app"

    result = run_python("-c", code, cwd=own_folder, DB_HOST="127.0.0.1", DB_PORT="1", DB_USERNAME="x")

    assert result.returncode == 0, result.stderr


def test_a_list_of_the_commands_loads_neither_settings_nor_the_web_stack(tmp_path: Path) -> None:
    heavy = ("pydantic", "sqlalchemy", "fastapi", "uvicorn", "alembic", "requests")
    code = (
        "import sys; from click.testing import CliRunner; from maverik_backend.cli import main; "
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )

    result = run_python("-c", code, cwd=tmp_path)

    assert (result.returncode, result.stdout) == (0, "[]\n"), result.stderr
