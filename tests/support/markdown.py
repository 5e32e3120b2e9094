"""Hostile Markdown, every renderer at hand, and what is active in the HTML that they make."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html.parser import HTMLParser

import markdown
import mistune
from markdown_it import MarkdownIt
from mistune.directives import Admonition, FencedDirective, Figure, Image, RSTDirective

from tests.support.node import NodeScript

SCHEMES = frozenset({"http", "https", "mailto"})
# What renderers make of Markdown.
TAGS = frozenset(
    re.findall(
        r"\w+",
        "a abbr blockquote br code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr input li ol p pre s section span strong "
        "sub sup table tbody td th thead tr u ul",
    )
)
ATTRIBUTES = frozenset(
    re.findall(
        r"\S+",
        "align aria-label checked class colspan data-footnote-ref disabled href id rel role start style title type",
    )
)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
# What renderers write themselves, for columns of tables and lists of tasks.
_STYLE = re.compile(r"(?:\s*(?:text-align|margin|vertical-align|list-style-type): ?[\w. -]+;?)*")


def active_in(html: str) -> list[str]:
    """What a browser would fetch, run or follow to anywhere else than the web or a mailbox."""
    found = _ActiveFinder()
    found.feed(html)
    found.close()
    return found.active


class _ActiveFinder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.active: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # An address in angle brackets is an unknown tag where HTML is let through; showdown writes "<a<" where a link
        # follows an address that it makes a link of, too.
        if tag not in TAGS and not re.match(r"(?:https?|mailto):|[^\s@]+@|a<$", tag):
            self.active.append(f"<{tag}>")
        for name, value in attrs:
            is_left_over = value is None and tag == "th"  # of a heading, after its quotation mark
            if not is_left_over and _is_active(tag, name, value or ""):
                self.active.append(f"<{tag} {name}={value!r}>")

    def handle_decl(self, decl: str) -> None:
        self.active.append(f"<!{decl}>")

    def handle_comment(self, data: str) -> None:
        self.handle_decl(data)

    def handle_pi(self, data: str) -> None:
        self.handle_decl(data)

    def unknown_decl(self, data: str) -> None:
        self.handle_decl(data)


def _is_active(tag: str, name: str, value: str) -> bool:
    # What showdown writes of a mailbox is encoded, also where emphasis inside makes a name of it, up to "</a".
    is_encoded = "&" in name or name == "a"
    # Without a value it runs nothing: "<https://e.x/on>" to a renderer that lets unknown tags through.
    is_event = name.startswith("on") and value
    if is_event or (tag in TAGS and name not in ATTRIBUTES and not is_encoded):
        return True
    if name == "style":
        return _STYLE.fullmatch(value) is None
    if name not in {"href", "src", "action", "formaction"}:
        return False
    # As browsers read an address (https://url.spec.whatwg.org/#url-parsing).
    address = re.sub(r"[\t\n\r]", "", value).lstrip("".join(map(chr, range(33))))
    scheme = _SCHEME.match(address)
    return scheme is not None and scheme[1].lower() not in SCHEMES


class _Careless(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - overrides
        return True


# Making one takes longer than rendering does.
_PLAIN, _EXTRA = markdown.Markdown(), markdown.Markdown(extensions=["extra", "sane_lists"])
_PLUGINS = ["strikethrough", "footnotes", "table", "url", "task_lists", "def_list", "abbr"]
_DIRECTIVES = [kind([Admonition(), Figure(), Image()]) for kind in (RSTDirective, FencedDirective)]
PYTHON_RENDERERS: Mapping[str, Callable[[str], str]] = {
    "markdown-it-py": MarkdownIt("commonmark", {"html": True}).render,
    "markdown-it-py with any address": _Careless("commonmark", {"html": True}).enable("table").render,
    "mistune": mistune.create_markdown(escape=False),  # type: ignore[dict-item]
    "mistune with plugins": mistune.create_markdown(escape=False, plugins=_PLUGINS),  # type: ignore[dict-item]
    "mistune with directives": mistune.create_markdown(escape=False, plugins=["table", *_DIRECTIVES]),  # type: ignore[dict-item, list-item]
    "Python-Markdown": lambda text: _PLAIN.reset().convert(text),
    "Python-Markdown with extra": lambda text: _EXTRA.reset().convert(text),
}


def made_active(texts: Sequence[str], node: NodeScript | None) -> list[tuple[str, str, list[str]]]:
    """A text, a renderer, and what that made active of it, for each of ``texts`` that one makes anything active of."""
    by_node = node.ask(texts) if node is not None else [{}] * len(texts)
    return [
        (text, name, active)
        for text, htmls in zip(texts, by_node, strict=True)
        for name, html in _rendered(text, htmls)
        if (active := active_in(html))
    ]


def _rendered(text: str, by_node: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from by_node.items()
    for name, render in PYTHON_RENDERERS.items():
        yield name, render(text)


_SCRIPT = ("javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)")
_ADDRESSES = (
    *_SCRIPT,
    *(
        "vbscript:x",
        "data:text/html,<script>alert(1)</script>",
        "javascript&colon;alert(1)",
        "&#106;avascript:alert(1)",
    ),
    *("java&Tab;script&colon;alert(1)", "\x01javascript:alert(1)", "javascript\\:alert(1)", "file:///etc/passwd"),
    *(
        "http://e/(x",
        "https://e.x/a_(b)",
        "https://e.x",
        "//e.x/p",
        "/ruta",
        "a b",
        "<javascript:alert(1)>",
        "ftp://e.x",
    ),
    *('https://e.x"onclick="alert(1)', "https://e.x'onclick='alert(1)", "x onerror=alert(1)", "`javascript:alert(1)`"),
    *('"onmouseover=alert(1)//', "mailto:a@b.c", "#x", "?a=b&c=d", "https://e.x/?a=<b>", "javascript%3Aalert(1)"),
)
_TAGS = (
    *(
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "<svg/onload=alert(1)>",
        "<b onclick=alert(1)>x</b>",
    ),
    *(
        "</p>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?x",
        "?>",
        "<a href=javascript:alert(1)>",
        "<iframe src=//e.x>",
        "<",
    ),
    *("\\<img src=x onerror=alert(1)>", "<\\img src=x>", "<https:/onclick=alert(1)>", "<https://e.x/onclick=alert(1)>"),
    *(
        "<style>@import '//e.x'</style>",
        "<x@y/onclick=alert(1)>",
        "&lt;img src=x onerror=alert(1)&gt;",
        "<javascript:x>",
    ),
    *(
        "<details open ontoggle=alert(1)>",
        "<\nimg src=x>",
        "<img\nsrc=x\nonerror=alert(1)>",
        "<div markdown=1>",
        "<e@x.y>",
    ),
)
_JOINTS = (
    "",
    "",
    " ",
    "\n",
    "\n\n",
    "\t",
    " \n ",
    "\n> ",
    "\n- ",
    "\n    ",
    "\\",
    "*",
    "`",
    "|",
    "\u00a0",
    "\r",
    "\u202e",
)
_FENCES = ("`", "``", "```", "~~~", "```\n", "~~~\n", "\n```\n", "\n~~~\n", "\n    ", "\\`", "`` ` ``")
_STARTS = ("> ", "- ", "1. ", "# ", "    ", "\t", "| ", "* ", "+ ", "   ", "> > ", "- - ", ": ", "[^1]: ", "*[a]: ")
_WORDS = (
    "a",
    "r",
    "hola",
    "x",
    "1",
    "^1",
    "] [",
    "a]b",
    "[a",
    "a\\]",
    "![i](x)",
    "`c`",
    "**n**",
    "é",
    "[w]",
    "a\nb",
    "",
)
_ODDS = (
    *(
        "{onclick=alert(1)}",
        "{: onclick='alert(1)'}",
        "{:onclick}",
        "{#a .b}",
        "[[wiki]]",
        "[[wiki|javascript:x]]",
        "$x$",
    ),
    *(
        "|a|b|\n|-|-|\n|",
        "---",
        "===",
        "\n\n",
        "***",
        "~~",
        "==",
        "^",
        "&#60;img src=x&#62;",
        "&#x5b;a&#x5d;(javascript:x)",
    ),
    *(
        "www.e.x",
        "a@b.c",
        "::: x\n",
        "<<",
        ">>",
        "¨E60E",
        "¨K1K",
        "\\[a\\](javascript:x)",
        "dict://e.x.y",
        "*x/onclick=a@b.c",
        'http://e.`"onclick=alert(1)//`',
        "[ ]",
        "[x]",
        "!",
        "!\\",
        "\x02",
    ),
)


# What ends an attribute in which a renderer writes the text before it.
_ATTRIBUTES = (
    *('"onclick="alert(1)', "'onclick='alert(1)", '"onclick=alert(1)', '"a/onclick=alert(1)', '" onclick="alert(1)'),
    *('"/onclick="x', '"=/onclick=x', '"style="display:block"onfocus="alert(1)', '"b"onclick="x', "”\"'onclick=x"),
    *(
        '"\nonclick="x',
        '"x = 3"',
        "&quot;onclick=x",
        '\\"onclick="x',
        "`onclick=`x",
        '"**onclick**="x',
        '"&Tab;onclick=x',
    ),
)
_DIRECTIVES_OF_FENCES = (
    "{figure} https://e.x",
    "{image} //e.x/i",
    "{figure} javascript:alert(1)",
    "{note} a",
    "{.a onclick=x}",
)


def hostile(seed: str) -> str:
    """A text of pieces that mean something to some renderer, put together as none of them expects."""
    chance = random.Random(seed)  # noqa: S311 - the same texts again
    return "".join(_piece(chance) + chance.choice(_JOINTS) for _ in range(chance.randint(1, 12)))


def _piece(chance: random.Random) -> str:
    make = chance.choice(
        (_link, _link, _link, _image, _reference, _definition, _tag, _odd, _code, _info, _heading, _directive, _started)
    )
    return make(chance)


def _label(chance: random.Random) -> str:
    return f"[{chance.choice(_WORDS)}]"


def _link(chance: random.Random) -> str:
    opening = chance.choice(("(", "(", "( ", "(<", "(\n", "\\(", "(("))
    title = chance.choice(
        ("", "", ' "t"', " 't'", " (t)", ' "<img src=x onerror=alert(1)>"', ' "t" onclick="alert(1)', " =1x1")
    )
    closing = chance.choice((")", ")", ")", ">)", "", " )", "\n)"))
    return f"{_label(chance)}{chance.choice(_JOINTS)}{opening}{chance.choice(_ADDRESSES)}{title}{closing}"


def _image(chance: random.Random) -> str:
    return chance.choice(("!", "!", "\\!", "!!", "! ", "!\\")) + chance.choice((_link, _reference))(chance)


def _reference(chance: random.Random) -> str:
    return f"{_label(chance)}{chance.choice(_JOINTS)}{chance.choice((_label(chance), '[]', ''))}"


def _definition(chance: random.Random) -> str:
    title = chance.choice(("", ' "t"', " 't'", "\n'<img src=x>'", ' "x" onclick="alert(1)"'))
    space = chance.choice((" ", "", "\n", "\t", "\n  ", " <"))
    return (
        f"\n{chance.choice(_STARTS) * chance.randint(0, 1)}{_label(chance)}:{space}{chance.choice(_ADDRESSES)}{title}\n"
    )


def _tag(chance: random.Random) -> str:
    return chance.choice(_TAGS)


def _odd(chance: random.Random) -> str:
    return chance.choice(_ODDS)


def _code(chance: random.Random) -> str:
    inside = chance.choice((_link, _image, _tag, _definition))(chance)
    return f"{chance.choice(_FENCES)}{inside}{chance.choice((*_FENCES, ''))}"


def _info(chance: random.Random) -> str:
    """A fence with more than a language behind it."""
    fence = chance.choice(("```", "~~~", "````", "~~~~~"))
    said = chance.choice((*_ATTRIBUTES, *_DIRECTIVES_OF_FENCES))
    indent, blanks = chance.choice(("", "", " ", "   ", "> ", "- ")), chance.choice(("", "", " "))
    return f"\n{indent}{fence}{blanks}{chance.choice(('', 'py', 'a-b'))}{said}\n{_piece(chance)}\n{indent}{fence}\n"


def _heading(chance: random.Random) -> str:
    """Of a section or a column: renderers make ids of them."""
    said = f"{chance.choice(_WORDS)}{chance.choice(_ATTRIBUTES)}"
    form = chance.choice(
        ("# {}", "{}\n===", "{}\n---", "## {} ##", "| {} | b |\n|---|---|\n| x | y |", "a | {}\n--|--\nx | y")
    )
    return f"\n\n{form.format(said)}\n\n"


def _directive(chance: random.Random) -> str:
    name = chance.choice(("figure", "image", "note", "x-y"))
    start, blanks = chance.choice(("", "", "> ", "- ")), chance.choice((" ", "  "))
    return f"\n{start}..{blanks}{name}::{chance.choice(('', ' '))}{chance.choice(_ADDRESSES)}\n"


def _started(chance: random.Random) -> str:
    return f"\n{chance.choice(_STARTS)}{_piece(chance)}"
