"""Hash the keys, make addresses unique, give times a zone.

Every plain key becomes an Argon2id hash in ``clave_hash``, so the old key goes on signing the person in. Hashing takes
about 25 ms a person and core, on purpose, so it happens in batches that are committed one by one: an upgrade that is
interrupted goes on where it stopped when it is run again. Until it has ended the old release cannot sign in those whose
key is hashed already; stop it first (docs/UPGRADING.md).

A downgrade cannot bring plain keys back, and the old release compares ``clave`` in plain text: it would take the hash
itself for the key, and sign in whoever has seen one, in a backup for instance. So the downgrade appends random text to
each, known to nobody; another upgrade takes it off again, which makes going down and up harmless.

Two accounts with one address stop the upgrade before anything is changed; nobody but an operator can tell which one
the person uses (``maverik users merge``).

Revision ID: 3f6c1a9d2b40
Revises: 0b2e5472511d
"""

from __future__ import annotations

import os
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import argon2
import sqlalchemy as sa
from alembic import context, op
from email_validator import EmailNotValidError, validate_email

from maverik_backend.invocation import own_command

revision = "3f6c1a9d2b40"
down_revision = "0b2e5472511d"
branch_labels = None
depends_on = None

USUARIO = sa.table("usuario", sa.column("id"), sa.column("email"), sa.column("clave"))
# The PHC string of an Argon2id hash, whole: a plain key that merely starts like one is still a plain key.
HASH = r"\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]{43}"
# What a downgrade appends: 244 random bits.
UNUSABLE = r"~[0-9a-f]{64}"
HASHED = rf"^{HASH}({UNUSABLE})?$"
BATCH = 500
TIMES = (
    ("usuario", "fecha_creacion"),
    ("usuario", "fecha_actualizacion"),
    ("sesion_asesoria", "fecha_creacion"),
)
ARGON2_MEMORY_KIB = 19_456
ARGON2_PASSES = 2


def upgrade() -> None:
    _refuse_shared_addresses()
    with op.get_context().autocommit_block():
        _hash_keys()
    op.get_bind().execute(
        sa.text("UPDATE usuario SET clave = left(clave, -65) WHERE clave ~ :unusable"),
        {"unusable": f"^{HASH}{UNUSABLE}$"},
    )
    op.alter_column("usuario", "clave", new_column_name="clave_hash", type_=sa.Text)
    _normalise_addresses()
    op.create_index("uq_usuario_email", "usuario", [sa.text("lower(email::text)")], unique=True)
    for table, column in TIMES:
        op.execute(f"UPDATE {table} SET {column} = now() AT TIME ZONE 'UTC' WHERE {column} IS NULL")
        op.alter_column(
            table,
            column,
            type_=sa.DateTime(timezone=True),
            nullable=False,
            postgresql_using=f"{column} AT TIME ZONE 'UTC'",
        )


def downgrade() -> None:
    for table, column in TIMES:
        # Still NOT NULL, as in the installations that exist; tables that 0b2e5472511d made here allowed NULL.
        op.alter_column(table, column, type_=sa.DateTime(), postgresql_using=f"{column} AT TIME ZONE 'UTC'")
    op.drop_index("uq_usuario_email", "usuario")
    random = "replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')"
    op.execute(f"UPDATE usuario SET clave_hash = clave_hash || '~' || {random}")
    op.alter_column("usuario", "clave_hash", new_column_name="clave", type_=sa.String(500))


def _refuse_shared_addresses() -> None:
    owners: dict[str, list[int]] = {}
    for user_id, email in _addresses():
        owners.setdefault(_normal(email), []).append(user_id)
    shared = {email: ids for email, ids in owners.items() if len(ids) > 1}
    if shared:
        lines = "\n".join(f"  {email}: users {', '.join(map(str, ids))}" for email, ids in shared.items())
        raise SystemExit(
            "Nothing was changed: these addresses belong to more than one account. Join each pair with "
            f"`{own_command('users merge KEEP DROP')}` and run this again.\n{lines}"
        )


def _normalise_addresses() -> None:
    changed = [(user_id, _normal(email)) for user_id, email in _addresses() if email != _normal(email)]
    op.get_bind().execute(
        sa.text(
            "UPDATE usuario SET email = new.email "
            "FROM unnest(CAST(:ids AS bigint[]), CAST(:emails AS text[])) AS new (id, email) WHERE usuario.id = new.id"
        ),
        {"ids": [user_id for user_id, _ in changed], "emails": [email for _, email in changed]},
    )


def _addresses() -> list[tuple[int, str]]:
    rows = op.get_bind().execute(sa.select(USUARIO.c.id, USUARIO.c.email).order_by(USUARIO.c.id))
    return [(row.id, row.email) for row in rows]


def _normal(email: str) -> str:
    """The address as signing in looks for it. Not in SQL: what ``lower`` does there depends on the server's locale."""
    bare = unicodedata.normalize("NFC", email).strip()
    with suppress(EmailNotValidError):
        bare = validate_email(bare, check_deliverability=False).normalized
    return unicodedata.normalize("NFC", bare).lower()


def _hash_keys() -> None:
    # `-x argon2_memory_kib=8` makes tests with many people quick; nobody else has a reason to set it.
    memory_kib = int(context.get_x_argument(as_dictionary=True).get("argon2_memory_kib", ARGON2_MEMORY_KIB))
    hasher = argon2.PasswordHasher(time_cost=ARGON2_PASSES, memory_cost=memory_kib, parallelism=1)
    connection = op.get_bind()
    plain = sa.not_(USUARIO.c.clave.regexp_match(HASHED))
    total = connection.scalar(sa.select(sa.func.count()).select_from(USUARIO).where(plain)) or 0
    batch = sa.select(USUARIO.c.id, USUARIO.c.clave).where(plain).order_by(USUARIO.c.id).limit(BATCH)
    done = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:  # Argon2 lets go of the interpreter lock
        while people := connection.execute(batch).all():
            # Signing in compares NFC, whatever spelling an accent was stored in.
            keys = [unicodedata.normalize("NFC", person.clave) for person in people]
            hashes = list(pool.map(hasher.hash, keys))
            _store(connection, [person.id for person in people], hashes)
            done += len(people)
            sys.stderr.write(f"hashed {done} of {total} keys\n")


def _store(connection: sa.Connection, ids: list[int], hashes: list[str]) -> None:
    """One statement a batch: all of it is committed, or none."""
    statement = sa.text(
        "UPDATE usuario SET clave = new.hash "
        "FROM unnest(CAST(:ids AS bigint[]), CAST(:hashes AS text[])) AS new (id, hash) WHERE usuario.id = new.id"
    )
    connection.execute(statement, {"ids": ids, "hashes": hashes})
