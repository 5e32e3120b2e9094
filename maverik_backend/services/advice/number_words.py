"""Amounts in words, as people in Argentina say them, written out in figures: "un palo y medio" -> "1500000"."""

from __future__ import annotations

import re

_ONES = {
    "un": 1, "uno": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8,
    "nueve": 9, "diez": 10,
    "once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "dieciseis": 16, "diecisiete": 17,
    "dieciocho": 18, "diecinueve": 19, "veinte": 20, "veinticinco": 25, "treinta": 30, "cuarenta": 40, "cincuenta": 50,
    "sesenta": 60, "setenta": 70, "ochenta": 80, "noventa": 90,
}  # fmt: skip
_HUNDREDS = {
    "cien": 100, "ciento": 100, "doscientos": 200, "trescientos": 300, "cuatrocientos": 400, "quinientos": 500,
    "seiscientos": 600, "setecientos": 700, "ochocientos": 800, "novecientos": 900,
}  # fmt: skip
_SMALL = _ONES | _HUNDREDS | {word[:-2] + "as": value for word, value in _HUNDREDS.items() if word.endswith("os")}
# What multiplies; a "gamba" is a hundred.
_UNITS = {
    "mil": 1_000, "luca": 1_000, "lucas": 1_000, "palo": 1_000_000, "palos": 1_000_000, "millon": 1_000_000,
    "millones": 1_000_000, "gamba": 100, "gambas": 100,
}  # fmt: skip
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_WORD = "|".join(sorted(_SMALL, key=len, reverse=True))
_MONEY = r"pesos?|dolar(?:es)?|usd|mangos"
_NUMBER_WORDS = rf"(?:{_WORD})(?:(?: y)? (?:{_WORD}))?"
_IN_WORDS = re.compile(
    rf"\b(?P<half>medi[oa]) (?P<half_unit>{_UNIT})\b"
    rf"|\b(?P<count>{_NUMBER_WORDS}) (?P<unit>{_UNIT})\b(?P<and_half> y medi[oa])?(?: de(?= (?:{_MONEY})))?"
    rf"|\b(?P<plain>{_NUMBER_WORDS})(?= (?:{_MONEY})\b)"
    rf"|(?<![\w.,])(?P<digits>\d+(?:[.,]\d+)?) ?(?P<digit_unit>palos?|millon(?:es)?|lucas?) y medi[oa]\b"
    rf"|(?<!\w)(?<!\d )(?P<thousand>mil)(?= (?:{_MONEY})\b)"
)


def in_figures(said: str) -> str:
    """``said`` (folded) with its amounts in words as digits; counts of other things stay as they are."""
    return _IN_WORDS.sub(lambda match: str(_value(match)), said)


def _value(match: re.Match[str]) -> int:
    if match["half"]:
        return _UNITS[match["half_unit"]] // 2
    if match["thousand"]:
        return _UNITS["mil"]
    if match["plain"]:
        return _count(match["plain"])
    if match["digits"]:
        unit = _UNITS[match["digit_unit"]]
        return int(float(match["digits"].replace(",", ".")) * unit) + unit // 2
    unit = _UNITS[match["unit"]]
    return _count(match["count"]) * unit + (unit // 2 if match["and_half"] else 0)


def _count(words: str) -> int:
    return sum(_SMALL[word] for word in words.split() if word != "y")
