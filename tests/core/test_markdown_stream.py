"""Cleaning an answer in pieces: what was sent, at any moment, is a text of which no renderer makes anything active."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from maverik_backend.core.markdown import ELLIPSIS, inert
from maverik_backend.core.markdown_stream import StreamCleaner
from tests.core.test_renderers import FOUND
from tests.support import node
from tests.support.markdown import hostile, made_active
from tests.support.node import NodeScript

TEXTS = 150
# What may stand before or in a hostile text, so that its constructs begin in what was sent already.
INTERRUPTIONS = (
    *("foo ", "x y\n\n", "\n\n", "a= ", '"a b" = ', '"a b | c ', "\r\n", ".. ", ".. figure", "] ", "]:", "> ", "{a "),
    *("<", "!", "| a |\n|--|\n", "```\n", "~~~py\n", "<script>\n\n", "<!--", "- ", "    ", "https://e.x`"),
)
ACROSS_PIECES = [
    ".. figure::javascript&colon;alert(1)",
    ".. image::https://e.x",
    "[click]\n\n(javascript:alert(1)) hola",
    "[click]\n\n> (javascript:alert(1)) hola",
    "[foo]: https://x.com\n\n(a onmouseover=alert(1)) x\n\n[foo]",
    '[foo]: https://x.com\n\n"onmouseover=alert(1) x" y\n\n[foo]',
    '[a]:\nmailto:a@b.c\n\n|b"c/onclick=x)|\n\na | b\n--|--\nx | y',
    "![x]\n\n(https://e.x/p.png) foo",
    "[a][b]\n\n[b]: javascript:alert(1)",
    "ver ftp://e.x",
    'dice "hola" y a = 1 | c"onclick=x\n---|---\n1|2',
    '"hola"\n\nhttp://e.`"onclick=alert(1)//`',
    'http://e.`x`\n\n`"onclick=alert(1)//` y "más"',
    "<script>\n\nalert(1)\n\n</script>",
    "~~~{figure} https://e.x/```\nx\n~~~",
    "```py\n[a]\n(javascript:alert(1))\n[b]:\njavascript:x\n```",
]


class SmallCleaner(StreamCleaner):
    """One that is full soon."""

    MAX_CHARS = 220


class TightCleaner(StreamCleaner):
    """One that cuts nearly every unit."""

    MAX_HELD_CHARS = 24


CLEANERS = (StreamCleaner, StreamCleaner, SmallCleaner, TightCleaner)


def sent(pieces: Sequence[str], cleaner: StreamCleaner | None = None) -> list[str]:
    cleaner = cleaner or StreamCleaner()
    return [*(clean for piece in pieces for clean in cleaner.feed(piece)), *cleaner.end()]


def cleaned(text: str) -> str:
    return "".join(sent([text]))


def in_pieces(text: str, chance: random.Random) -> list[str]:
    longest, pieces, start = chance.choice((1, 2, 7, 30)), [], 0
    while start < len(text):
        end = start + chance.randint(1, longest)
        pieces.append(text[start:end])
        start = end
    return pieces


def interrupted(seed: str) -> str:
    """A hostile text with something put in where it does not belong."""
    chance, text = random.Random(seed), hostile(seed)  # noqa: S311 - the same texts again
    for _ in range(chance.randint(0, 3)):
        place = chance.randint(0, len(text))
        text = text[:place] + chance.choice(INTERRUPTIONS) + text[place:]
    return text


def moments(text: str, seed: str) -> list[str]:
    """All that was sent after each piece of ``text``."""
    chance = random.Random(seed)  # noqa: S311 - the same splits again
    cleaner = chance.choice(CLEANERS)()
    so_far = [""]
    for piece in sent(in_pieces(text, chance), cleaner):
        so_far.append(so_far[-1] + piece)
    assert len(so_far[-1]) <= cleaner.MAX_CHARS
    return so_far


def some_moments(seed: str) -> list[str]:
    """What was sent in the middle and at the end of each of several texts."""
    raw = [*FOUND, *(interrupted(f"{seed}-{number}") for number in range(TEXTS))]
    return [so_far[place] for text in raw for so_far in [moments(text, text)] for place in (len(so_far) // 2, -1)]


@pytest.fixture(scope="module")
def scripts() -> Iterator[NodeScript]:
    node.require()
    with NodeScript("markdown.mjs") as script:
        yield script


class TestWhateverFollows:
    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(0, 10_000_000).map(str))
    def test_what_was_sent_is_inert(self, seed: str) -> None:
        assert [text for text in moments(interrupted(seed), seed) if inert(text) != text] == []

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet="ab 1=:./\\*_#-\n\r\t<>[](){}|`~\"'&;@!x", max_size=120), st.integers().map(str))
    @example("[a]\n>\n(javascript:b)", "1")
    @example("[a]: b\n \n\n|b", "1")
    def test_so_it_is_of_signs_in_any_order(self, text: str, seed: str) -> None:
        assert [text for text in moments(text, seed) if inert(text) != text] == []

    def test_renderers_in_python_make_nothing_active_of_it(self) -> None:
        assert made_active(some_moments("python"), None) == []

    def test_renderers_in_node_make_nothing_active_of_it(self, scripts: NodeScript) -> None:
        assert made_active(some_moments("node"), scripts) == []

    @pytest.mark.parametrize("text", ACROSS_PIECES)
    @pytest.mark.parametrize("chars", [1, 5, 1_000])
    def test_what_reaches_over_pieces_is_not_active(self, text: str, chars: int, scripts: NodeScript) -> None:
        pieces = [text[start : start + chars] for start in range(0, len(text), chars)]
        whole = "".join(sent(pieces))

        assert inert(whole) == whole
        assert made_active([whole], scripts) == []


class TestProse:
    @pytest.mark.parametrize(
        "text",
        [
            "Conviene empezar por un presupuesto: ¿cuánto entra y cuánto sale?\n\n¡Después se ahorra!",
            "# Fondos\n\n- **Renta fija**: 5 % anual\n- _Acciones_ (riesgo alto); 7,5% y más\n\n1. uno\n2. dos",
            "El \"interés compuesto\" hace su parte; el S&P 500 rinde ~10 %, > 3 y < 12... «Sí» y 'no' = x.",
            "> Una cita con U$S 1.000,50 y 3/4\n> en dos líneas\n\nMirá https://example.com/a?b=1#c y www.e.com.ar",
        ],
    )
    def test_each_word_is_sent_when_the_next_blank_has_come(self, text: str) -> None:
        cleaner, so_far = StreamCleaner(), ""
        for place, character in enumerate(text):
            so_far += "".join(cleaner.feed(character))
            if character in " \n":
                assert so_far == text[:place].rstrip(" \n")

        assert so_far + "".join(cleaner.end()) == text

    def test_what_is_suspicious_is_held_with_the_rest_of_its_paragraph_only(self) -> None:
        cleaner = StreamCleaner()

        assert list(cleaner.feed("Mirá [esto](https://example.com) y ")) == ["Mirá"]
        assert list(cleaner.feed("listo.\n\nOtra cosa ")) == [" [esto](https://example.com) y listo.", "\n\nOtra cosa"]

    @pytest.mark.parametrize(
        "text",
        [
            "Según [x](https://example.com):\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n(fin) de [1].",
            "- a `b`\n\n  - c\n  - `d`\n\n- [e]",
            '```python\nif a[0]:\n    x = d[1]\n\n\n    print("a", x)\n```\nfin `x`',
            "````md\n```\n\nx\n```\n````\n\nfin",
            "- ```py\n  x\n\n  y\n  ```\n\nfin",
            "[a][1] y más\n\n[1]: https://example.com\n\nfin",
        ],
    )
    @pytest.mark.parametrize("chars", [1, 4, 1_000])
    def test_harmless_markdown_is_kept_as_it_is(self, text: str, chars: int) -> None:
        assert "".join(sent([text[start : start + chars] for start in range(0, len(text), chars)])) == text

    @pytest.mark.parametrize("text", ["", " \n\n ", "\x00\u202e", "<br>", "<!-- nada\n\nmás -->", "&#8238;"])
    def test_nothing_left_is_nothing_sent(self, text: str) -> None:
        cleaner = StreamCleaner()

        assert sent([text], cleaner) == []
        assert cleaner.is_empty


class TestHtml:
    @pytest.mark.parametrize("tag", ["script", "style"])
    def test_what_is_not_shown_is_not_sent(self, tag: str) -> None:
        assert cleaned(f"hola\n\n<{tag}>\n\nalert(1)\n\n</{tag}>\n\nchau") == "hola\n\nchau"

    def test_not_even_when_it_is_long(self) -> None:
        code = "alert(1)\n\n" * StreamCleaner.MAX_HELD_CHARS

        assert cleaned(f"<script>\n{code}</script>\n\nhola") == "hola"

    def test_nor_a_comment(self) -> None:
        assert cleaned("<!-- uno\n\ndos -->\n\nhola") == "hola"


class TestLineEnds:
    @pytest.mark.parametrize("pieces", [["hola\r\nchau"], ["hola\r", "\nchau"], ["hola", "\r", "", "\n", "chau"]])
    def test_cr_and_lf_are_one_also_in_two_pieces(self, pieces: list[str]) -> None:
        assert "".join(sent(pieces)) == "hola\nchau"

    def test_cr_alone_is_a_line_end_of_its_own(self) -> None:
        assert "".join(sent(["hola\r", "\rchau"])) == "hola\n\nchau"


class TestFences:
    def test_code_is_sent_line_by_line(self) -> None:
        cleaner = StreamCleaner()

        assert list(cleaner.feed("```py\na = 1\n\nb = ")) == ["```py", "\na = 1"]
        assert list(cleaner.feed("2\n")) == ["\n\nb = 2"]

    def test_one_that_is_not_closed_is_closed_at_the_end(self) -> None:
        assert cleaned("~~~~\nabierto") == "~~~~\nabierto\n~~~~"

    @pytest.mark.parametrize("end", ["\n```", "\n```\n"])
    def test_one_that_is_closed_is_not_closed_again(self, end: str) -> None:
        assert cleaned(f"```\nx{end}") == "```\nx\n```"

    def test_one_longer_than_a_text_may_be_is_cut_and_closed(self) -> None:
        text = cleaned("```\n" + "linea de codigo\n" * 2_000 + "```\n\nfin")

        assert len(text) <= StreamCleaner.MAX_CHARS
        assert text.startswith("```\nlinea de codigo\n")
        assert text.endswith(f"\n```\n\n{ELLIPSIS}")


class TestBounds:
    @pytest.mark.parametrize(
        "piece", ["palabra ", "palabra\n\n", "[a](https://example.com) ", "a\n```\n", "<b>x</b>\n"]
    )
    def test_a_long_text_is_cut_with_an_ellipsis(self, piece: str) -> None:
        text = cleaned(piece * StreamCleaner.MAX_CHARS)

        assert StreamCleaner.MAX_CHARS * 0.9 < len(text) <= StreamCleaner.MAX_CHARS
        assert text.endswith(ELLIPSIS)

    def test_nothing_is_sent_behind_the_cut(self) -> None:
        cleaner = StreamCleaner()
        list(cleaner.feed("palabra " * StreamCleaner.MAX_CHARS))

        assert [*cleaner.feed("más\n\n"), *cleaner.end()] == []

    def test_a_paragraph_is_not_held_without_end(self) -> None:
        cleaner = StreamCleaner()

        assert "".join(cleaner.feed("[a] " + "palabra " * 1_000)).startswith("[a] palabra")

    @pytest.mark.parametrize(
        "piece",
        [
            *("palabra ", "palabra", "x = 1  # a\n\n", "\n", "]\n", "a]:\n", "]\n\n", "[a]: b\n\n(", '"', '" ', 'a="|'),
            *(
                "`",
                "~~~\n",
                "[a](",
                "![a](b ",
                ">",
                "<a",
                "<!--\n",
                "<script>\n",
                "&#",
                "..  a",
                "\r",
                "www.",
                'www.`"',
            ),
        ],
    )
    @pytest.mark.parametrize("start", ["", "```python\n"])
    def test_it_takes_little_time_in_small_pieces(self, start: str, piece: str) -> None:
        text = (start + piece * StreamCleaner.MAX_CHARS)[: StreamCleaner.MAX_CHARS]
        began = time.process_time()
        sent([text[place : place + 4] for place in range(0, len(text), 4)])

        assert time.process_time() - began < 3.0
