"""``maverik assistants``: which there are, what is wrong with their files, and what answered in which version."""

from __future__ import annotations

import json
from pathlib import Path

import click

from maverik_backend.cli.common import load, plain_errors, resources, transaction
from maverik_backend.errors import SettingsError
from maverik_backend.invocation import own_command

HEADER = ("NAME", "KIND", "MODEL", "VERSION", "ANSWERS", "TITLE")


@click.group()
def assistants() -> None:
    """Definitions of who answers (ASSISTANTS_DIR and those that ship)."""


@assistants.command("list")
@plain_errors
def list_assistants() -> None:
    """Show every definition, and whether something that is configured answers for it."""
    known = resources().advice.assistants
    click.echo("\t".join(HEADER))
    for definition in known.definitions():
        columns = (
            definition.slug,
            definition.kind,
            definition.model or "-",
            definition.version,
            "yes" if known.can_answer(definition.slug) else "no",
            definition.name,
        )
        click.echo("\t".join(columns))


@assistants.command("check")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@plain_errors
def check_assistants(folder: Path | None) -> None:
    """Tell what is wrong with the definitions of FOLDER (default: ASSISTANTS_DIR) beside those that ship."""
    from maverik_backend.services.assistants import SHIPPED, Library, faults  # noqa: PLC0415 - not for other commands

    folder = folder or load().assistants.assistants_dir
    found = Library([SHIPPED] if folder is None else [SHIPPED, folder], check=faults).current()
    click.echo(f"{len(found)} assistants, no faults: {', '.join(sorted(found))}.")


@assistants.command("versions")
@click.argument("name")
@plain_errors
def list_versions(name: str) -> None:
    """Show the versions of assistant NAME that have answered, the newest first."""
    from maverik_backend.services.assistants import get_versions  # noqa: PLC0415

    with transaction() as db:
        versions = get_versions(db, slug=name)
    if not versions:
        raise SettingsError([f"No version of {name!r} has answered yet."])
    for version in versions:
        click.echo(f"{version.version}\t{version.created:%Y-%m-%d %H:%M} UTC")


@assistants.command("show")
@click.argument("name")
@click.argument("version")
@plain_errors
def show_version(name: str, version: str) -> None:
    """Print the whole definition, instructions included, that answered as VERSION of assistant NAME."""
    from maverik_backend.services.assistants import get_versions  # noqa: PLC0415

    with transaction() as db:
        found = [known for known in get_versions(db, slug=name) if known.version == version]
    if not found:
        see = f"{own_command()} assistants versions {name}"
        raise SettingsError([f"No version {version!r} of {name!r} has answered: see `{see}`."])
    click.echo(json.dumps(found[0].content, ensure_ascii=False, indent=2))
