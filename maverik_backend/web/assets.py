"""Files that pages load from our own origin, under addresses that change with their content.

So browsers may keep them for good (RFC 8246). An older address still gets the present file, uncached: while one release
replaces another, the page of a process may ask a process of the other for its style.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from fastapi import Path as PathParameter
from fastapi.responses import FileResponse

from maverik_backend.errors import NotFound

SITE_FOLDER = Path(str(files("maverik_backend"))) / "site"
ROUTE = "/{version}/{name}"
Segment = Annotated[str, PathParameter(max_length=100)]
"""One of the two segments of :data:`ROUTE`: a digest, or a file's name."""
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
UNCACHED = {"Cache-Control": "no-cache"}


class Assets:
    """A few named files under one path. ``prefix`` has no slash at its ends."""

    def __init__(self, prefix: str, paths: Mapping[str, Path]) -> None:
        self.prefix = prefix
        self._paths = paths

    def href(self, name: str) -> str:
        """The address of a file, relative to the root of this service, which may be mounted below another path."""
        return f"{self.prefix}/{_digest(self._paths[name])}/{name}"

    def response(self, version: str, name: str) -> FileResponse:
        """The file.

        Raises:
            NotFound: when there is none of this name.
        """
        path = self._paths.get(name)
        if path is None:
            raise NotFound("asset")
        return FileResponse(path, headers=FOREVER if version == _digest(path) else UNCACHED)


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
