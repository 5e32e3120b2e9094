"""Requests with a worst case (``tests/support/worst_texts.py``) in any place that the reviewed document knows."""

from __future__ import annotations

import json
from typing import Any

from maverik_backend.schemas.base import MAX_NUMBER_CHARS
from maverik_backend.web.middleware.body_limit import MAX_BYTES, OF_ROUTES
from tests.support.paths import OPENAPI_SNAPSHOT

_DOCUMENT: dict[str, Any] = json.loads(OPENAPI_SNAPSHOT.read_text(encoding="utf-8"))
_SCHEMAS: dict[str, Any] = _DOCUMENT["components"]["schemas"]
_ROOM_FOR_THE_REST = 1_000

OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: {**operation, "method": method.upper(), "path": path}
    for path, item in _DOCUMENT["paths"].items()
    for method, operation in item.items()
}
BODIES: dict[str, dict[str, Any]] = {
    name: _SCHEMAS[operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]
    for name, operation in OPERATIONS.items()
    if "application/json" in operation.get("requestBody", {}).get("content", {})  # others are files
}
FIELDS = [(name, field) for name, schema in BODIES.items() for field in schema["properties"]]
PARAMETERS = [
    (name, parameter["in"], parameter["name"])
    for name, operation in OPERATIONS.items()
    for parameter in operation.get("parameters", ())
]


def path_of(name: str, some_id: object = 1) -> str:
    path: str = OPERATIONS[name]["path"]
    return path.format(session_id=some_id, turn_id=some_id, login_id=some_id, document_id=some_id)


def body_of(name: str, field: str = "", value: bytes = b"") -> bytes:
    """The documented example, ``field`` replaced by bytes: clients are not bound to write good JSON."""
    example = BODIES[name]["examples"][0]
    changed = {**example, field: "VALUE"} if field else example
    return json.dumps(changed).encode().replace(b'"VALUE"', value)


def encoded(text: str) -> bytes:
    """``text`` as JSON, in as few bytes as there are."""
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")


def room_in(name: str) -> int:
    """So many bytes may one value have in a body that the operation reads."""
    return OF_ROUTES.get(name, MAX_BYTES) - _ROOM_FOR_THE_REST


def longest_read(name: str, text: str) -> bytes:
    """As much of ``text`` as the operation reads, as JSON."""
    return encoded(text[: room_in(name) * len(text) // max(room_in(name), len(encoded(text)))])


def longest_taken(name: str, field: str) -> int:
    """The ``maxLength`` of a field; of one that is no text, what any number fits into."""
    schema = BODIES[name]["properties"][field]
    lengths: list[int] = [one["maxLength"] for one in (schema, *schema.get("anyOf", ())) if "maxLength" in one]
    return max(lengths, default=MAX_NUMBER_CHARS)
