"""Addresses that try to make a mail go to another mailbox than they name, or to several."""

from __future__ import annotations

import base64
from itertools import product

_CHARSETS = ("utf-8", "UTF-8", "iso-8859-1", "us-ascii", "utf-7", "utf-16be", "cp037", "unknown-8bit", "utf-8*es")
_ENCODINGS = ("q", "Q", "b", "B")
# What an encoded word hides: whole addresses, what separates them, and what ends a command or a header.
_HIDDEN = ("m@ev.co<", "m@ev.co,", "m@ev.co> NOTIFY=SUCCESS", "m@ev.co;", 'm"@ev.co', "m(", "m\r\nBcc: m@ev.co", "m\0")


def _encoded_word(text: str, *, charset: str, encoding: str) -> str:
    try:
        content = text.encode(charset.partition("*")[0])
    except LookupError:
        content = text.encode()
    quoted = "".join(f"={byte:02x}" for byte in content)
    hidden = quoted if encoding in "qQ" else base64.b64encode(content).decode()
    return f"=?{charset}?{encoding}?{hidden}?="


def _encoded_words() -> list[str]:
    words = [
        _encoded_word(text, charset=charset, encoding=encoding)
        for text, charset, encoding in product(_HIDDEN, _CHARSETS, _ENCODINGS)
    ]
    short = _encoded_word("m@ev.co,", charset="utf-8", encoding="q")
    placed = ("a{}", "a.{}", "{}.a", "a+{}", "{0}{0}", "{0}.{0}", '"{}"', "({})a", "{}\t", "ñ{}", "ñ.{}")
    return [
        *(f"{word}z@corp.example" for word in words),
        *(place.format(short) + "@corp.example" for place in placed),
        f"a@{short}.example",
        f"a@{short}",
        "=?utf-8?q?m=40ev.co=3c?=z@corp.example",  # the one of the attack
        "=?utf-8?q?m@corp.example",
        "=?@corp.example",
        "?=@corp.example",
        "=?utf-8?q??=@corp.example",
        "=?utf-8?x?m?=@corp.example",
        "=?utf-8?q?m_ev?=@corp.example",
        "=?utf-8?Q?=3Cm=40ev=2Eco=3E?=@corp.example",
    ]


# Line ends that some software has: carriage return, line feed, vertical tab, form feed, file and group separator, next
# line, line and paragraph separator.
_LINE_ENDS = ("\r\n", "\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\0")
_SMUGGLED = ("RCPT TO:<m@ev.co>", "Bcc: m@ev.co", "DATA", "")

# Empty, blank, and as long as they can be and longer (RFC 5321, section 4.5.3.1: 64 before the @, 254 in all).
_SIZES = (
    *("", " ", "ana@" + "a" * 64 + ".example", "ana@" + "a." * 127 + "example"),
    *("a" * length + "@corp.example" for length in (64, 65, 300, 990)),
    *("ñ" * length + "@corp.example" for length in (64, 120)),
)

