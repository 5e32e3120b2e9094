"""Texts that are expensive to work on, or that something trips over; each made as long as it is asked for.

Normalising sorts combining marks one by one (UAX #15, canonical ordering), so a row of them costs the square of its
length; matching and parsing have worst cases of their own.
"""

from __future__ import annotations

from collections.abc import Callable

_PATTERNS = {
    "combining marks": "\u0316\u0301",
    "marks after one letter each": "a\u0316\u0301",
    "marks in disguise": "\u0f73",  # no combining mark itself, but two when decomposed
    "expanding compatibility": "\ufdfa",  # 18 letters in NFKC
    "expanding canonically": "\U0001d160",  # three in NFC
    "precomposed": "\u1fa7",  # four code points in NFD
    "blanks": " ",
    "wide blanks": "\u3000",
    "lines": "\r\n",
    "dots": ".",
    "ats": "@",
    "labels": "a.",
    "sharp s labels": "\xdf.",
    "arabic digits": "\u0660",
    "digits": "9",
    "zeros": "0",
    "grouped digits": "1.000.",
    "underscored digits": "1_",
    "dates": "2000-01-01",
    "commas": ",",
    "etags": 'W/"x",',
    "emoji": "\U0001f469\u200d",
    "overrides": "\u202e",
    "brackets": "[",
    "links": "[a](",
    "tags": "<a ",
    "backslashes": "\\",
    "words": "ahorro por mes para ",
    "halves of pairs": "\ud800",
    "nul": "\x00",
}
_PREFIXED = {
    "address of labels": ("x@", "\xdf.", "co"),
    "address of one label": ("x@", "\xdf", ".co"),
    "address of digits": ("x@", "\u0660", ".co"),
    "address of words": ("=?utf-8?q?", "=40", "?=@x.co"),
    "token": ("v4.local.", "A", ".e30"),
}


def _filled(prefix: str, pattern: str, suffix: str) -> Callable[[int], str]:
    def make(chars: int) -> str:
        room = max(0, chars - len(prefix) - len(suffix))
        return (prefix + (pattern * (room // len(pattern) + 1))[:room] + suffix)[:chars]

    return make


WORST_TEXTS: dict[str, Callable[[int], str]] = {
    **{name: _filled("", pattern, "") for name, pattern in _PATTERNS.items()},
    **{name: _filled(*parts) for name, parts in _PREFIXED.items()},
}
"""By a name: makes a text of so many characters."""

WORST_JSON: dict[str, Callable[[int], bytes]] = {
    "nested lists": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "nested objects": lambda size: b'{"a":' * (size // 6) + b"1" + b"}" * (size // 6),
    "many lists": lambda size: b"[" + b"[]," * (size // 3 - 1) + b"1]",
    "many keys": lambda size: b"{" + b",".join(b'"%05d":1' % number for number in range(size // 11)) + b"}",
    "huge key": lambda size: b'{"' + b"k" * (size - 6) + b'":1}',
    "long number": lambda size: b"9" * size,
    "long fraction": lambda size: b"0." + b"3" * (size - 2),
    "many long numbers": lambda size: b"[" + b",".join([b"9" * 4_300] * (size // 4_301)) + b"]",
    "long exponent": lambda size: b"1e" + b"9" * (size - 2),
}
"""By a name: makes a JSON value, or what looks like one, of at most so many bytes."""
