"""Sealed texts (PASETO v4.local), taken apart and put together without our own code."""

from __future__ import annotations

import base64
import json

import pyseto


def raw_key(paserk: str) -> bytes:
    return base64.urlsafe_b64decode(paserk.removeprefix("k4.local.") + "=")


def pyseto_key(paserk: str) -> pyseto.KeyInterface:
    """The key, for an implementation that shares no code with ours."""
    return pyseto.Key.new(version=4, purpose="local", key=raw_key(paserk))


def kid_of(token: str) -> str:
    """Which key it says that it was sealed with."""
    footer = token.split(".")[3]
    return str(json.loads(base64.urlsafe_b64decode(footer + "=" * (-len(footer) % 4)))["kid"])


def with_footer(token: str, footer: bytes) -> str:
    """The same with another footer."""
    return ".".join([*token.split(".")[:3], base64.urlsafe_b64encode(footer).decode().rstrip("=")])
