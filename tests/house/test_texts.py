"""What people read: numbers, templates, and the Spanish itself."""

from __future__ import annotations

import ast
import re
import string
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

import maverik_backend
from maverik_backend.advisor.articles import read_articles
from maverik_backend.services.advice.goal_sums import REAL_ANNUAL_RETURN
from maverik_backend.texts import (
    advice,
    care,
    demo,
    mail,
    messages,
    openapi,
    pages,
    problems,
    queries,
    suitability,
    sums,
    unsuitable,
    validation,
)
from maverik_backend.texts import format as fmt

PACKAGE = Path(maverik_backend.__file__).parent
TEXT_MODULES: tuple[ModuleType, ...] = (
    advice,
    care,
    demo,
    mail,
    messages,
    openapi,
    pages,
    problems,
    queries,
    validation,
)
# Some of their templates are filled from tables (`format_map`), which `USES` does not see.
READ_MODULES: tuple[ModuleType, ...] = (*TEXT_MODULES, suitability, sums, unsuitable)

# --- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0, 0, "0"),
        (999, 0, "999"),
        (1234567.8, 0, "1.234.568"),
        (1234567.8, 1, "1.234.567,8"),
        (Decimal("1234567.89"), 2, "1.234.567,89"),
        (-1234.5, 1, "-1.234,5"),
        (-0.04, 1, "0,0"),
        (Decimal("-0.04"), 1, "0,0"),
        (Decimal("1e12"), 0, "1.000.000.000.000"),
    ],
)
def test_numbers_have_points_between_thousands_and_a_comma(value: Decimal | float, decimals: int, text: str) -> None:
    assert fmt.number(value, decimals=decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(12000, "12.000"), (Decimal("12000.00"), "12.000"), (Decimal("0.5"), "0,50"), (1999.99, "1.999,99"), (0, "0")],
)
def test_amounts_have_decimals_only_where_there_are_any(value: Decimal | float, text: str) -> None:
    assert fmt.amount(value) == text


@pytest.mark.parametrize(("value", "text"), [(12.34, "12,3"), (100, "100,0"), (0.05, "0,1"), (-0.01, "0,0")])
def test_percentages_have_one_decimal_and_stay_on_a_line(value: float, text: str) -> None:
    assert fmt.percent(value) == f"{text}\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 meses"), (1, "1 mes"), (6, "6 meses"), (12, "1 año"), (13, "13 meses"), (24, "2 años"), (600, "50 años")],
)
def test_whole_years_are_told_as_years(count: int, text: str) -> None:
    assert fmt.months(count) == text


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a y b"), (["a", "b", "c"], "a, b y c")]
)
def test_lists_end_with_y(parts: list[str], text: str) -> None:
    assert fmt.enumerate_spanish(parts) == text


@pytest.mark.parametrize(("text", "lowered"), [("Comprar", "comprar"), ("Ñandú", "ñandú"), ("", ""), ("ya", "ya")])
def test_a_title_can_stand_in_a_sentence(text: str, lowered: str) -> None:
    assert fmt.lower_first(text) == lowered


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=2))
def test_a_number_can_be_read_back(value: Decimal) -> None:
    assert Decimal(fmt.number(value, decimals=2).replace(".", "").replace(",", ".")) == value


# --- templates -------------------------------------------------------------------------------------------------------


class Use(NamedTuple):
    """A ``texts.NAME.format(...)`` somewhere in the code."""

    where: str
    module: str
    name: str
    arguments: frozenset[str]


def uses_in(path: Path) -> Iterator[Use]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    here = ".".join(("maverik_backend", *path.relative_to(PACKAGE).with_suffix("").parts))
    aliases = {
        alias.asname or alias.name: f"maverik_backend.texts.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "maverik_backend.texts"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"):
            continue
        template = node.func.value.value if isinstance(node.func.value, ast.Subscript) else node.func.value
        where = f"{path.relative_to(PACKAGE)}:{node.lineno}"
        arguments = frozenset(keyword.arg or "**" for keyword in node.keywords)
        if (
            isinstance(template, ast.Attribute)
            and isinstance(template.value, ast.Name)
            and template.value.id in aliases
        ):
            yield Use(where, aliases[template.value.id], template.attr, arguments)
        elif isinstance(template, ast.Name) and here.startswith("maverik_backend.texts"):
            yield Use(where, here, template.id, arguments)


USES = [use for path in sorted(PACKAGE.rglob("*.py")) for use in uses_in(path)]


