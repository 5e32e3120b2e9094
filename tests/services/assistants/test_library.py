"""Definitions on disk: what is read, what is refused with which sentence, and what a change does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from maverik_backend.errors import SettingsError
from maverik_backend.services.assistants import SHIPPED, Definition, Kind, Library, faults
from tests.support.log_lines import Lines

Write = Callable[..., Path]
MODEL = 'name = "Ana"\nkind = "model"\ninstructions = "ana.md"\n'


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write("ana.toml", text)`` writes a file of the folder, always with a new time."""
    written = 0

    def write_file(name: str, text: str) -> Path:
        nonlocal written
        written += 1
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(written * 10**9, written * 10**9))
        return path

    return write_file


def read(folder: Path) -> Library:
    return Library([folder], check=faults, look_again_after_s=0)


def problems_of(folder: Path) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        read(folder)
    return refused.value.problems


class TestReading:
    def test_the_shipped_definitions_have_no_faults(self) -> None:
        assert {"maverik", "maverik-rag", "maverik-integrado"} <= set(read(SHIPPED).current())

    def test_a_definition_holds_the_text_of_its_instructions(self, tmp_path: Path, write: Write) -> None:
        write("ana.md", "Sos $assistant.\n")
        write("ana.toml", MODEL)

        definition = read(tmp_path).current()["ana"]

        assert (definition.slug, definition.kind, definition.instructions) == ("ana", Kind.MODEL, "Sos $assistant.")

    def test_a_definition_holds_its_output_schema(self, tmp_path: Path, write: Write) -> None:
        write("ana.md", "Sos $assistant.")
        write("ana.json", '{"type": "object"}')
        write("ana.toml", f'{MODEL}output_schema = "ana.json"\n')

        assert read(tmp_path).current()["ana"].output_schema == {"type": "object"}

    def test_a_later_folder_replaces_what_has_the_same_name(self, tmp_path: Path, write: Write) -> None:
        write("maverik.toml", 'name = "Otro"\nkind = "embedded"\n')

        both = Library([SHIPPED, tmp_path], check=faults).current()

        assert (both["maverik"].name, both["maverik-rag"].name) == ("Otro", "Maverik")

    def test_instructions_are_not_in_what_a_definition_shows_of_itself(self) -> None:
        definition = Definition(slug="ana", name="Ana", kind=Kind.MODEL, instructions="secreto")
        assert "secreto" not in repr(definition)


class TestVersion:
    def test_it_changes_with_every_field_and_with_nothing_else(self) -> None:
        ana = Definition(slug="ana", name="Ana", kind=Kind.MODEL, instructions="Sé breve.")
        assert ana.version == ana.model_copy().version
        changes: list[dict[str, object]] = [{"instructions": "Sé claro."}, {"temperature": 0.1}, {"tools": ("x",)}]
        changed = {Definition.model_validate(ana.model_dump() | change).version for change in changes}
        assert len(changed | {ana.version}) == 4


class TestFaults:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("name = ", "ana.toml: it is not TOML"),
            ('name = "Ana"\n', "ana.toml: kind: field required."),
            (
                'name = "Ana"\nkind = "robot"\n',
                "ana.toml: kind: input should be 'rag', 'embedded', 'model' or 'queries'.",
            ),
            (f"{MODEL}colour = 1\n", "ana.toml: colour is no field of an assistant; there are slug, name, kind"),
            (f'{MODEL}slug = "eva"\n', 'ana.toml: slug is "eva": it must be the name of the file'),
            (f"{MODEL}temperature = 3\n", "ana.toml: temperature: input should be less than or equal to 2."),
            (f'{MODEL}tools = ["hack"]\n', 'ana.toml: tools: there is no "hack"; there is '),
            (f'{MODEL}context = ["mood"]\n', 'ana.toml: context: there is no "mood"; there is investor_profile.'),
            (f'{MODEL}fallback = "eva"\n', 'ana.toml: fallback: there is no assistant "eva".'),
            (f'{MODEL}fallback = "ana"\n', "ana.toml: fallback: ana -> ana goes round in a circle."),
            (f'{MODEL}output_schema = "no.json"\n', "ana.toml: no.json cannot be read: No such file or directory."),
            (f'{MODEL}output_schema = "ana.md"\n', "ana.toml: ana.md is not JSON"),
            ('name = "Ana"\nkind = "model"\n', "ana.toml: instructions must name a file with text."),
            (
                'name = "Ana"\nkind = "model"\ninstructions = "../ana.md"\n',
                "ana.toml: instructions must be the name of a file in the same folder.",
            ),
            (
                'name = "Ana"\nkind = "rag"\ntools = []\n',
                'ana.toml: tools: only assistants of kind "model" have these fields.',
            ),
        ],
    )
    def test_each_is_a_sentence_that_names_file_and_field(
        self, tmp_path: Path, write: Write, text: str, sentence: str
    ) -> None:
        write("ana.md", "Sos $assistant.")
        write("ana.toml", text)

        (problem,) = problems_of(tmp_path)

        assert problem.startswith(sentence)

    def test_a_variable_that_nothing_fills_in_is_one(self, tmp_path: Path, write: Write) -> None:
        write("ana.md", "Sos $assistant y cobrás $precio.")
        write("ana.toml", MODEL)

        assert problems_of(tmp_path) == (
            "ana.toml: instructions: nothing fills in the variable $precio; there is $assistant.",
        )

    def test_a_file_that_is_no_text_is_one(self, tmp_path: Path, write: Write) -> None:
        write("ana.toml", "").write_bytes(b"\xff\xfe")
        assert problems_of(tmp_path) == ("ana.toml: ana.toml is not UTF-8 text.",)

    def test_all_files_are_told_of_at_once(self, tmp_path: Path, write: Write) -> None:
        write("ana.toml", "name = ")
        write("eva.toml", "name = ")
        assert [problem.partition(":")[0] for problem in problems_of(tmp_path)] == ["ana.toml", "eva.toml"]


class TestChanges:
    def test_a_changed_file_is_read_again(self, tmp_path: Path, write: Write, lines: Lines) -> None:
        write("ana.md", "Sos $assistant.")
        write("ana.toml", MODEL)
        definitions = read(tmp_path)
        before = definitions.current()["ana"].version

        write("ana.md", "Sos $assistant y sos breve.")

        assert definitions.current()["ana"].version != before
        assert lines.of("assistants_reloaded")

    def test_what_did_not_change_is_the_same_object(self, tmp_path: Path, write: Write) -> None:
        write("ana.md", "Sos $assistant.")
        write("ana.toml", MODEL)
        definitions = read(tmp_path)
        assert definitions.current()["ana"] is definitions.current()["ana"]

    def test_a_fault_keeps_what_was_read_before_and_is_logged(self, tmp_path: Path, write: Write, lines: Lines) -> None:
        write("ana.md", "Sos $assistant.")
        write("ana.toml", MODEL)
        definitions = read(tmp_path)

        write("ana.toml", "name = ")

        assert definitions.current()["ana"].name == "Ana"
        (line,) = lines.of("assistants_not_reloaded")
        assert line["problems"][0].startswith("ana.toml: it is not TOML")
