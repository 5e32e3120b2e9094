"""Docstrings, comments and names of the package say what a mechanism does, and to what; see CONTRIBUTING.md."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGE = ROOT / "maverik_backend"
# What to say instead: the principal, client, user or process that is meant, or `x is None`.
NOT_WHO = frozenset(
    [
        "anybody",
        "everybody",
        "nobody",
        "somebody",
        "whoever",
        "whomever",
        "stranger",
        "strangers",
        "newcomer",
        "themself",
    ]
)
# What to say instead: client (`ClientInfo` for its address and program), reset.
NOT_WHAT = frozenset(["caller", "callers", "forgive", "forgives"])
FORBIDDEN = NOT_WHO | NOT_WHAT


def words_of(source: str) -> Iterator[tuple[int, str]]:
    """Each word of a docstring, a comment or a name, in lower case, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from _words(node.lineno, node.value.value)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in {tokenize.COMMENT, tokenize.NAME}:
            yield from _words(token.start[0], token.string)


def _words(line: int, text: str) -> Iterator[tuple[int, str]]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    yield from ((line, word.lower()) for word in re.findall(r"[A-Za-z]+", spaced))


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=_name)
def test_no_word_is_one_that_hides_what_is_meant(path: Path) -> None:
    found = words_of(path.read_text(encoding="utf-8"))

    assert [(line, word) for line, word in found if word in FORBIDDEN] == []


@pytest.mark.parametrize(
    "source",
    ['"""Whoever asks."""', "# nobody reads it\n", "def forgive() -> None: ...", "class CallerInfo: ...", "NOBODY = 0"],
)
def test_they_are_found_wherever_they_stand(source: str) -> None:
    assert {word for _, word in words_of(source)} & FORBIDDEN


def test_what_people_are_told_is_not_looked_at() -> None:
    assert {word for _, word in words_of('TEXT = "nobody"')} & FORBIDDEN == set()