def templates_in(value: object) -> Iterator[str]:
    """Every text in a constant, whatever it is wrapped in."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from templates_in(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from templates_in(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from templates_in(getattr(value, field.name))


def placeholders_of(template: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(template) if name is not None)


def test_the_uses_of_templates_are_found() -> None:
    assert len(USES) >= 20


@pytest.mark.parametrize("use", USES, ids=[f"{use.where} {use.name}" for use in USES])
def test_a_template_is_given_exactly_what_it_asks_for(use: Use) -> None:
    templates = list(templates_in(getattr(import_module(use.module), use.name)))

    assert templates
    assert {placeholders_of(template) for template in templates} == {use.arguments}


def test_every_template_is_used() -> None:
    used = {use.name for use in USES}
    templates = {
        name
        for module in TEXT_MODULES
        for name, value in vars(module).items()
        if name.isupper() and any(map(placeholders_of, texts_without_messages(name, value)))
    }

    assert templates - used == set()


def texts_without_messages(name: str, value: object) -> list[str]:
    """Validation messages are formatted from a table, and what describes the API holds paths with braces."""
    return [] if name in {"MESSAGES", "DESCRIPTION", "HEADERS"} else list(templates_in(value))


# --- validation messages ---------------------------------------------------------------------------------------------


class Everything(BaseModel):
    """A field for each kind of mistake that pydantic can report about our shapes."""

    text: Annotated[str, Field(min_length=2, max_length=5)] = "abc"
    whole: Annotated[int, Field(ge=1, le=9)] = 1
    money: Annotated[Decimal, Field(ge=0, max_digits=6, decimal_places=2, allow_inf_nan=False)] = Decimal(1)
    day: date = date(2000, 1, 1)


def message_for(**wrong: Any) -> str:
    """What our table says to the only mistake in ``wrong``."""
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate(wrong)
    (error,) = caught.value.errors()
    assert error["type"] in validation.MESSAGES
    return validation.MESSAGES[error["type"]].format(**error.get("ctx", {}))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("text", 1, "Tiene que ser un texto."),
        ("text", None, "Tiene que ser un texto."),
        ("text", "\ud800", "Tiene que ser texto Unicode válido."),
        ("text", "a", "Tiene que tener al menos 2 caracteres."),
        ("text", "abcdef", "No puede superar los 5 caracteres."),
        ("whole", "x", "Tiene que ser un número entero."),
        ("whole", None, "Tiene que ser un número entero."),
        ("whole", 1.5, "Tiene que ser un número entero."),
        ("whole", "1" * 5000, "El número es demasiado grande."),
        ("whole", float("inf"), "Tiene que ser un número finito."),
        ("whole", 0, "Tiene que ser mayor o igual que 1."),
        ("whole", 10, "Tiene que ser menor o igual que 9."),
        ("money", [], "Tiene que ser un número."),
        ("money", "x", "Tiene que ser un número."),
        ("money", "NaN", "Tiene que ser un número finito."),
        ("money", "-1", "Tiene que ser mayor o igual que 0."),
        ("money", "12345.67", "No puede tener más de 6 dígitos."),
        ("money", "1.234", "Puede tener hasta 2 decimales, los centavos: por ejemplo, 12000.50."),
        ("money", "12345", "No puede tener más de 4 dígitos enteros."),
        ("day", [], "Tiene que ser una fecha con el formato AAAA-MM-DD."),
        ("day", "15/06/1990", "Tiene que ser una fecha con el formato AAAA-MM-DD."),
        ("day", "1990-02-30", "Tiene que ser una fecha con el formato AAAA-MM-DD."),
        ("day", "1990-06-15T10:00:00", "Tiene que ser una fecha con el formato AAAA-MM-DD."),
    ],
)
def test_a_mistake_is_told_in_spanish_with_its_limit(field: str, value: object, message: str) -> None:
    assert message_for(**{field: value}) == message


def test_a_body_that_is_no_object_is_told_in_spanish() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Everything).validate_python([])

    assert caught.value.errors()[0]["type"] in validation.MESSAGES


# --- the Spanish -----------------------------------------------------------------------------------------------------


LETTERS = (
    mail.welcome(key="k", link="u", frontend_url="https://app.example.com", change_url="u", hours=72),
    mail.key_replaced(key="k", link="u", frontend_url="u", change_url="u", hours=72, support=None),
    mail.already_registered(forgot_url="u"),
    mail.disabled(frontend_url="u", support=None),
    mail.reset_link(link="u", minutes=60),
    mail.no_account(forgot_url="u"),
    mail.nothing_to_resend(forgot_url="u"),
    mail.password_changed(forgot_url="u"),
    mail.second_factor_added(forgot_url="u", support="soporte@example.com"),
    mail.second_factor_removed(forgot_url="u"),
    mail.second_factor_removed_by_operator(frontend_url="u", support="soporte@example.com"),
    mail.recovery_codes_renewed(forgot_url="u"),
    mail.merged_without_second_factor(frontend_url="u", support=None),
    mail.recovery_code_used(left=9, forgot_url="u"),
    mail.account_deleted(support=None),
)


def texts_people_read() -> Iterator[tuple[str, str]]:
    for module in READ_MODULES:
        name = module.__name__.rpartition(".")[2]
        for constant, value in vars(module).items():
            if constant.isupper():
                for number, text in enumerate(templates_in(value)):
                    yield f"{name}.{constant}[{number}]", text
    for letter in LETTERS:
        yield f"mail: {letter.subject}", "\n".join(mail.lay_out(letter))
    for article in read_articles():
        yield article.slug, "\n".join([article.title, *article.passages])


@pytest.mark.parametrize(
    "write",
    [
        partial(mail.key_replaced, key="k", link="u", frontend_url="u", change_url="u", hours=72),
        partial(mail.disabled, frontend_url="u"),
        partial(mail.second_factor_added, forgot_url="u"),
        partial(mail.second_factor_removed_by_operator, frontend_url="u"),
        partial(mail.merged_without_second_factor, frontend_url="u"),
        mail.account_deleted,
    ],
)
def test_a_mail_that_only_operators_can_help_with_says_how_to_reach_them(write: Callable[..., mail.Letter]) -> None:
    for text in mail.lay_out(write(support="soporte@example.com")):
        assert "escribinos a soporte@example.com" in text
    for text in mail.lay_out(write(support=None)):
        assert "avisale al equipo de Maverik" in text
        assert "respondé" not in text  # its sender may be an address that is not read


TEXTS = list(texts_people_read())
each_text = pytest.mark.parametrize("text", [text for _, text in TEXTS], ids=[name for name, _ in TEXTS])

# Verbs and pronouns of "tú" and "vosotros" that "vos" does not share. ("Tu" and "te" are common to both.)
NOT_ARGENTINE = re.compile(
    r"\b(tú|ti|contigo|vosotros|vuestr[oa]s?|eres|puedes|tienes|quieres|debes|necesitas|sabes|haces|prefieres|dices|"
    r"vienes|pides|sigues|piensas|recuerdas|entiendes|empiezas|inviertes|pierdes|vuelves|encuentras|"
    r"deseas|esperas|ahorras|gastas|vendes|eliges|decides|recibes|ten en cuenta|"
    r"dime|cuéntame|pregúntame|inténtalo|recuerda que|podéis|tenéis|queréis|debéis)\b",
    re.IGNORECASE,
)


@each_text
def test_a_text_is_composed_unicode(text: str) -> None:
    assert unicodedata.is_normalized("NFC", text)


@each_text
def test_a_text_speaks_to_vos(text: str) -> None:
    assert not NOT_ARGENTINE.findall(text)


@each_text
def test_a_text_has_no_invisible_characters(text: str) -> None:
    odd = {char for char in text if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"} and char != "\n"}

    assert odd == set()


@each_text
def test_a_question_opens_as_it_closes(text: str) -> None:
    assert text.count("¿") == text.count("?")
    assert text.count("¡") == text.count("!") - text.count("<!doctype")


# --- the mails -------------------------------------------------------------------------------------------------------


class TestMails:
    def test_the_welcome_has_the_key_alone_on_its_line(self) -> None:
        text, html = mail.lay_out(
            mail.welcome(
                key="abc234",
                link="https://app.example.com",
                frontend_url="https://app.example.com",
                change_url="u",
                hours=72,
            )
        )

        assert "Clave: abc234" in text.splitlines()
        assert "<strong>Clave: abc234</strong>" in html

    def test_the_welcome_says_how_long_its_key_is_accepted(self) -> None:
        text, _ = mail.lay_out(
            mail.welcome(key="k", link="u", frontend_url="https://app.example.com", change_url="u", hours=48)
        )

        assert "48 horas" in text

    def test_only_the_welcome_and_its_like_have_a_key(self) -> None:
        assert [letter for letter in LETTERS if letter.key_line is not None] == list(LETTERS[:2])

    def test_both_forms_lead_to_the_frontend(self) -> None:
        text, html = mail.lay_out(
            mail.welcome(
                key="k",
                link="https://app.example.com",
                frontend_url="https://app.example.com",
                change_url="u",
                hours=72,
            )
        )

        assert "https://app.example.com" in text
        assert '<a href="https://app.example.com">' in html

    def test_what_is_put_into_html_is_escaped(self) -> None:
        _, html = mail.lay_out(
            mail.welcome(
                key="<b>&",
                link='https://h/"><script>',
                frontend_url="https://app.example.com",
                change_url="<script>",
                hours=72,
            )
        )

        assert "<script>" not in html
        assert "Clave: &lt;b&gt;&amp;" in html


class TestAdviceTables:
    @pytest.mark.parametrize("tolerance", ["baja", "media", "alta"])
    def test_every_tolerance_has_its_sentence_and_its_return(self, tolerance: str) -> None:
        assert tolerance in advice.RISK_CASES
        assert tolerance in REAL_ANNUAL_RETURN

    def test_spans_are_in_order(self) -> None:
        assert 0 < advice.SHORT_HORIZON_MONTHS < advice.MEDIUM_HORIZON_MONTHS
        assert set(advice.HORIZON_CASES) == {"short", "medium", "long"}
