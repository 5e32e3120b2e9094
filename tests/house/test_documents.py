"""What README.md and docs/ tell people to type exists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from maverik_backend.cli import main
from maverik_backend.errors import UpstreamError
from tests.support.documents import code_in
from tests.support.paths import ROOT

OPERATIONS = (ROOT / "docs" / "OPERATIONS.md").read_text(encoding="utf-8")
ALERTS = (ROOT / "deployments" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"(?:python -m maverik_backend|\bmaverik) ([a-z][^\n#`]*)")


def commands_in(code: str) -> Iterator[str]:
    """Each command that is named, alternatives one by one: ``jobs list|run`` is two."""
    for line in COMMAND.findall(code):
        group, _, rest = line.partition(" ")
        first, _, options = rest.partition(" ")
        yield from (f"{group} {name} {options}" for name in first.split("|"))


def unknown_in(command: str) -> list[str]:
    """The words of ``command`` that the command line does not know."""
    found: click.Command = main
    words = command.split()
    while isinstance(found, click.Group) and words:
        name = words.pop(0)
        if name not in found.commands:
            return [name]
        found = found.commands[name]
    known = {option for parameter in found.params for option in parameter.opts}
    return [word for word in re.findall(r"--[a-z-]+", " ".join(words)) if word not in known]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
class TestWhatIsNamed:
    def test_make_targets_exist(self, document: Path) -> None:
        targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
        named = {target for code in code_in(document) for target in re.findall(r"\bmake ([a-z]+)", code)}

        assert named <= targets

    def test_commands_and_their_options_exist(self, document: Path) -> None:
        unknown = {
            command: words
            for code in code_in(document)
            for command in commands_in(code)
            if (words := unknown_in(command))
        }

        assert unknown == {}

    def test_settings_stand_in_the_example(self, document: Path) -> None:
        example = (ROOT / ".env.example").read_text(encoding="utf-8")
        known = set(re.findall(r"^(?:# )?([A-Z_0-9]+)=", example, re.MULTILINE))
        named = {name for code in code_in(document) for name in re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", code)}

        assert named <= known

    def test_files_exist(self, document: Path) -> None:
        text = document.read_text(encoding="utf-8")
        links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]

        assert [link for link in links if not (document.parent / link).exists()] == []

    def test_tests_exist(self, document: Path) -> None:
        named = set(re.findall(r"\btests/[a-z_/]+\.py\b", document.read_text(encoding="utf-8")))

        assert {name for name in named if not (ROOT / name).is_file()} == set()


def named_in_table(heading: str) -> set[str]:
    """What stands in the first column of the table of OPERATIONS.md whose head begins with ``heading``."""
    (table,) = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", OPERATIONS, re.MULTILINE)
    firsts = [line.split("|")[1].strip() for line in table.splitlines()]
    return {name for first in firsts for name in re.findall(r"`(\w+)`", first) or [first]}


def descendants(parent: type[UpstreamError]) -> set[type[UpstreamError]]:
    direct = set(parent.__subclasses__())
    return direct.union(*map(descendants, direct))


def logged_events(text: str) -> set[str]:
    return set(re.findall(r'_log\.\w+\(\s*"(\w+)"', text))


SOURCES = [file.read_text(encoding="utf-8") for file in (ROOT / "maverik_backend").rglob("*.py")]


class TestNamesInLogsAndAlerts:
    def test_events_in_the_table_are_logged(self) -> None:
        logged = {event for source in SOURCES for event in logged_events(source)}

        assert named_in_table("event") <= logged

    def test_events_that_alerts_point_to_are_logged(self) -> None:
        logged = {event for source in SOURCES for event in logged_events(source)}
        named = set(re.findall(r"`([a-z]+(?:_[a-z]+)*)`(?: or|\s+tells?)", ALERTS))

        assert named
        assert named <= logged

    def test_every_kind_of_failure_is_explained_and_no_other(self) -> None:
        of_optimizer = {kind for source in SOURCES for kind in re.findall(r'"optimizer_failed",.*kind="(\w+)"', source)}

        assert named_in_table("kind") == {kind.kind for kind in descendants(UpstreamError)} | of_optimizer

    def test_every_alert_is_explained(self) -> None:
        assert set(re.findall(r"- alert: (\w+)", ALERTS)) == {
            name for name in named_in_table("alert") if name.startswith("Maverik")
        }


def rows_of_asvs(first: str) -> list[list[str]]:
    """The cells of each row of docs/ASVS.md whose first one looks like ``first``."""
    text = (ROOT / "docs" / "ASVS.md").read_text(encoding="utf-8")
    return [
        [cell.strip() for cell in row.split("|")] for row in re.findall(rf"^\| ({first} \|.*) \|$", text, re.MULTILINE)
    ]


class TestRequirements:
    """The table of OWASP ASVS 5.0.0: 70 requirements of level 1, 183 of level 2."""

    ROWS = rows_of_asvs(r"\d+\.\d+\.\d+")

    def test_every_one_is_there_once(self) -> None:
        assert Counter(level for _, level, *_ in self.ROWS) == {"1": 70, "2": 183}
        assert len({number for number, *_ in self.ROWS}) == len(self.ROWS)

    def test_what_is_met_names_the_tests_that_show_it_and_nothing_else_does(self) -> None:
        assert [number for number, _, _, state, _, tests in self.ROWS if (state == "met") != ("tests/" in tests)] == []

    def test_the_counts_are_those_of_the_rows(self) -> None:
        counts = {
            state: [int(one), int(two)] for state, one, two, _ in rows_of_asvs("(?:not )?(?:met|applicable)[a-z, ]*")
        }
        counted = Counter((row[3], row[1]) for row in self.ROWS)

        assert counts == {state: [counted[state, "1"], counted[state, "2"]] for state in counts}
        assert {row[3] for row in self.ROWS} == set(counts)


def test_there_is_something_to_check() -> None:
    named = [command for document in DOCUMENTS for code in code_in(document) for command in commands_in(code)]

    assert len(named) > 20
    assert unknown_in("users vanish EMAIL") == ["vanish"]
    assert unknown_in("serve --faster") == ["--faster"]
