"""The command line, as a person meets it: real processes."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.processes import run_maverik, run_python

ALEMBIC_INI = ["-c", str(ROOT / "alembic.ini")]
# Runs a command of Alembic and prints which parts of the package that loaded.
ALEMBIC = (
    "import sys; from alembic.config import main; main(argv={arguments!r}); "
    "print(*{{name.split('.')[1] for name in sys.modules if name.startswith('maverik_backend.')}})"
)


class TestConfigurationErrors:
    @pytest.mark.parametrize("command", [["serve"], ["migrate"], ["jobs", "list"]])
    def test_all_of_them_are_told_at_once_without_a_traceback(self, own_folder: Path, command: list[str]) -> None:
        result = run_maverik(*command, cwd=own_folder, DB_PORT="x", RAG_SERVICE_URL="ftp://a", MAIL_SENDER_ADDRESS="no")

        assert result.returncode == 2
        lines = result.stderr.strip().splitlines()
        assert [line.split()[0] for line in lines] == ["DB_PORT", "RAG_SERVICE_URL", "MAIL_SENDER_ADDRESS"]

    def test_uvicorn_gets_sentences_too(self, own_folder: Path) -> None:
        result = run_python("-m", "uvicorn", "maverik_backend.api:app", cwd=own_folder, APP_ENV="prod")

        assert result.returncode != 0
        assert "SECRET_KEY is not set" in result.stderr
        assert "Traceback" not in result.stderr

    def test_a_database_that_is_not_there_is_told_in_a_sentence(self, own_folder: Path) -> None:
        result = run_maverik("migrate", cwd=own_folder, DB_HOST="127.0.0.1", DB_PORT="1", DB_USERNAME="x")

        assert result.returncode == 2
        assert result.stderr.startswith("The database cannot be used (no connection)")
        assert "Traceback" not in result.stderr

    def test_an_address_that_is_taken_is_told_in_a_sentence(self, own_folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])

            result = run_maverik("serve", cwd=own_folder, PORT=port)

        assert result.returncode == 2
        assert f"HOST=127.0.0.1 PORT={port} cannot be listened on" in result.stderr
        assert "Traceback" not in result.stderr

    def test_a_folder_that_cannot_be_used_is_told_in_a_sentence(self, own_folder: Path) -> None:
        (own_folder / "file").write_text("", encoding="utf-8")

        result = run_maverik("migrate", cwd=own_folder, LOCAL_DATA_DIR=str(own_folder / "file"))

        assert result.returncode == 2
        assert "cannot be used" in result.stderr
        assert "Traceback" not in result.stderr


class TestKeys:
    def test_a_generated_key_is_one_that_the_settings_take(self, own_folder: Path) -> None:
        first, second = (run_maverik("keys", "generate", cwd=own_folder).stdout.strip() for _ in range(2))

        assert re.fullmatch(r"k4\.local\.[A-Za-z0-9_-]{43}", first)
        assert first != second
        assert run_maverik("keys", "generate", cwd=own_folder, SECRET_KEY=f"{first},{second}").returncode == 0


class TestMigrate:
    def test_it_can_be_run_twice(self, own_folder: Path) -> None:
        for _ in range(2):
            result = run_maverik("migrate", cwd=own_folder)
            assert (result.returncode, result.stdout) == (0, "The database is up to date.\n"), result.stderr

    def test_an_unknown_revision_is_told_in_a_sentence(self, own_folder: Path) -> None:
        result = run_maverik("migrate", "nada", cwd=own_folder)

        assert (result.returncode, result.stderr) == (2, "Can't locate revision identified by 'nada'.\n")

    def test_a_plain_alembic_command_works_too(self, own_folder: Path) -> None:
        arguments = ("-m", "alembic", "-c", str(ROOT / "alembic.ini"))

        assert run_python(*arguments, "upgrade", "head", cwd=own_folder).returncode == 0
        assert run_python(*arguments, "check", cwd=own_folder).returncode == 0


class TestNothingMigratesThatCouldNotStart:
    """Everything that the server refuses is refused before the database is touched, or even started."""

    MISSING = "import sys; sys.modules['numpy'] = None; sys.argv[1:] = {arguments!r}; from {module} import main; main()"

    @pytest.mark.parametrize(
        "command",
        ["migrate", "serve"],
    )
    def test_without_an_optimiser(self, own_folder: Path, command: str) -> None:
        code = self.MISSING.format(module="maverik_backend.cli", arguments=[command])

        result = run_python("-c", code, cwd=own_folder)

        assert result.returncode == 2
        assert "PORTFOLIO_OPTIMIZATION_URL" in result.stderr
        assert "Traceback" not in result.stderr
        assert not (own_folder / ".maverik" / "postgres").exists()

    def test_without_the_library_of_the_counters(self, own_folder: Path) -> None:
        code = self.MISSING.replace("numpy", "redis").format(module="maverik_backend.cli", arguments=["migrate"])
        result = run_python("-c", code, cwd=own_folder, RATE_LIMIT_STORAGE="redis://localhost")

        assert (result.returncode, "redis" in result.stderr) == (2, True)
        assert not (own_folder / ".maverik" / "postgres").exists()

    def test_alembic_itself_works_both_ways_without_the_application(self, own_folder: Path) -> None:
        for arguments in (["upgrade", "head"], ["downgrade", "-1"]):
            result = run_python("-c", ALEMBIC.format(arguments=[*ALEMBIC_INI, *arguments]), cwd=own_folder)

            assert result.returncode == 0, result.stderr
            assert set(result.stdout.split()) <= {
                "core",
                "errors",
                "invocation",
                "models",
                "settings",
            }


class TestJobs:
    def test_without_jobs_there_is_nothing_to_run(self, own_folder: Path) -> None:
        run_maverik("migrate", cwd=own_folder)

        result = run_maverik("jobs", "run", cwd=own_folder)

        assert (result.returncode, result.stdout) == (0, "0 done\n"), result.stderr


class TestDemo:
    def test_it_plays_a_whole_conversation_and_ends(self, own_folder: Path) -> None:
        result = run_maverik(
            "demo", cwd=own_folder, DB_HOST="db.invalid", DB_USERNAME="x", RAG_SERVICE_URL="http://x.invalid"
        )

        assert result.returncode == 0, result.stderr
        output = " ".join(result.stdout.split())
        assert "Portafolio sugerido (perfil moderado)" in output
        assert "con tu capital inicial de US$ 12.000 y un ahorro de US$ 350 por mes, reunirías US$ 28.800" in output
        assert "Esa consulta queda fuera de lo que sé" in output
        assert "5 turnos guardados" in output
        assert list(own_folder.iterdir()) == []
