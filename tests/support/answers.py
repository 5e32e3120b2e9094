"""Reading what the API answers."""

from __future__ import annotations

from typing import Any


def fields_refused(response: Any) -> dict[str, dict[str, Any]]:
    """The refused fields of a 422, by name."""
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return {item["campo"]: item for item in response.json()["errores"]}
