"""The code that stands in a document, so that what people are told to type is what is tested."""

from __future__ import annotations

import re
from pathlib import Path


def code_in(document: Path) -> list[str]:
    """Every block and every span of code."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [*blocks, *(span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", rest))]


def commands_below(document: Path, heading: str) -> list[str]:
    """The commands in the blocks of one section, in order; one that goes on over several lines is one."""
    text = document.read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    lines: list[str] = []
    for block in re.findall(r"^```bash\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            is_more = bool(lines) and lines[-1].count('"') % 2 == 1
            lines[-1:] = [f"{lines[-1]}\n{line}"] if is_more else [*lines[-1:], line]
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def span_in(document: Path, start: str) -> str:
    """The one span or block of code that begins so."""
    (found,) = {code for code in code_in(document) if code.startswith(start)}
    return found
