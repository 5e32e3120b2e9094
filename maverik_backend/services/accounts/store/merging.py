"""Two accounts becoming one, on the tables of any release: they are asked of the database instead of the models."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from maverik_backend.models import EventoSeguridad, SegundoFactor

# Columns that say whose a row is, in any release, and what becomes of the rows in a merge. What lets a client in as the
# account that goes must not let it in as the one that stays; consumption is added to that of the one that stays.
MOVED = {
    "sesion_asesoria": "usuario_id",
    "conversacion": "principal_id",
    "trabajo": "principal_id",
    "coleccion": "principal_id",
    "evento_seguridad": "usuario_id",
}
ENDED = {
    "consumo": "principal_id",
    "reserva_consumo": "principal_id",
    "inicio_sesion": "usuario_id",
    "enlace_clave": "usuario_id",
    "pedido_idempotente": "usuario_id",
    "segundo_factor": "usuario_id",
    "codigo_recuperacion": "usuario_id",
}

_AMOUNTS = (
    "pedidos",
    "tokens_entrada",
    "tokens_reutilizados",
    "tokens_salida",
    "tokens_razonamiento",
    "costo_microusd",
)
_ADD_CONSUMPTION = f"""
    INSERT INTO consumo AS kept (principal_id, dia, asistente, modelo, {", ".join(_AMOUNTS)})
    SELECT :keep, dia, asistente, modelo, {", ".join(_AMOUNTS)} FROM consumo WHERE principal_id = :drop
    ON CONFLICT (principal_id, dia, asistente, modelo) DO UPDATE
    SET {", ".join(f"{amount} = kept.{amount} + excluded.{amount}" for amount in _AMOUNTS)}, fecha_actualizacion = now()
"""  # noqa: S608 - constants

# Both may have a collection of the same slug.
_RENAME_COLLECTIONS = """
    UPDATE coleccion SET slug = slug || '-' || id WHERE principal_id = :drop
    AND slug IN (SELECT slug FROM coleccion WHERE principal_id = :keep)
"""


def get_email(db: Connection, *, user_id: int) -> str | None:
    """The account's address."""
    email: str | None = db.scalar(text("SELECT email FROM usuario WHERE id = :id"), {"id": user_id})
    return email


def count_sessions(db: Connection, *, user_id: int) -> int:
    """How many advisory sessions the account has."""
    return db.scalar(text("SELECT count(*) FROM sesion_asesoria WHERE usuario_id = :id"), {"id": user_id}) or 0


def lock_emails(db: Connection, *user_ids: int) -> dict[int, str]:
    """The addresses of the accounts by their ids; their rows are locked."""
    query = text("SELECT id, email FROM usuario WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
    return {row.id: row.email for row in db.execute(query, {"ids": list(user_ids)})}


def has_second_factors(db: Connection) -> bool:
    """Whether this release has them."""
    return SegundoFactor.__tablename__ in _tables(db)


def has_events(db: Connection) -> bool:
    """Whether this release records them."""
    return EventoSeguridad.__tablename__ in _tables(db)


def move(db: Connection, *, keep: int, drop: int) -> int:
    """Give ``keep`` what ``drop`` owns, end what lets in as ``drop``, and delete it; how many sessions moved."""
    both, tables = {"keep": keep, "drop": drop}, _tables(db)
    if "coleccion" in tables:
        db.execute(text(_RENAME_COLLECTIONS), both)
    if "consumo" in tables:
        db.execute(text(_ADD_CONSUMPTION), both)
    moved = {
        table: db.execute(
            text(f"UPDATE {table} SET {column} = :keep WHERE {column} = :drop RETURNING id"),  # noqa: S608 - ours
            both,
        ).all()
        for table, column in MOVED.items()
        if table in tables
    }
    for table, column in ENDED.items():
        if table in tables:
            db.execute(text(f"DELETE FROM {table} WHERE {column} = :drop"), {"drop": drop})  # noqa: S608 - ours
    db.execute(text("DELETE FROM usuario WHERE id = :drop"), {"drop": drop})
    return len(moved["sesion_asesoria"])


def _tables(db: Connection) -> set[str]:
    return set(inspect(db).get_table_names())
