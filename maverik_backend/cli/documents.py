"""``maverik documents``: collections that are shared, or an assistant's."""

from __future__ import annotations

from pathlib import Path

import click

from maverik_backend.cli.common import plain_errors, resources
from maverik_backend.errors import InvalidInput, ReadOnly, SettingsError

HEADER = ("ID", "STATE", "TYPE", "BYTES", "PAGES", "PASSAGES", "TITLE", "ERROR")
_SHIPPED = "This collection ships with the product and cannot be changed."

_collection = click.argument("collection", metavar="COLLECTION")
_assistant = click.option("--assistant", help="The collection of this assistant, by its slug (default: shared by all).")


@click.group()
def documents() -> None:
    """Documents in collections that are shared, or an assistant's."""


@documents.command("add")
@_collection
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_assistant
@plain_errors
def add_documents(collection: str, files: tuple[Path, ...], assistant: str | None) -> None:
    """Add files (PDF, Markdown, text, HTML) to COLLECTION; a running server reads them, or `jobs run`."""
    from maverik_backend.core.documents.limits import MAX_BYTES  # noqa: PLC0415
    from maverik_backend.services.knowledge import Owner, Upload, add_document, sniff  # noqa: PLC0415

    app = resources()
    app.knowledge.prepare()  # the shipped collection is known, and refused, from the first command on
    owner = Owner(assistant=assistant)
    for path in files:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        upload = Upload(content=content, title=path.stem, file_name=path.name)
        try:
            media_type = sniff(upload)
            with app.database.transaction() as db:
                added = add_document(
                    db, upload, media_type=media_type, owner=owner, slug=_slug(collection), keyring=app.keyring
                )
        except InvalidInput as error:
            raise SettingsError([f"{path}: {field.message}" for field in error.fields]) from None
        except ReadOnly:
            raise SettingsError([_SHIPPED]) from None
        click.echo(f"{added.id}\t{added.state}\t{path.name}")


@documents.command("list")
@_collection
@_assistant
@plain_errors
def list_documents(collection: str, assistant: str | None) -> None:
    """Show the documents of COLLECTION with how far they have come."""
    from maverik_backend.services.knowledge import Owner, get_owned  # noqa: PLC0415

    with resources().database.transaction() as db:
        found = get_owned(db, owner=Owner(assistant=assistant), slug=_slug(collection))
    if not found:
        click.echo("There are no such documents.")
        return
    click.echo("\t".join(HEADER))
    for one in found:
        pages = "-" if one.pages is None else f"{one.pages_done}/{one.pages}"
        columns = (one.id, one.state, one.media_type, one.size_bytes, pages, one.passages, one.title, one.error or "-")
        click.echo("\t".join(map(str, columns)))


@documents.command("remove")
@_collection
@click.argument("ids", type=click.IntRange(1, 2**63 - 1), nargs=-1, required=True, metavar="ID...")
@_assistant
@plain_errors
def remove_documents(collection: str, ids: tuple[int, ...], assistant: str | None) -> None:
    """Remove documents of COLLECTION, with everything that was read of them."""
    from maverik_backend.services.knowledge import Owner, remove_owned  # noqa: PLC0415

    try:
        with resources().database.transaction() as db:
            removed = remove_owned(db, owner=Owner(assistant=assistant), slug=_slug(collection), document_ids=ids)
    except ReadOnly:
        raise SettingsError([_SHIPPED]) from None
    click.echo(f"{len(removed)} documents removed.")
    if left := sorted(set(ids) - set(removed)):
        raise SettingsError([f"Not {', '.join(map(str, left))}: there is no such document in {collection}."])


def _slug(collection: str) -> str:
    import re  # noqa: PLC0415

    from maverik_backend.schemas.documents import MAX_SLUG_CHARS, SLUG  # noqa: PLC0415

    if len(collection) > MAX_SLUG_CHARS or not re.fullmatch(SLUG, collection):
        raise SettingsError(["COLLECTION is lower-case letters, digits and hyphens, 64 at most."])
    return collection
