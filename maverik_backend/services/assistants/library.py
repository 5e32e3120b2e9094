"""The definitions on disk: read and checked together, read again when a file has changed.

A folder holds one ``SLUG.toml`` an assistant. Keys are the fields of
:class:`~maverik_backend.services.assistants.definition.Definition`, except that ``instructions`` and ``output_schema``
name files of the same folder, as text and JSON.
"""

from __future__ import annotations

import json
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import ValidationError

from maverik_backend.errors import SettingsError
from maverik_backend.services.assistants.definition import Definition

SHIPPED: Final = Path(__file__).parents[2] / "assistants"
"""The definitions that are part of the product."""
MAX_FILE_BYTES: Final = 1_000_000
LOOK_AGAIN_AFTER_S: Final = 2.0

Definitions = Mapping[str, Definition]
Check = Callable[[Definitions], Iterator[str]]
"""Sentences about what is wrong with definitions beyond their own fields."""
_Fingerprint = tuple[tuple[str, int, int], ...]

_log = structlog.get_logger(__name__)


class Library:
    """The definitions of several folders; those of a later folder replace those of the same slug in an earlier one.

    Safe to use from several threads at once.
    """

    def __init__(
        self, folders: Sequence[Path], *, check: Check, look_again_after_s: float = LOOK_AGAIN_AFTER_S
    ) -> None:
        """Read the folders.

        Raises:
            SettingsError: with one sentence for every fault.
        """
        self._folders = tuple(folders)
        self._check = check
        self._look_again_after_s = look_again_after_s
        self._lock = threading.Lock()
        self._fingerprint = _fingerprint(self._folders)
        self._looked_at = time.monotonic()
        self._definitions = self._read()

    def current(self) -> Definitions:
        """The definitions by slug, as the files say now or did :data:`LOOK_AGAIN_AFTER_S` ago at most."""
        if time.monotonic() - self._looked_at >= self._look_again_after_s and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._definitions

    def _look(self) -> None:
        """Read again what was changed. What was read before stays while there are faults."""
        fingerprint = _fingerprint(self._folders)
        self._looked_at = time.monotonic()
        if fingerprint == self._fingerprint:
            return
        self._fingerprint = fingerprint
        try:
            self._definitions = self._read()
        except SettingsError as error:
            _log.error("assistants_not_reloaded", problems=error.problems)
        else:
            _log.info("assistants_reloaded", slugs=sorted(self._definitions))

    def _read(self) -> Definitions:
        definitions: dict[str, Definition] = {}
        problems: list[str] = []
        for path in (path for folder in self._folders for path in sorted(folder.glob("*.toml"))):
            try:
                definition = _read_file(path)
            except _Faulty as faulty:
                problems += [f"{path.name}: {sentence}" for sentence in faulty.sentences]
            else:
                definitions[definition.slug] = definition
        if problems := problems or list(self._check(definitions)):
            raise SettingsError(problems)
        return definitions


class _Faulty(Exception):
    """What is wrong with one file."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(*sentences)
        self.sentences = sentences


def _read_file(path: Path) -> Definition:
    try:
        values = tomllib.loads(_text_of(path))
    except tomllib.TOMLDecodeError as error:
        raise _Faulty(f"it is not TOML: {error}.") from None
    if values.setdefault("slug", path.stem) != path.stem:
        raise _Faulty(f'slug is "{values["slug"]}": it must be the name of the file, or left out.')
    if "instructions" in values:
        values["instructions"] = _text_of(_beside(path, "instructions", values["instructions"])).strip()
    if "output_schema" in values:
        values["output_schema"] = _json_of(_beside(path, "output_schema", values["output_schema"]))
    try:
        return Definition.model_validate(values)
    except ValidationError as error:
        raise _Faulty(*(_sentence(detail) for detail in error.errors(include_url=False, include_input=False))) from None


def _beside(path: Path, field: str, name: object) -> Path:
    """The file that a field names: in the same folder, nowhere else."""
    if not isinstance(name, str) or not name or Path(name).name != name:
        raise _Faulty(f"{field} must be the name of a file in the same folder.")
    return path.with_name(name)


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _Faulty(f"{path.name} is longer than {MAX_FILE_BYTES:,} bytes.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _Faulty(f"{path.name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise _Faulty(f"{path.name} is not UTF-8 text.") from None


def _json_of(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds; the definition checks it
    try:
        return json.loads(_text_of(path))
    except ValueError as error:
        raise _Faulty(f"{path.name} is not JSON: {error}.") from None


def _sentence(detail: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    field = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{field} is no field of an assistant; there are {', '.join(Definition.model_fields)}."
    reason = detail["msg"].rstrip(".")
    return f"{field}: {reason[:1].lower()}{reason[1:]}."


def _fingerprint(folders: Sequence[Path]) -> _Fingerprint:
    """Names, times and sizes of all files: another one when any of them was written."""
    found = []
    for path in (path for folder in folders for path in sorted(folder.iterdir())):
        try:
            status = path.stat()
        except FileNotFoundError:  # removed since it was listed
            continue
        found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)
