"""What readers of every format yield: headings and paragraphs in order."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# C0 and C1 controls but tab and newline, invisible characters that reorder text (Unicode UAX #9) or spell hidden words,
# soft hyphens, lone surrogates.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "\xa0": " "})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph, or a heading when it has a ``level``, 1 the outermost. ``page`` is from 1 where there are any."""

    text: str
    level: int | None = None
    page: int | None = None


def clean(text: str) -> str:
    """``text`` as PostgreSQL and people can have it: NFC, without controls, ligatures as letters."""
    spaced = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    return unicodedata.normalize("NFC", _CONTROLS.sub("", spaced).translate(_LIGATURES))
