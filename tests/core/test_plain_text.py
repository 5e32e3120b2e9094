"""Markdown as plain text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.core import markdown as answer
from maverik_backend.core import plain_text
from maverik_backend.texts import care


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("uno\n\ndos", "uno\n\ndos"),
        ("uno\ndos  \ntres\\\ncuatro", "uno\ndos\ntres\ncuatro"),
        ("# Título\n\ntexto", "Título:\n\ntexto"),
        ("## ¿Qué es?\n\ntexto", "¿Qué es?\n\ntexto"),
        ("Un título\n===\ntexto", "Un título:\n\ntexto"),
        ("**negrita**, _cursiva_ y `código`", "negrita, cursiva y código"),
        ("3 \\* 4 y 5 * 6", "3 * 4 y 5 * 6"),
        ("AT&amp;T &lt; 3", "AT&T < 3"),
        ("- uno\n- **dos**\n  - tres", "• uno\n• dos\n  • tres"),
        ("- uno\n\n  más\n\n- dos", "• uno\n  más\n• dos"),
        ("3. tres\n4. cuatro", "3. tres\n4. cuatro"),
        ("1) uno\n2) dos", "1) uno\n2) dos"),
        ("> cita\n> larga", "«cita\nlarga»"),
        ("[guía](https://example.com/a)", "guía (https://example.com/a)"),
        ("[https://example.com](https://example.com)", "https://example.com"),
        ("<https://example.com>", "https://example.com"),
        ("[escribinos](mailto:hola@example.com)", "escribinos (hola@example.com)"),
        ("<hola@example.com>", "hola@example.com"),
        ("[ayuda](/ayuda)", "ayuda"),
        ("uno\n\n---\n\ndos", "uno\n\n———\n\ndos"),
        ("```python\na = 1\n```", "a = 1"),
        ("    a = 1", "a = 1"),
        (
            "| Qué | Plazo | Riesgo |\n|---|---|---|\n| **Plazo fijo** | 30 días | bajo |\n| Acciones |  | alto |",
            "• Plazo fijo (Plazo: 30 días; Riesgo: bajo)\n• Acciones (Riesgo: alto)",
        ),
        ("| a | b |\n|---|---|", "• a; b"),
        ("| a |\n|---|\n| 1 |", "• 1"),
        ("60,0\u00a0% en $ 3.000", "60,0\u00a0% en $ 3.000"),
        ("#\n\n- \n\n>", "•"),
        ("", ""),
    ],
)
def test_it_says_the_same_without_markup(markdown: str, plain: str) -> None:
    assert plain_text.of(markdown) == plain


def test_what_was_escaped_is_no_markup_in_plain_text_either() -> None:
    markdown = answer.clean("&lt;img src=x onerror=alert(1)&gt; \\[a\\](javascript:alert(1))")

    assert plain_text.of(markdown) == "\u2039img src=x onerror=alert(1)> \uff3ba\uff3d(javascript:alert(1))"


@pytest.mark.parametrize("entity", ["&amp;#8238;", "&amp;rlm;", "&#38;#x202e;", "&amp;#8238 "])
def test_no_control_character_is_left_of_an_entity_of_an_entity(entity: str) -> None:
    assert plain_text.of(answer.clean(f"a {entity} b")).split() == ["a", "b"]


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_a_fence_leaves_its_code(fence: str) -> None:
    assert plain_text.of(f"{fence}py\nprint(1)\n{fence}") == "print(1)"


def test_an_answer_of_the_embedded_advisor_has_no_mark_of_markdown() -> None:
    plain = plain_text.of(care.DISTRESS)

    assert "**" not in plain
    assert "\n• Línea nacional de salud mental: 0800-999-0091" in plain


@given(st.text(alphabet="abcñáé 0123456789.,;%$¿?¡!()\n", max_size=200))
def test_prose_stays(prose: str) -> None:
    """Numbers that begin a line may become a list, with the same words."""
    assert plain_text.of(answer.clean(prose)).split() == answer.clean(prose).split()
