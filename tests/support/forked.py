"""``maverik`` in processes of their own that need not load the package first.

They are forked off a server (``multiprocessing``'s, without threads) which has: a command then takes 0.2 s of
processor time instead of 1.1. Everything else is as in a process that was started: the environment and the folder are
those of the test alone, standard input is empty, what is written is caught below Python, and the exit is a real one.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerContext
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

from tests.support.processes import RUN_TIMEOUT_S, clean_environment

LOADED = ("maverik_backend.api", "maverik_backend.cli", "alembic.command", "tests.support.forked")


def run_forked(*arguments: str, cwd: Path, **variables: str) -> CompletedProcess[str]:
    """What ``run_maverik`` gives (``tests/support/processes.py``), sooner."""
    context = _context()
    with TemporaryDirectory() as folder:
        out, err = (Path(folder) / name for name in ("out", "err"))
        environment = clean_environment(**variables)
        process = context.Process(target=_run, args=(arguments, cwd, environment, out, err))
        process.start()
        process.join(RUN_TIMEOUT_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        texts = [path.read_text(encoding="utf-8") if path.exists() else "" for path in (out, err)]
        assert process.exitcode is not None
        return CompletedProcess(arguments, process.exitcode, *texts)


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LOADED))
    return context


def _run(arguments: tuple[str, ...], cwd: Path, environment: Mapping[str, str], out: Path, err: Path) -> None:
    """The child: become what a started process is, and run the command line."""
    from maverik_backend.cli import main

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    _redirect(0, Path(os.devnull), os.O_RDONLY)
    _redirect(1, out, os.O_WRONLY | os.O_CREAT)
    _redirect(2, err, os.O_WRONLY | os.O_CREAT)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - until the process ends
        for number, mode in enumerate("rww")
    )
    try:
        main(args=list(arguments), prog_name="python -m maverik_backend")
    finally:
        atexit._run_exitfuncs()  # noqa: SLF001 - multiprocessing's children leave without them
        sys.stdout.flush()
        sys.stderr.flush()


def _redirect(number: int, path: Path, flags: int) -> None:
    descriptor = os.open(path, flags, 0o600)
    os.dup2(descriptor, number)
    os.close(descriptor)
