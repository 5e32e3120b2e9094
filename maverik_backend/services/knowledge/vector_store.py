"""SQL of vectors. Everything here works with pgvector alone, and does nothing without it.

The extension may stand in another schema than our tables, so its types and operators are named with theirs. Names of
models become small numbers (``modelo_vectores``), which statements hold as literals: a partial index is used only by a
statement that repeats its condition.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError

from maverik_backend.errors import DatabaseUnavailable
from maverik_backend.models import ModeloVectores, PasajeVector

_log = structlog.get_logger(__name__)

_EXTENSION = text("""
    SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'vector'
""")
_MISSING = text("""
    SELECT p.id, d.titulo AS title, p.ruta AS headings, p.texto AS text
    FROM documento_pasaje p JOIN documento d ON d.id = p.documento_id
    WHERE p.id > :after AND NOT EXISTS (
        SELECT FROM pasaje_vector v JOIN modelo_vectores m ON m.id = v.modelo_id
        WHERE v.pasaje_id = p.id AND m.nombre = :model
    ) ORDER BY p.id LIMIT :limit
""")
_ADD = text("""
    INSERT INTO pasaje_vector (pasaje_id, coleccion_id, modelo_id, es_compartido, valores)
    SELECT p.id, p.coleccion_id, :model_id, c.principal_id IS NULL, row.numbers
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row(id bigint, numbers real[])
    JOIN documento_pasaje p ON p.id = row.id JOIN coleccion c ON c.id = p.coleccion_id
    FOR KEY SHARE OF p
    ON CONFLICT DO NOTHING
""")
# HNSW goes on until it has enough rows of the collections that are meant, in the order of their distance (pgvector,
# "Iterative Index Scans").
_TUNE = text(
    "SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '100', true)"
)
_NEAREST = """
    SELECT found.id FROM (
        (SELECT v.pasaje_id AS id, {distance} AS distance FROM pasaje_vector v
         WHERE v.es_compartido AND v.modelo_id = {model_id} AND v.coleccion_id = ANY(:shared) ORDER BY 2 LIMIT :limit)
        UNION ALL
        (SELECT v.pasaje_id, {distance} FROM pasaje_vector v
         WHERE v.coleccion_id = ANY(:own) AND v.modelo_id = {model_id} ORDER BY 2 LIMIT :limit)
    ) AS found ORDER BY found.distance, found.id LIMIT :limit
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unembedded:
    """A passage that has no vector of a model yet, with what is embedded of it."""

    id: int
    text: str


def extension_schema(db: Connection) -> str | None:
    """The schema that pgvector is in, quoted; ``None`` where the extension is not made."""
    schema: str | None = db.scalar(_EXTENSION)
    return schema


def get_missing(db: Connection, *, model: str, after: int, limit: int) -> list[Unembedded]:
    """The next passages by id that have no vector of ``model``."""
    rows = db.execute(_MISSING, {"model": model, "after": after, "limit": limit})
    return [Unembedded(id=row.id, text="\n".join([row.title, *row.headings, row.text])) for row in rows]


def add(db: Connection, *, model: str, schema: str, vectors: Sequence[tuple[int, Sequence[float]]]) -> None:
    """Store vectors, each with the id of its passage; those of passages that were removed meanwhile are left out."""
    model_id = _model_id(db, model=model, dimensions=len(vectors[0][1]), schema=schema)
    rows = [{"id": passage_id, "numbers": list(numbers)} for passage_id, numbers in vectors]
    db.execute(_ADD, {"model_id": model_id, "rows": json.dumps(rows)})


def nearest(
    db: Connection, *, model: str, vector: Sequence[float], shared: Sequence[int], own: Sequence[int], limit: int
) -> list[int]:
    """The ids of the passages whose vectors are closest by cosine: of ``shared`` by index, of ``own`` one by one."""
    schema = extension_schema(db)
    model_id = _find_model(db, model=model, dimensions=len(vector))
    if schema is None or model_id is None:
        return []
    db.execute(_TUNE)
    kind = f"{schema}.halfvec({len(vector)})"
    distance = f"CAST(v.valores AS {kind}) OPERATOR({schema}.<=>) CAST(CAST(:vector AS text) AS {kind})"
    statement = text(_NEAREST.format(distance=distance, model_id=model_id))
    values = {"vector": json.dumps(list(vector)), "shared": list(shared), "own": list(own), "limit": limit}
    return list(db.scalars(statement, values))


def remove_other_models(db: Connection, *, model: str) -> int:
    """Delete the vectors, and indexes, of all models but this one; how many models there were."""
    others = list(db.scalars(select(ModeloVectores.id).where(ModeloVectores.nombre != model)))
    if others:
        db.execute(delete(PasajeVector).where(PasajeVector.modelo_id.in_(others)))
        db.execute(delete(ModeloVectores).where(ModeloVectores.id.in_(others)))
        for model_id in others:
            _try(db, f"DROP INDEX IF EXISTS {_index(model_id)}")
    return len(others)


def _find_model(db: Connection, *, model: str, dimensions: int) -> int | None:
    query = select(ModeloVectores.id).where(ModeloVectores.nombre == model, ModeloVectores.dimensiones == dimensions)
    return db.scalar(query)


def _model_id(db: Connection, *, model: str, dimensions: int, schema: str) -> int:
    """The number of a model; with a new one comes its index, over no rows yet."""
    known = _find_model(db, model=model, dimensions=dimensions)
    if known is not None:  # looked up first: an INSERT that changes nothing takes a number all the same
        return known
    added = upsert(ModeloVectores).values(nombre=model, dimensiones=dimensions).on_conflict_do_nothing()
    model_id: int | None = db.scalar(added.returning(ModeloVectores.id))
    if model_id is None:  # another transaction has just added it: the next attempt finds it
        raise DatabaseUnavailable("a model of vectors is being changed")
    _try(
        db,
        f"CREATE INDEX IF NOT EXISTS {_index(model_id)} ON pasaje_vector USING hnsw "
        f"((CAST(valores AS {schema}.halfvec({dimensions}))) {schema}.halfvec_cosine_ops) "
        f"WHERE es_compartido AND modelo_id = {model_id}",
    )
    return model_id


def _index(model_id: int) -> str:
    return f"ix_pasaje_vector_hnsw_{model_id}"


def _try(db: Connection, statement: str) -> None:
    """Change an index where this role may; searches work without it, more slowly."""
    try:
        with db.begin_nested():
            db.execute(text(statement))
    except DBAPIError as error:
        _log.warning(
            "vector_index_not_changed", statement=statement.split(" ON ", maxsplit=1)[0], kind=type(error.orig).__name__
        )
