"""Where the signing keys come from: ``SECRET_KEY``, or on a developer's machine a file made on first use."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from maverik_backend.core.security import Keyring, generate_paserk
from maverik_backend.settings import Settings


def make_keyring(settings: Settings) -> Keyring:
    """The configured keys; without any, a generated one that survives restarts (production refuses this default).

    Raises:
        SettingsError: when a key is not usable or libsodium is missing.
    """
    configured = settings.security.secret_key
    if configured is not None:
        return Keyring(configured.get_secret_value().split(","))
    return Keyring([_generated_key(settings.app.local_data_dir / "secret_key")])


def _generated_key(path: Path) -> str:
    """The key in ``path``, made when there is none. Of two processes that start at once, both use the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Written whole under another name first (mkstemp: only for the owner), so that no process reads half a key.
        descriptor, unfinished = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(generate_paserk() + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)
        Path(unfinished).unlink()
    return path.read_text(encoding="ascii").strip()
