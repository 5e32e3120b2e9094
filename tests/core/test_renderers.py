"""Cleaned texts through renderers of several dialects, none of which gets to show anything active.

The texts are those of a generator (tests/support/markdown.py); `python -m tests.bench --only cleaning` takes 100,000.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maverik_backend.core import markdown as answer
from maverik_backend.core import plain_text
from tests.support import node
from tests.support.markdown import PYTHON_RENDERERS, active_in, hostile, made_active
from tests.support.node import NodeScript
from tests.support.paths import ROOT

TEXTS = 150
# Each did something in a renderer before it was cleaned away.
FOUND = [
    "[a] (javascript:alert(1))",
    "![a](http://e/(x)",
    "![a] [r]\n\n[r]: https://e.x",
    "[a](java\tscript:alert(1))",
    "[a]\n\n[a]: javascript:alert(1)",
    '[a]\n\n[a]: https://e.x"onclick="alert(1)',
    "```html\n<script>alert(1)</script>\n```",
    "a | b\n--|--\n`x | <img src=x onerror=alert(1)>` | c",
    "``a ` <b onclick=alert(1)>``",
    "# a {onclick=alert(1)}",
    "<https://e.x/onclick=alert(1)>",
    "ftp://e.x",
    'http://e.`"onclick=alert(1)//`',
    "dict://e.x.y",
    "[a]:[a]\n[][a]",
    'http://e.`` `"onclick=alert(1)//``',
    '```py"style="display:block"onclick="alert(1)"\nx\n```',
    '~~~"onclick="x\nx\n~~~',
    '| a"style="display:block"onclick="alert(1) | b |\n|---|---|\n| x | y |',
    '| a"b/onclick=x | b |\n|---|---|\n| x | y |',
    '[a]:\nmailto:a@b.c\n\n(b"c/onclick=x)\n\na | b\n--|--\nx | y',
    "~~~{figure} https://e.x/a.png\n~~~",
    "~~~{figure} https://e.x/```\nx\n~~~",
    "````{figure} https://e.x/```\nx\n````",
    ".. figure:: https://e.x/a.png",
]


@pytest.fixture(scope="module")
def scripts() -> Iterator[NodeScript]:
    node.require()
    with NodeScript("markdown.mjs") as script:
        yield script


def texts(seed: str) -> list[str]:
    return [*FOUND, *(hostile(f"{seed}-{number}") for number in range(TEXTS))]


@pytest.mark.parametrize("text", FOUND)
def test_each_of_these_is_active_somewhere_as_it_is(text: str, scripts: NodeScript) -> None:
    assert made_active([text], scripts)


def test_most_of_the_generated_texts_are_active_as_they_are() -> None:
    assert len({text for text, _, _ in made_active(texts("python"), None)}) > TEXTS / 2


def test_renderers_in_python_make_nothing_active_of_a_cleaned_text() -> None:
    assert made_active([answer.clean(text) for text in texts("python")], None) == []


def test_renderers_in_node_make_nothing_active_of_a_cleaned_text(scripts: NodeScript) -> None:
    assert made_active([answer.clean(text) for text in texts("node")], scripts) == []


def test_plain_text_is_harmless_where_it_is_taken_for_markdown_or_html(scripts: NodeScript) -> None:
    plain = [plain_text.of(answer.clean(text)) for text in texts("plain")]

    assert made_active(plain, scripts) == []
    assert [text for text in plain if active_in(text)] == []


def test_the_renderers_are_those_that_the_documents_name() -> None:
    documented = (ROOT / "docs" / "SECURITY.md").read_text(encoding="utf-8")

    assert [name for name in PYTHON_RENDERERS if name.split(" with ")[0] not in documented] == []
