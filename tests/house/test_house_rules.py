"""Rules of the house that a machine can check; each says what to do when it fails."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest

import maverik_backend
from maverik_backend import clients
from maverik_backend.clients import registry
from maverik_backend.settings import GROUPS
from tests.support.paths import ROOT
from tests.support.routes import OWN_ROUTES, Route

PACKAGE = ROOT / "maverik_backend"
ALEMBIC_MAY_IMPORT = (
    "maverik_backend.models",
    "maverik_backend.settings",
    "maverik_backend.errors",
    # The one place that knows how a connection is made, the embedded PostgreSQL included (see alembic/env.py).
    "maverik_backend.core.database",
    # Only what messages tell people to type.
    "maverik_backend.invocation",
)


def sources(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_migrations_depend_on_models_and_settings_only() -> None:
    wrong = {
        f"{path.name}: {name}"
        for path in sources(ROOT / "alembic")
        for name in imports(path)
        if name.startswith("maverik_backend") and not name.startswith(ALEMBIC_MAY_IMPORT)
    }

    assert not wrong, "a migration that imports code changes its meaning when the code does"


@pytest.mark.parametrize("route", OWN_ROUTES, ids=str)
def test_routes_are_plain_functions(route: Route) -> None:
    assert not iscoroutinefunction(route.endpoint), "an async route that waits for the database stops every other one"


SECRET = re.compile(r"(^|_)(key|token|secret|code|password|clave|codigo|hash)$")
NOT_SECRET = {
    "Share.key",  # whose share it is
    "Links.set_password",  # the address of a page
}


def dataclasses_of_the_package() -> Iterator[type]:
    for module in pkgutil.walk_packages(maverik_backend.__path__, "maverik_backend."):
        if module.name != "maverik_backend.__main__":
            for found in vars(importlib.import_module(module.name)).values():
                if isinstance(found, type) and is_dataclass(found) and found.__module__ == module.name:
                    yield found


def secrets_shown(found: Any) -> set[str]:
    """The fields of a dataclass that its ``repr`` shows although their name says that they hold a secret."""
    if not found.__dataclass_params__.repr:
        return set()
    shown = [field for field in fields(found) if field.repr and field.type not in {"bool", bool}]
    return {f"{found.__name__}.{field.name}" for field in shown if SECRET.search(field.name)} - NOT_SECRET


@pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR")  # a library says so when the embedded PostgreSQL is imported
def test_no_repr_shows_a_secret() -> None:
    wrong = {f"{found.__module__}: {name}" for found in dataclasses_of_the_package() for name in secrets_shown(found)}

    assert not wrong, "logs and tracebacks show it: `field(repr=False)`, or `repr=False` for the class"


def implementations() -> set[str]:
    """The modules under clients/ that services must not name, and those of the classes in its registry."""
    modules = {
        module.name
        for module in pkgutil.walk_packages(clients.__path__, f"{clients.__name__}.")
        if not module.ispkg and not module.name.endswith(".base")
    }
    chosen = (
        *registry.ADVISORS.values(),
        *registry.OPTIMIZERS.values(),
        *registry.MAIL_SENDERS.values(),
        *registry.EMBEDDERS.values(),
    )
    return modules | {target.partition(":")[0] for target in chosen}


def test_the_contract_about_clients_names_every_one() -> None:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = configuration["tool"]["importlinter"]["contracts"]
    (contract,) = [one for one in contracts if one["name"].startswith("Services are handed their clients")]

    assert set(contract["forbidden_modules"]) == implementations(), "write it into pyproject.toml, or take it out"


def test_services_never_commit() -> None:
    wrong = [
        path.name for path in sources(PACKAGE / "services") if re.search(r"\.commit\(|\.rollback\(", path.read_text())
    ]

    assert not wrong, "the code that opened the transaction commits it (core/database.py)"


# Domains that show their use cases in ``__all__``; all but those that are being rebuilt. (Events and logs of turns are
# data that the encoders of ``web/event_streams/`` read.)
SHOWN = {path.parent.name for path in (PACKAGE / "services").glob("*/__init__.py")}
SQL = {"delete", "exists", "func", "insert", "literal", "select", "text", "union_all", "update"}
# What makes SQL outside of a domain's store.
WITH_SQL = {
    # Declare tables and constraints, connect, and ask PostgreSQL about itself.
    "models",
    "core",
}


def makes_sql(path: Path) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and (node.module or "").partition(".")[0] == "sqlalchemy"
        and SQL.intersection(alias.name for alias in node.names)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def is_store(place: str) -> bool:
    return re.fullmatch(r"services/\w+/((\w+_)?store\.py|store/\w+\.py)", place) is not None


def test_sql_is_made_in_stores_only() -> None:
    places = {path.relative_to(PACKAGE).as_posix() for path in sources(PACKAGE) if makes_sql(path)}
    excused = {place for place in places if place in WITH_SQL or place.partition("/")[0] in WITH_SQL}

    assert not {place for place in places - excused if not is_store(place)}, "move it to the store of its domain"
    assert {place for place in WITH_SQL if place.endswith(".py")} <= places, "an exception that is none any more"


def test_a_domain_is_used_through_its_package() -> None:
    inner = re.compile(rf"maverik_backend\.services\.({'|'.join(sorted(SHOWN))})\.")
    wrong = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in sources(PACKAGE)
        for name in imports(path)
        if (found := inner.match(name)) and not path.is_relative_to(PACKAGE / "services" / found[1])
    }

    assert not wrong, "import it from the domain's package"


@pytest.mark.parametrize("domain", sorted(SHOWN))
def test_a_domain_says_what_it_shows(domain: str) -> None:
    package = importlib.import_module(f"maverik_backend.services.{domain}")

    assert package.__all__, "list its use cases in __all__"
    assert [name for name in package.__all__ if not hasattr(package, name)] == []


def test_nothing_is_left_to_do_later() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    here = Path(__file__)
    wrong = [
        str(path.relative_to(ROOT))
        for path in sources(PACKAGE, ROOT / "alembic", ROOT / "tests", ROOT / "deployments")
        if path != here and words.search(path.read_text(encoding="utf-8"))
    ]

    assert not wrong, "do it, or open an issue"


def test_locks_hold_hashes_and_no_addresses() -> None:
    for lock in sorted(ROOT.glob("requirements*.txt")):
        content = lock.read_text(encoding="utf-8")
        assert content.count("--hash=sha256:") >= content.count("=="), lock.name
        assert not re.search(r"://|--index|--find-links", content), lock.name


def test_every_setting_is_explained_in_the_example() -> None:
    explained = (ROOT / ".env.example").read_text(encoding="utf-8")
    for group in GROUPS.values():
        for variable in group.variables().values():
            assert re.search(rf"^#? ?{variable}=", explained, re.MULTILINE), f"{variable} is not in .env.example"


def test_the_package_has_one_version() -> None:
    from maverik_backend import __version__

    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
