"""Make `.venv` ready: create it, install what the lock file says, and see that libsodium is there.

    python3 deployments/bootstrap.py [local|dev]

`local` is what `make run` and `make demo` need, `dev` adds the tests and the tools. Needs nothing but Python 3.11 and
does nothing when everything is in place. Only the standard library is used, on every platform. Some tests run other
people's JavaScript: where Node is at hand, `dev` installs that too (into `.venv/node`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
NODE = VENV / "node"
NODE_PACKAGES = ROOT / "tests" / "node" / "package.json"
STAMP = VENV / ".installed"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST_PYTHON = (3, 11)
OTHER_SYSTEMS = {"libsodium": "; macOS: brew install libsodium; Windows: put libsodium.dll on PATH", "venv": ""}
SYSTEM_PACKAGES = {"libsodium": "libsodium23", "venv": "python3-venv"}


def main() -> None:
    """Bring `.venv` to the state that the argument names."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed; this is {sys.version.split()[0]}.")
    kind = sys.argv[1] if len(sys.argv) > 1 else "local"
    if kind not in {"local", "dev"}:
        sys.exit("usage: python3 deployments/bootstrap.py [local|dev]")
    requirements = ROOT / f"requirements-{kind}.txt"
    wanted = f"{kind} {_digest(requirements)}\n"
    if not _is_installed(kind, wanted):
        _make_venv()
        _install(requirements)
        _require_libsodium()
        STAMP.write_text(wanted, encoding="utf-8")
    if kind == "dev":
        _install_node_packages()


def _digest(requirements: Path) -> str:
    """What decides whether an installation is up to date: the locked versions and the project's own metadata."""
    content = requirements.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    return hashlib.sha256(content).hexdigest()


def _is_installed(kind: str, wanted: str) -> bool:
    """Whether the stamp says so; an up-to-date `dev` holds everything that `local` does."""
    if not (STAMP.exists() and PYTHON.exists()):
        return False
    stamp = STAMP.read_text(encoding="utf-8")
    dev = f"dev {_digest(ROOT / 'requirements-dev.txt')}\n"
    return stamp == wanted or (kind == "local" and stamp == dev)


def _make_venv() -> None:
    if PYTHON.exists():
        return
    print("Creating .venv ...", flush=True)
    command = [sys.executable, "-m", "venv", str(VENV)]
    if subprocess.run(command, check=False, capture_output=True).returncode == 0:
        return
    # Debian keeps venv's pip in a package of its own.
    shutil.rmtree(VENV, ignore_errors=True)
    _install_system_package("venv", "Python's venv module is missing")
    subprocess.run(command, check=True)


def _install(requirements: Path) -> None:
    print(f"Installing {requirements.name} (a minute or so the first time) ...", flush=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(requirements)], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], check=True)


def _install_node_packages() -> None:
    """Without Node, or offline, the tests that need it are skipped: nothing else needs any of it."""
    npm, wanted = shutil.which("npm"), NODE_PACKAGES.read_bytes()
    stamp = NODE / "node_modules" / ".installed"
    if npm is None or (stamp.exists() and stamp.read_bytes() == wanted):
        return
    print("Installing what tests run in Node ...", flush=True)
    NODE.mkdir(exist_ok=True)
    (NODE / NODE_PACKAGES.name).write_bytes(wanted)
    quiet = ["--silent", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--fetch-retries=1"]
    if subprocess.run([npm, "install", *quiet], cwd=NODE, check=False).returncode == 0:
        stamp.write_bytes(wanted)
    else:
        print("That did not work: tests that need Node will be skipped.", flush=True)


def _require_libsodium() -> None:
    if not _has_libsodium():
        _install_system_package("libsodium", "libsodium is missing")
    if not _has_libsodium():
        sys.exit("libsodium was installed but cannot be loaded: see that the dynamic linker finds it.")


def _has_libsodium() -> bool:
    probe = [str(PYTHON), "-c", "import paseto.protocol.version4"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


def _install_system_package(need: str, problem: str) -> None:
    """Install a Debian package where that is possible, else say in one sentence what to do."""
    package = SYSTEM_PACKAGES[need]
    if shutil.which("apt-get") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        sys.exit(
            f"{problem}: install it (Debian: sudo apt-get install {package}{OTHER_SYSTEMS[need]}) and run this again."
        )
    print(f"Installing {package} ...", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["apt-get", "install", "-y", "-qq", package], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"This did not work: {' '.join(map(str, error.cmd))}")
    except KeyboardInterrupt:
        sys.exit("Stopped; run it again to go on.")
