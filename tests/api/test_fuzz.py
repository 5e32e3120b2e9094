"""Generated requests, a few of each kind; `make fuzz` sends thousands."""

from __future__ import annotations

import re
from pathlib import Path

from tests.fuzz.__main__ import fuzz


def test_generated_requests_get_documented_answers(own_folder: Path) -> None:
    result = fuzz(own_folder, "--max-examples", "2", "--phases", "examples,coverage,stateful")

    cases = re.search(r"(\d+) generated, (\d+) passed", result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr
    assert cases is not None, result.stdout
    assert int(cases[1]) == int(cases[2]) > 500