# One a line, in Python's escapes; lines that begin with # say what follows.
_WRITTEN = r"""
# RFC 5322: display names, comments, groups, quoted strings, obsolete routes
Ana <m@ev.co>
<m@ev.co>
m@ev.co <ana@corp.example>
"ana@corp.example" <m@ev.co>
ana@corp.example <m@ev.co>
ana(m@ev.co)@corp.example
(x)ana@corp.example
ana@corp.example(m@ev.co)
ana@(m@ev.co)corp.example
grupo: m@ev.co, ana@corp.example;
grupo:m@ev.co;
grupo:;ana@corp.example
:m@ev.co;@corp.example
"m@ev.co"@corp.example
"ana"@corp.example
"a\\"b"@corp.example
"<m@ev.co>"@corp.example
""@corp.example
"ana" @corp.example
"m@ev.co,"@corp.example
"a b"@corp.example
ana."m@ev.co"@corp.example
@ev.co:ana@corp.example
@ev.co,@b.example:ana@corp.example
<@ev.co:ana@corp.example>
ana@ev.co:corp.example
# Several addresses
m@ev.co,ana@corp.example
ana@corp.example,m@ev.co
ana@corp.example;m@ev.co
ana@corp.example m@ev.co
ana@corp.example, m@ev.co
m@ev.co;
ana@corp.example,
,ana@corp.example
ana,m@ev.co
ana;m@ev.co
m@ev.co@corp.example
ana@corp.example@ev.co
ana@@corp.example
@corp.example
ana@
@
# Parameters and paths of SMTP
ana@corp.example> NOTIFY=SUCCESS ORCPT=rfc822;m@ev.co
ana@corp.example>\r\nRCPT TO:<m@ev.co
ana>@corp.example
ana@corp.example> SIZE=1
ana<m@ev.co>@corp.example
<ana@corp.example
ana@corp.example>
ana\\@ev.co@corp.example
ana @corp.example
ana@ corp.example
ana@corp.example ORCPT=rfc822;m@ev.co
ana@corp.example\tx
\\ana@corp.example
# Gateways: percent hack, bang path, X.400, programs and files
m%ev.co@corp.example
m%40ev.co@corp.example
m%ev.co%b.example@corp.example
%m@corp.example
ana%@corp.example
ev.co!m@corp.example
b!ev.co!m@corp.example
!m@corp.example
ana!@corp.example
ev.co!m%b.example@corp.example
/C=AR/S=ana/@corp.example
|sendmail m@ev.co@corp.example
|cat@corp.example
/dev/null@corp.example
-oQ/tmp@corp.example
$(m)@corp.example
`m`@corp.example
{m,ana}@corp.example
#@corp.example
*@corp.example
ana=m@corp.example
# Dots and lengths
.ana@corp.example
ana.@corp.example
a..na@corp.example
ana@.corp.example
ana@corp..example
ana@corp.example.
# Domains: literals, ports, numbers, reserved names, A-labels of what they are not
ana@[127.0.0.1]
ana@[IPv6:::1]
ana@127.0.0.1
ana@corp.example:25
ana@corp.example/x
ana@corp_x.example
ana@localhost
ana@corp
ana@corp.local
ana@-corp.example
ana@corp-.example
ana@xn--.example
ana@xn--a.example
ana@xn--80ak6aa92e.com
ana@xn--mller-kva.example
ana@XN--MLLER-KVA.example
ana@xn--corp.example
ana@xn--ls8h.example
# Letters that become others: compatibility forms, expanding ones, full-width, one dot leader, full stops of others
o\ufb03ce@corp.example
\ufb05@corp.example
a\u2024b@corp.example
m\uff20ev.co@corp.example
m\ufe6bev.co@corp.example
\uff41na@corp.example
ana@\uff43orp.example
ana@corp\u3002example
ana@corp\uff0eexample
ana@corp\uff61example
a\uff0cm@corp.example
a\ufe50b@corp.example
a\u037eb@corp.example
a\u1fefb@corp.example
\u212a@corp.example
ana@o\ufb03ce.example
ana@stra\xdfe.example
ana@\u2100.example
ana@\u33c2.example
ana@\u2488example.example
a\u2100@corp.example
\xaana@corp.example
ana\xb2@corp.example
\u2460@corp.example
a\ufe0fna@corp.example
# Case that changes length or returns another letter
\u0130na@corp.example
ana@\u0130.example
\u0131na@corp.example
\u1e9e@corp.example
ana@\u1e9e.example
# Lookalikes: allowed letters, but other ones
\u0430na@corp.example
ana@\u0441orp.example
\u03b1na@corp.example
ana@c\u043erp.example
\u0430n\u0430@\u0440\u0430\u0443\u0440\u0430l.example
# Direction and invisible letters
a\u202ena@corp.example
a\u200bna@corp.example
a\u200dna@corp.example
a\u2066na@corp.example
ana@co\xadrp.example
a\ufeffna@corp.example
\u0301ana@corp.example
ana@\u0301corp.example
a\xa0na@corp.example
a\u3000na@corp.example
a\ue000na@corp.example
a\u0378na@corp.example
a\u180ena@corp.example
a\U000e0041na@corp.example
ana\u0338@corp.example
# Letters beyond ASCII before the @ (RFC 6531)
\xf1and\xfa@corp.example
n\u0303andu@corp.example
\u7528\u6237@corp.example
\u092a\u0924\u093e@corp.example
\u043f\u043e\u0447\u0442\u0430@corp.example
\xf1+x@corp.example
"""


def hostile_addresses() -> list[str]:
    """Several hundred, each once."""
    smuggled = [
        address
        for end, command in product(_LINE_ENDS, _SMUGGLED)
        for address in (f"ana@corp.example{end}{command}", f"ana{end}{command}@corp.example")
    ]
    lines = [line for line in _WRITTEN.split("\n") if line and not line.startswith("# ")]
    written = [line.encode().decode("unicode_escape") for line in lines]
    return list(dict.fromkeys([*_encoded_words(), *smuggled, *_SIZES, *written]))
