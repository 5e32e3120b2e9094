"""The image where no container engine runs: the instructions of its Dockerfile, carried out in plain folders.

Each stage is a folder; a path such as ``/opt/venv`` is taken to lie in it. COPY takes what .dockerignore lets through.
What only root of a container of its own may do (packages, accounts) is left out and kept in :attr:`Stage.system_steps`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.processes import clean_environment

DOCKERFILE = ROOT / "deployments" / "backend.Dockerfile"
LAMBDA_DOCKERFILE = ROOT / "deployments" / "lambda" / "Dockerfile"
BUILD_TIMEOUT_S = 600
RUN_TIMEOUT_S = 240
_SYSTEM_PROGRAMS = ("apt-get ", "groupadd ", "useradd ")
_ABSOLUTE = re.compile(r"(?<![\w.$/])/(?=(?:app|build|data|opt)\b)")


@dataclass
class Stage:
    """One ``FROM`` and what followed. ``values`` holds single instructions, such as ``ENTRYPOINT``, as they stand."""

    root: Path
    arguments: dict[str, str]
    base: str
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    values: dict[str, str] = field(default_factory=dict)
    system_steps: list[str] = field(default_factory=list)

    def inside(self, text: str) -> str:
        """``text`` with this stage's own absolute paths."""
        return _ABSOLUTE.sub(f"{self.root}/", text)

    @property
    def folder(self) -> Path:
        """The working directory."""
        return self.root / self.workdir.lstrip("/")

    def exec_form(self, name: str) -> list[str]:
        """The words of an instruction that is written as a JSON list, as signals demand."""
        words: list[str] = json.loads(self.values[name].rpartition(" CMD ")[2])
        return words

    def variables(self, **variables: str) -> dict[str, str]:
        """What a process in a container of this image finds in its environment."""
        return clean_environment(**{**self.environment, **variables})


Stages = dict[str, Stage]


def instructions(dockerfile: Path = DOCKERFILE) -> Iterator[tuple[str, str]]:
    """``RUN``, ``pip install ...``: with lines joined, without comments."""
    lines = [line for line in dockerfile.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, rest = line.partition(" ")
            yield name, rest.strip()


def build(folder: Path, dockerfile: Path = DOCKERFILE) -> Stage:
    """The last stage, built in ``folder``."""
    stages: Stages = {}
    arguments: dict[str, str] = {}
    stage: Stage | None = None
    for name, rest in instructions(dockerfile):
        if name == "FROM":
            base, _, alias = rest.partition(" AS ")
            stage = Stage(root=folder / (alias or "image"), arguments=dict(arguments), base=_expanded(base, arguments))
            stage.root.mkdir()
            stages[alias] = stage
        elif name == "ARG":
            key, _, default = rest.partition("=")
            (arguments if stage is None else stage.arguments)[key] = default
        elif stage is not None and name in _STEPS:
            _STEPS[name](stage, _expanded(rest, stage.arguments), stages)
        elif stage is not None:
            stage.values[name] = rest
    assert stage is not None
    return stage


def run_in(image: Stage, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command in a container of ``image``, to its end."""
    return subprocess.run(  # noqa: S603 - the image's own command
        ["/usr/bin/env", *command],  # looks `python` up in the image's own PATH, Popen would in ours
        check=False,
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        cwd=image.folder,
        env=image.variables(**variables),
    )


def is_sent(path: Path) -> bool:
    """Whether .dockerignore lets ``path`` reach a build: the last rule that fits decides."""
    sent = True
    relative = path.relative_to(ROOT)
    for rule in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = rule.lstrip("!")
        if pattern and not rule.startswith("#"):
            anywhere = pattern.startswith("**/")
            candidates = [part for part in (relative, *relative.parents) if part.name]
            if any(fnmatch(part.name if anywhere else str(part), pattern.removeprefix("**/")) for part in candidates):
                sent = rule.startswith("!")
    return sent


def _expanded(text: str, arguments: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], text)


def _env(stage: Stage, rest: str, _stages: Stages) -> None:
    for word in shlex.split(rest):
        name, _, value = word.partition("=")
        stage.environment[name] = stage.inside(value).replace("$PATH", os.environ["PATH"])


def _workdir(stage: Stage, rest: str, _stages: Stages) -> None:
    stage.workdir = rest
    stage.folder.mkdir(parents=True, exist_ok=True)


def _copy(stage: Stage, rest: str, stages: Stages) -> None:
    words = rest.split()
    origin = stages[words.pop(0).removeprefix("--from=")] if words[0].startswith("--from=") else None
    *sources, target = words
    for source in sources:
        path = origin.root / source.lstrip("/") if origin else ROOT / source
        place = stage.root / target.lstrip("/") if target.startswith("/") else stage.folder / target
        if origin is None and not is_sent(path):
            raise AssertionError(f".dockerignore keeps {source} from the build")
        if path.is_dir():
            skipped = None if origin else _ignored
            shutil.copytree(path, place, symlinks=True, ignore=skipped, dirs_exist_ok=True)
        else:
            place = place / path.name if target.endswith("/") else place
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)


def _ignored(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not is_sent(Path(folder) / name)}


def _run(stage: Stage, rest: str, _stages: Stages) -> None:
    if rest.startswith(_SYSTEM_PROGRAMS):
        stage.system_steps.append(rest)
        return
    interpreter = stage.root / "usr" / "python"
    interpreter.parent.mkdir(exist_ok=True)
    interpreter.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    interpreter.chmod(0o755)
    path = stage.environment.get("PATH", f"{interpreter.parent}:{os.environ['PATH']}")
    # With the whole environment: it says where this machine's packages come from.
    subprocess.run(  # noqa: S603 - the instruction under test
        ["/bin/sh", "-ec", stage.inside(rest)],
        check=True,
        cwd=stage.folder,
        env={**os.environ, "PATH": path},
        timeout=BUILD_TIMEOUT_S,
        stdin=subprocess.DEVNULL,
    )


_STEPS: dict[str, Callable[[Stage, str, Stages], None]] = {"ENV": _env, "WORKDIR": _workdir, "COPY": _copy, "RUN": _run}
