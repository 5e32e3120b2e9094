"""The catalogues' SQL."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, literal, select, union_all

from maverik_backend.models import CATALOGS

Options = Mapping[int, str]
"""The texts of a catalogue by id, in order of id."""

_ALL = union_all(
    *(select(literal(model.__tablename__).label("catalog"), model.id, model.desc) for model in CATALOGS)
).order_by("catalog", "id")


def get_options(db: Connection) -> Mapping[str, Options]:
    """Every catalogue by the name of its table, in one query."""
    options: dict[str, dict[int, str]] = {model.__tablename__: {} for model in CATALOGS}
    for catalog, option_id, text in db.execute(_ALL):
        options[catalog][option_id] = text
    return options
