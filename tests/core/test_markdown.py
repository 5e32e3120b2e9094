"""Cleaning an advisor's text. The judge is a CommonMark parser with HTML on: what it finds, a frontend could show."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from maverik_backend.core.markdown import ELLIPSIS, MAX_CHARS, SUBSTITUTIONS, clean, inert
from tests.support.markdown import hostile

EVIL = "https://evil.example/?d=secret"
PAYLOAD = "<img src=x onerror=alert(1)>"
TAG_LIKE = "<tag-like>"

# A frontend's parser may know tables (in which code ends at a cell's border) or not, and has no limit of nesting.
PARSERS = [
    MarkdownIt("commonmark", {"html": True, "maxNesting": 10_000}),
    MarkdownIt("commonmark", {"html": True, "maxNesting": 10_000}).enable("table"),
]


class AnyAddress(MarkdownIt):
    """A parser that makes a link of any address, as careless frontends do."""

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - overrides
        return True


CARELESS = AnyAddress("commonmark", {"html": True, "maxNesting": 10_000})


def tokens_of(text: str, parser: MarkdownIt) -> Iterator[Token]:
    for block in parser.parse(text):
        yield block
        yield from block.children or ()


def dangers_in(text: str) -> list[str]:
    """HTML and images that a frontend would find in ``text``."""
    if {"<", "["}.isdisjoint(text):
        return []  # and no parser needed, which a deep nesting would overwhelm
    dangerous = {"html_block", "html_inline", "image"}
    return [token.content for parser in PARSERS for token in tokens_of(text, parser) if token.type in dangerous]


def addresses_in(text: str) -> list[str]:
    """Where the links of ``text`` lead, for a frontend that takes any address."""
    return [str(token.attrs["href"]) for token in tokens_of(text, CARELESS) if token.type == "link_open"]


class TestPlainText:
    @pytest.mark.parametrize(
        "text",
        [
            "Hola, ¿cómo estás?",
            "3 < 5 y 7 > 2",
            "El rendimiento fue <3 % y el riesgo >2",
            "x<3 y 5>4",
            "a <- b -> c",
            "Un 50% en $ y un 20% en U$S; AT&T & compañía",
            "Marcá [x] o [ ] y mirá el punto [1]",
            "¡Atención! [sic]",
            "- uno\n- dos\n  - tres\n\n1. a\n2. b",
            "> cita\n> larga",
            "# Título\n\n**negrita**, _cursiva_ y `código`",
            "| a | b |\n|---|---|\n| 1 | 2 |",
            "Familia 👨‍👩‍👧 y bandera 🇦🇷",
            "tab\tulador",
            "a &lt; b &amp;&amp; c &gt; d",
            r"<3 no es una etiqueta\>",
            "",
        ],
    )
    def test_markdown_without_markup_is_kept_as_it_is(self, text: str) -> None:
        assert clean(text) == text

    @pytest.mark.parametrize("text", ["\n\n hola \n\n", "  hola\t", "\r\n\r\nhola\r\n", " \t\n   hola"])
    def test_blanks_around_go(self, text: str) -> None:
        assert clean(text) == "hola"

    @pytest.mark.parametrize("text", [" ", "\n\n", "\x00", "\u202e\u200f", "<br>", "<!-- nada -->", "&#8238;"])
    def test_nothing_left_is_the_empty_text(self, text: str) -> None:
        assert clean(text) == ""

    @pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
    def test_line_ends_become_one_kind(self, end: str) -> None:
        assert clean(f"uno{end}dos") == "uno\ndos"


class TestControlCharacters:
    @pytest.mark.parametrize("char", ["\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1b", "\x7f", "\x80", "\x85", "\x9f"])
    def test_controls_go(self, char: str) -> None:
        assert clean(f"a{char}b") == "ab"

    @pytest.mark.parametrize(
        "char", ["\u061c", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069", "\u206f", "\ufeff", "\U000e0041"]
    )
    def test_invisible_characters_that_reorder_or_hide_text_go(self, char: str) -> None:
        assert clean(f"a{char}b") == "ab"

    def test_half_characters_go(self) -> None:
        assert clean("a\ud800b\udfffc") == "abc"

    @pytest.mark.parametrize(
        "entity",
        [
            *("&#8238;", "&#x202e;", "&#x202E;", "&rlm;", "&#127;", "&#x1b;", "&#&#8238;8238;", "&#8238", "&#x1b"),
            f"&#{'0' * 9_000}8238;",
        ],
    )
    def test_none_comes_back_as_an_entity(self, entity: str) -> None:
        assert not re.search(r"&#?\w+", clean(f"a{entity} b"))

    @pytest.mark.parametrize("text", ["&#147;a&#148;", "&#233 ", "&aacute;", "a&b", "&#", "&#x;"])
    def test_other_entities_stay(self, text: str) -> None:
        assert clean(text) == text.strip()

    def test_a_control_inside_a_tag_does_not_hide_it(self) -> None:
        assert clean("a<scr\x00ipt>b</scr\x00ipt>c") == "ac"

    def test_html_does_not_bring_one_back(self) -> None:
        assert clean("<div>a&#x202e;b</div>") == "a b"


class TestHtml:
    @pytest.mark.parametrize(
        ("text", "cleaned"),
        [
            ("un <b>dos</b> tres", "un dos tres"),
            ("H<sub>2</sub>O", "H2O"),
            ("uno<br>dos<br/>tres", "uno dos tres"),
            ("<p>Hola</p>", "Hola"),
            ("<td>10</td><td>20</td>", "10 20"),
            ("<ul><li>10</li><li>20</li></ul>", "10 20"),
            ("<div>\n\nHola\n\n</div>", "Hola"),
            ('<a href="https://example.com">sitio</a>', "sitio"),
            ('a <b onclick="alert(1)">b</b> c', "a b c"),
            ("<a href='x\n'>y</a>", "y"),
            ("> <b>cita</b>\n> <i>larga</i>", "> cita\n> larga"),
            ("- <b>uno</b>\n- dos", "- uno\n- dos"),
            ("# <b>Título</b> #", "# Título #"),
            ("| <b>a</b> | b |\n|---|---|\n| 1 | <i>2</i> |", "| a | b |\n|---|---|\n| 1 | 2 |"),
            ("<p>Caf&eacute; &amp; t&eacute;</p>", "Café & té"),
        ],
    )
    def test_tags_go_and_what_they_say_stays(self, text: str, cleaned: str) -> None:
        assert clean(text) == cleaned

    @pytest.mark.parametrize(
        "text",
        [
            "a<script>alert(1)</script>b",
            "a<SCRIPT type=x>alert(1)</SCRIPT >b",
            "a<style>p{}</style>b",
            "a<!-- alert(1) -->b",
            "a<!-->b",
            "a<?php alert(1) ?>b",
            "a<!DOCTYPE html>b",
            "a<![CDATA[alert(1)]]>b",
            "a</b>b",
            "a<img src=x onerror=alert(1)>b",
            "a<svg onload=alert(1)>b",
        ],
    )
    def test_what_is_no_text_goes_altogether(self, text: str) -> None:
        assert clean(text) == "ab"

    @pytest.mark.parametrize(
        "text",
        [
            "<script>\nalert(1)\n\nalert(2)\n</script>\n\nhola",
            "<style>\np{}\n\n</style>\n\nhola",
            "<!-- alert(1)\n\nalert(2) -->\n\nhola",
            "hola\n\n<script>alert(1)",
            "hola\n\n<style>p{",
            "hola\n\n<!-- alert(1)",
        ],
    )
    def test_scripts_styles_and_comments_over_several_lines_go(self, text: str) -> None:
        assert clean(text) == "hola"

    @pytest.mark.parametrize(
        "text",
        [
            "<scr<script>ipt>alert(1)</scr</script>ipt>",
            "<<b>img src=x onerror=alert(1)>",
            "<b<b>><img src=x onerror=alert(1)>",
            "&lt;img src=x&gt;<div>&lt;img src=x onerror=alert(1)&gt;</div>",
            f"\\\\{PAYLOAD}",
            f"`a {PAYLOAD}",
            f"``a` {PAYLOAD}",
            f"```a` {PAYLOAD}",
            f"~~~\n~~~\n{PAYLOAD}",
            f"[a]({PAYLOAD})",
            f"[a]: javascript:{PAYLOAD.replace(' ', '/')}",
            f"![a[b]c](x) \\{PAYLOAD}{PAYLOAD}",
            f"{'>' * 30} {PAYLOAD}",
            f"{'- ' * 30}{PAYLOAD}",
            f"{'>' * 2000} {PAYLOAD}",
            f"a | b\n--|--\n`x | {PAYLOAD}` | c",
            f">\t<b>\n> {PAYLOAD}",
            f"-\t\t{PAYLOAD}",
            f"1.\t <b>{PAYLOAD}</b>",
        ],
    )
    def test_none_survives_however_it_is_wrapped(self, text: str) -> None:
        assert dangers_in(clean(text)) == []

    def test_none_appears_when_blanks_around_go(self) -> None:
        cleaned = clean(f"    {PAYLOAD}    ")

        assert dangers_in(cleaned) == []

    def test_none_appears_when_the_text_is_cut_inside_code(self) -> None:
        cleaned = clean(f"`{'a' * (MAX_CHARS - 100)} {PAYLOAD} {'b' * 100}`")

        assert len(cleaned) <= MAX_CHARS
        assert dangers_in(cleaned) == []

    def test_none_appears_when_a_paragraph_is_cut_off(self) -> None:
        code = f"`\n{PAYLOAD}\n" + "a\n" * MAX_CHARS + "`"

        assert dangers_in(clean("hola\n\n" + code)) == []

    def test_thousands_of_tags_are_no_trouble(self) -> None:
        assert dangers_in(clean("".join(f"<b{number}>x</b{number}>" for number in range(100_000)))) == []


class TestTagLikeText:
    """What CommonMark takes for text, a frontend that puts it into a page as it is could take for a tag."""

    @pytest.mark.parametrize(
        ("text", "cleaned"),
        [
            ("<svg/onload=alert(1)>", "\u2039svg/onload=alert(1)>"),
            ("\\<img src=x onerror=alert(1)>", "\u2039img src=x onerror=alert(1)>"),
            ("\\\\\\<b>", "\\\\\u2039b>"),
            ("\\<3", "<3"),
            ("a <img src=x onerror=alert(1)//", "a \u2039img src=x onerror=alert(1)//"),
            ("a </b", "a \u2039/b"),
            ("a <!--", "a \u2039!--"),
            ("a <?x", "a \u2039?x"),
            ("**<svg/onload=1>**", "**\u2039svg/onload=1>**"),
            ("# <svg/onload=1>", "# \u2039svg/onload=1>"),
            (
                "| <svg/onload=1> | b |\n|---|---|\n| 1 | \\<i> |",
                "| \u2039svg/onload=1> | b |\n|---|---|\n| 1 | \u2039i> |",
            ),
            ("> - <svg/onload=1>\n>   <a", "> - \u2039svg/onload=1>\n>   \u2039a"),
            ("[<svg/onload=1>](https://example.com)", "[\u2039svg/onload=1>](https://example.com)"),
            ("[a](<svg/onload=1>)", "a"),
            ("[a](https://example.com '<img src=x onerror=1>')", "a"),
            ("[r]\n\n[r]: https://example.com '<img src=x>'", "[r]\n\n[r]: https://example.com '\u2039img src=x>'"),
            ("<https:/onclick=alert(1)>", "https:/onclick=alert(1)"),
            ("<a/onclick=alert`1`@b.c>", "a/onclick=alert`1`@b.c"),
        ],
    )
    def test_its_bracket_becomes_one_that_opens_no_tag(self, text: str, cleaned: str) -> None:
        assert clean(text) == cleaned

    @pytest.mark.parametrize(
        "text",
        [
            "3 < 5, 3 <5 y a <- b",
            "[sitio](<https://example.com/a>)",
            "<https://example.com/?once=1&on=2>",
            "[r]\n\n[r]: <https://example.com>",
        ],
    )
    def test_comparisons_and_addresses_stay(self, text: str) -> None:
        assert clean(text) == text


class TestFootnotes:
    """To CommonMark they are definitions of references; to others their content is Markdown like any other."""

    @pytest.mark.parametrize(
        ("text", "cleaned"),
        [
            (f"a [^1]\n\n[^1]: ![z]({EVIL})", f"a ^1\n\n[^1]: ! [z]({EVIL})"),
            ("a [^1]\n\n[^1]: b\n\n    ![z](x)", "a [^1]\n\n[^1]: b\n\n    ! [z](x)"),
            ("> a [^n]\n>\n> [^n]: <svg/onload=1>", "> a [^n]\n>\n> \uff3b^n\uff3d: \u2039svg/onload=1>"),
            ("a [^1]\n\n[^1]: javascript:alert(1)", "a ^1\n\n\uff3b^1\uff3d: javascript:alert(1)"),
        ],
    )
    def test_what_they_hold_is_harmless(self, text: str, cleaned: str) -> None:
        assert clean(text) == cleaned

    @pytest.mark.parametrize("text", ["a [^1]\n\n[^1]: Según el BCRA.", "a [^1]\n\n[^1]: https://example.com"])
    def test_ordinary_ones_stay(self, text: str) -> None:
        assert clean(text) == text


class TestCode:
    """What is code to one renderer is markup to another, so what could be active is not there either."""

    @pytest.mark.parametrize(
        "text",
        [
            "`a < b`",
            "``a ` b``",
            "```python\nif a[0] < b and f(x) <= c[i](y): pass\n```",
            "~~~\n**x** <- y\n~~~",
            "    a\n    b",
            "- a\n\n  ```\n  [1]: x\n  ```",
            "`&lt;b&gt;`",
            "`{a: 1}` y `[x](https://example.com)`",
        ],
    )
    def test_what_stands_in_code_is_kept(self, text: str) -> None:
        assert clean(text) == text

    @pytest.mark.parametrize(
        ("text", "cleaned"),
        [
            ("`<b>x</b>`", "`\u2039b>x\u2039/b>`"),
            ("```html\n<script>alert(1)</script>\n```", "```html\n\u2039script>alert(1)\u2039/script>\n```"),
            ("    <!-- x -->", "    \u2039!-- x -->"),
            ("`![x](https://example.com/x.png)`", "`! [x](https://example.com/x.png)`"),
            ("`[x](javascript:alert(1))`", "`\uff3bx\uff3d(javascript:alert(1))`"),
            ("`<b>` y <b>x</b>", "`\u2039b>` y x"),
        ],
    )
    def test_what_could_be_active_elsewhere_loses_its_brackets(self, text: str, cleaned: str) -> None:
        assert clean(text) == cleaned


class TestWhatBecomesAnAttribute:
    """Renderers write what a fence begins with, and headings of columns, into attributes."""

    @pytest.mark.parametrize(
        ("text", "cleaned"),
        [
            ('```py"onclick="x"\na\n```', "```py\na\n```"),
            ("> ~~~ {figure} https://example.com/a.png\n> ~~~", "> ~~~\n> ~~~"),
            ('| a"b/onclick="x |\n|---|', "| a\u201db/onclick=\u201dx |\n|---|"),
            ("a\"'b/onclick=x y", "a\u201d\u2019b/onclick=x y"),
            ('[a]: https://e.x\n\n(b"/c)', '\uff3ba\uff3d: https://e.x\n\n(b"/c)'),
            (".. figure:: https://example.com/a.png", "\u2026 figure:: https://example.com/a.png"),
        ],
    )
    def test_nothing_ends_it(self, text: str, cleaned: str) -> None:
        assert clean(text) == cleaned

    @pytest.mark.parametrize(
        "text",
        [
            "[r]: https://example.com 't'\n\nDijo \"plazo fijo\" y 'cauciones', con TNA = 30 %.",
            '| "a" | \'b\' |\n|---|---|\n| [x](https://example.com "t") | y |',
            '```c++\nx = "a"\n```',
            "~~~objective-c\nx\n~~~",
            '```a "b"``` c',
            "Esperá... luego a::b, .. y ya",
        ],
    )
    def test_ordinary_quotation_marks_and_languages_stay(self, text: str) -> None:
        assert clean(text) == text

    @pytest.mark.parametrize(
        "piece",
        [
            '"',
            '"a',
            '"a-',
            '"a=',
            "|=",
            '|"=\n',
            "[a]:b\n\n",
            "]:",
            "\n",
            "\n ",
            "```a ",
            '"&#0',
            ".. a",
            "&#0",
            '"www.',
        ],
    )
    def test_it_takes_time_in_proportion_to_the_text(self, piece: str) -> None:
        began = time.process_time()
        inert(piece * (128_000 // len(piece)))

        assert time.process_time() - began < 1.0


class TestOtherDialects:
    """What CommonMark takes for text (tests/core/test_renderers.py lets the renderers judge)."""

    @pytest.mark.parametrize(
        ("text", "cleaned"),
        [
            ("[a] (javascript:alert(1))", "\uff3ba\uff3d (javascript:alert(1))"),
            ("[a]\n(javascript:alert(1))", "\uff3ba\uff3d\n(javascript:alert(1))"),
            ("[a](java\tscript:alert(1))", "\uff3ba\uff3d(java\tscript:alert(1))"),
            ('[a](https://e.x"onclick="alert(1))', "a"),
            ("![a](http://e/(x)", "! \uff3ba\uff3d(http://e/(x)"),
            ("![a] [r]", "! [a] [r]"),
            ("[r]: javascript:alert(1)", "\uff3br\uff3d: javascript:alert(1)"),
            ("[r]: java\tscript:alert(1)", "\uff3br\uff3d: java\tscript:alert(1)"),
            ('[r]: https://e.x"onclick="alert(1)', '\uff3br\uff3d: https://e.x\u201donclick="alert(1)'),
            ("# Título {onclick=alert(1)}", "# Título (onclick=alert(1)}"),
            ("mirá ftp://e.x", "mirá ftp: //e.x"),
            ("[a]:[b] c", "\uff3ba\uff3d:[b] c"),
            ("*x/onclick=a@b.c", "* x/onclick=a@b.c"),
            ('http://e.x`"onclick=alert(1)//`', "http://e.x `\u201donclick=alert(1)//`"),
            ("[[a]](javascript:alert(1)) [b]", "[a] [b]"),
        ],
    )
    def test_what_others_would_make_active_loses_its_brackets(self, text: str, cleaned: str) -> None:
        assert clean(text) == cleaned

    @pytest.mark.parametrize(
        "text",
        [
            "Marcá [x] (opcional) y seguí",
            "según [1] (ver más)",
            "según [1]: la tasa baja",
            "[[wiki]] y [a][b]",
            "[a] (https://example.com)",
            "mirá `https://example.com` o **hola@example.com**",
            "{a: 1} y {b}",
        ],
    )
    def test_brackets_before_words_and_addresses_of_the_web_stay(self, text: str) -> None:
        assert clean(text) == text


def test_what_is_substituted_is_never_without_its_sign() -> None:
    """A pattern that matched without one would be passed over."""
    texts = [hostile(str(seed)) for seed in range(1_000)]

    for signs, pattern, _ in SUBSTITUTIONS:
        matching = [text for text in texts if pattern.search(text)]
        assert matching, pattern
        assert [text for text in matching if not any(sign in text for sign in signs)] == [], pattern


class TestImages:
    @pytest.mark.parametrize(
        "text",
        [
            f"![alt]({EVIL})",
            f"![alt](<{EVIL}>)",
            f"![alt]({EVIL} 'title)')",
            f"![alt]({EVIL}(a(b)c))",
            f"![alt](\n{EVIL}\n)",
            f'![alt]( {EVIL} "title" )',
            f"![![alt]({EVIL})]({EVIL})",
            f"![![![alt]({EVIL})]({EVIL})]({EVIL})",
            "![alt](data:image/png;base64,AAAA)",
            "![alt](//evil.example/x.png)",
            "![alt](x.png)",
        ],
    )
    def test_an_image_becomes_what_it_shows(self, text: str) -> None:
        assert clean(text) == "alt"

    @pytest.mark.parametrize("text", ["![alt][r]", "![r][]", "![r]", "![ALT  x][R]"])
    def test_an_image_by_reference_is_none(self, text: str) -> None:
        cleaned = clean(f"{text}\n\n[r]: {EVIL}")

        assert dangers_in(cleaned) == []
        assert "![" not in cleaned

    @pytest.mark.parametrize(
        "text",
        [
            f"![a[b]c]({EVIL})",
            f"![a`]`b]({EVIL})",
            f"![a\\]b]({EVIL})",
            f"\\![a](x) !![a]({EVIL})",
            f"!\\![a]({EVIL})",
            f"*![a]({EVIL})*",
            f"> - ![a]({EVIL})",
            f"<b>![a]({EVIL})</b>",
            f"![<b>a</b>]({EVIL})",
            f"!<b></b>[a]({EVIL})",
            f"!\u202e[a]({EVIL})",
            f"!{TAG_LIKE}[a]({EVIL})",
            "![" * 30 + "a" + f"]({EVIL})" * 30,
            "![" * 5000 + f"a]({EVIL})",
            "[" * 25 + f"![a]({EVIL})",
            "[" * 2000 + f"![a]({EVIL})" + "]" * 2000,
        ],
    )
    def test_none_survives_however_it_is_wrapped(self, text: str) -> None:
        assert dangers_in(clean(text)) == []

    def test_an_image_inside_a_link_leaves_the_link(self) -> None:
        assert clean(f"[![alt]({EVIL})](https://example.com)") == "[alt](https://example.com)"


class TestLinks:
    @pytest.mark.parametrize(
        "text",
        [
            "[sitio](https://example.com)",
            "[sitio](HTTP://example.com/a_(b)?c=d#e 'title')",
            "[correo](mailto:hola@example.com)",
            "[ruta](/ayuda)",
            "[sección](#seccion)",
            "[archivo](./a:b)",
            "[sitio][r]\n\n[r]: https://example.com",
            "<https://example.com>",
            "<hola@example.com>",
            "https://example.com",
        ],
    )
    def test_links_to_the_web_are_kept(self, text: str) -> None:
        assert clean(text) == text

    @pytest.mark.parametrize(
        "address",
        [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1) ",
            "\njavascript:alert(1)",
            "<javascript:alert(1)>",
            "< javascript:alert(1)>",
            "<java\tscript:alert(1)>",
            "&#106;avascript:alert(1)",
            "javascript&colon;alert(1)",
            "javascript&#x3a;alert(1)",
            "java&#10;script:alert(1)",
            "java&Tab;script:alert(1)",
            "&#1;javascript:alert(1)",
            "javascript\\:alert(1)",
            "javascript:alert(alert(1))",
            "javascript:alert`1`",
            "\x01javascript:alert(1)",
            "java\x00script:alert(1)",
            "java\u202escript:alert(1)",
            "vbscript:x",
            "data:text/html,x",
            "file:///etc/passwd",
            "intent://x",
            "tel:+5411",
        ],
    )
    def test_of_a_link_to_anywhere_else_the_text_stays(self, address: str) -> None:
        assert clean(f"[texto]({address})") == "texto"

    @pytest.mark.parametrize(
        "label", ["texto", "te[x]to", "te\\]xto", "**texto**", "`]`", f"![texto]({EVIL})", "<b>texto</b>"]
    )
    def test_whatever_the_text_holds(self, label: str) -> None:
        cleaned = clean(f"[{label}](javascript:alert(1))")

        assert addresses_in(cleaned) == []
        assert dangers_in(cleaned) == []

    @pytest.mark.parametrize("text", ["[texto][r]", "[texto][R]", "[r][]", "[r]", "[te\nxto][ r ]"])
    def test_a_link_by_reference_to_anywhere_else_is_none(self, text: str) -> None:
        assert addresses_in(clean(f"{text}\n\n[r]: javascript:alert(1)")) == []

    @pytest.mark.parametrize("text", ["<javascript:alert(1)>", "<JAVASCRIPT:alert(1)>", "<data:text/html,x>"])
    def test_an_autolink_to_anywhere_else_is_only_text(self, text: str) -> None:
        assert clean(text) == text[1:-1]

    def test_nested_brackets_do_not_hide_a_link(self) -> None:
        assert addresses_in(clean("[" * 25 + "[a](javascript:alert(1))")) == []


class TestLength:
    def test_the_longest_text_is_kept(self) -> None:
        assert clean("a" * MAX_CHARS) == "a" * MAX_CHARS

    def test_a_longer_one_ends_at_a_paragraph(self) -> None:
        paragraph = "a" * 3_000

        assert clean("\n\n".join([paragraph] * 6)) == "\n\n".join([*[paragraph] * 5, ELLIPSIS])

    def test_without_a_paragraph_near_the_end_it_ends_in_mid_sentence(self) -> None:
        cleaned = clean("corto\n\n" + "a" * MAX_CHARS)

        assert cleaned.endswith("a" + ELLIPSIS)
        assert MAX_CHARS - 10 < len(cleaned) <= MAX_CHARS

    def test_what_goes_makes_room(self) -> None:
        assert clean("<b></b>" * 1_000 + "a" * (MAX_CHARS - 100)) == "a" * (MAX_CHARS - 100)

    @pytest.mark.parametrize(
        "piece",
        [
            "a",
            "a\n\n",
            "[",
            "![",
            "![a](",
            "[a](x:",
            "<",
            "<a ",
            "<!--",
            "`",
            "*a_ ",
            "\\",
            "> ",
            "&",
            "|-",
            "[r]: x\n",
        ],
    )
    def test_no_text_is_longer_than_the_limit(self, piece: str) -> None:
        cleaned = clean(piece * (100_000 // len(piece)))

        assert len(cleaned) <= MAX_CHARS
        assert dangers_in(cleaned) == []


def raw_tags_in(text: str) -> list[str]:
    """Lines that open a tag for who reads no Markdown."""
    address = re.compile(r"<(?:[a-z][a-z0-9+.-]+:[^\s<>]*|[^\s<>@]+@[^\s<>]+)>", re.IGNORECASE)
    suspicious = re.compile(r"<[a-z/!?]", re.IGNORECASE)
    return [line for line in text.split("\n") if suspicious.search(address.sub("", line))]


PIECES = st.sampled_from(
    [
        *"<>/!?[]():`\\&;#=-*_|\"'\n\t ax\u00e9\r\x00\u202e\u3000",
        *("``", "```", "~~~", "\n\n", "    ", "> ", "- ", "1. ", "|-|-|"),
        *(
            "<b>",
            "</b>",
            "<br>",
            "<div>",
            "</div>",
            "<script>",
            "</script>",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<?",
            "?>",
        ),
        *("![", "](", "[r]", "[r]: ", "javascript:", "https://e.x", "data:", "&#106;", "&#8238;", "&lt;", "&colon;"),
        *("<img/src=x/onerror=1>", "<a\u00a0href=1>", "svg", "onload=1", "[^1]", "[^1]: ", "<svg/onload=1>", "\\<"),
    ]
)
MARKDOWN = st.lists(PIECES | st.text(max_size=3), max_size=40).map("".join)
many = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class TestAnyText:
    @many
    @given(MARKDOWN)
    @example(f"    {PAYLOAD}")
    @example("[![a](b)](javascript:x)")
    def test_cleaning_twice_changes_nothing(self, text: str) -> None:
        assert clean(clean(text)) == clean(text)

    @many
    @given(MARKDOWN)
    def test_what_is_inert_stays_as_it_is(self, text: str) -> None:
        assert inert(inert(text)) == inert(text)

    @many
    @given(MARKDOWN)
    def test_no_html_and_no_image_is_left(self, text: str) -> None:
        assert dangers_in(clean(text)) == []

    @many
    @given(MARKDOWN)
    def test_nothing_is_left_that_opens_a_tag(self, text: str) -> None:
        assert raw_tags_in(clean(text)) == []

    @many
    @given(MARKDOWN)
    def test_no_link_leads_outside_the_web(self, text: str) -> None:
        schemes = {match[1].lower() for link in addresses_in(clean(text)) if (match := re.match(r"([a-zA-Z]+):", link))}

        assert schemes <= {"http", "https", "mailto"}

    @many
    @given(st.text(max_size=200))
    def test_it_can_be_stored(self, text: str) -> None:
        cleaned = clean(text)

        assert "\x00" not in cleaned
        assert cleaned.encode("utf-8").decode("utf-8") == cleaned

    @many
    @given(st.text(alphabet="abcñáé 0123456789.,;%$¿?¡!()\n", max_size=200))
    def test_prose_stays(self, text: str) -> None:
        assert clean(text).split() == text.split()
