"""Create the tables that every installation stands on.

The state of the installations from before this repository, to the letter: keys in clear, no unique address, texts of
8,000 characters, times without a zone. Never edit it; later revisions carry it forward.

Revision ID: 0b2e5472511d
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0b2e5472511d"
down_revision = None
branch_labels = None
depends_on = None

# In order of id; the ids are a contract with frontends.
CATALOGS: dict[str, tuple[str, ...]] = {
    "nivel_educativo": ("Primaria", "Secundaria", "Superior"),
    "conocimiento_alt_inversion": ("Nulo", "Poco", "Minimo", "Intermedio", "Experto"),
    "experiencia_invirtiendo": ("Ninguna", "Minima", "Intermedia", "Avanzada", "Experto"),
    "porcentaje_ahorro_mensual": ("Hasta el 10%", "Hasta el 25%", "Hasta el 50%", "Hasta el 75%"),
    "porcentaje_ahorro_invertir": ("Hasta el 10%", "Hasta el 25%", "Hasta el 50%", "Hasta el 75%"),
    "tiempo_mantener_inversion": (
        "Menos de 1 año",
        "Entre 1 y 5 años",
        "Entre 5 y 10 años",
        "Más de 10 años",
    ),
    "busca_invertir_en": (
        "Mantener el valor de mis ahorros",
        "Ganarle a la inflación",
        "Obtener rendimientos entre la tasa de inflación y hasta 5% más que la misma",
        "Obtener rendimientos mayores a 5% sobre la tasa de inflación, aún si eso implica asumir mayores riesgos",
    ),
    "proporcion_inversion_mantener": (
        "Me retiro inmediatamente (vendo el total)",
        "Rescato parte de la inversión y el resto lo asigno a productos de menor riesgo",
        (
            "Mi estrategia no varía, ya creo que para obtener rentabilidades superiores, existe la posibilidad de que "
            "hayan rentabilidades negativas (mantengo el total)"
        ),
        "Obtener rendimientos mayores a 5% sobre la tasa de inflación, aún si eso implica asumir mayores riesgos",
    ),
    "tolerancia_al_riesgo": ("baja", "media", "alta"),
    "objetivo": (
        "Comprar una casa o un departamento",
        "Comprar un vehículo",
        "Crear un fondo para estudios universitarios (propios o de un familiar)",
        "Crear un fondo para el retiro jubilatorio",
        "Preservar el valor de los ahorros en el tiempo",
        "Ahorrar para realizar un viaje",
        "Generar un fondo para iniciar un emprendimiento",
    ),
    "proposito_sesion": (
        "Fortalecer mis conocimientos financieros",
        "Buscar asistencia para lograr un objetivo personal",
        "Obtener información de los mercados y realizar investigación financiera",
    ),
}

PROFILE_CATALOGS = (
    "conocimiento_alt_inversion",
    "experiencia_invirtiendo",
    "porcentaje_ahorro_mensual",
    "porcentaje_ahorro_invertir",
    "tiempo_mantener_inversion",
    "busca_invertir_en",
    "proporcion_inversion_mantener",
)


def upgrade() -> None:
    for name, texts in CATALOGS.items():
        _create_catalog(name, texts)
    _create_usuario()
    _create_sesion_asesoria()
    op.create_table(
        "sesion_asesoria_detalle",
        _big_id(),
        sa.Column("sesion_asesoria_id", sa.BigInteger, nullable=False),
        sa.Column("texto_usuario", sa.String(8000), nullable=False),
        sa.Column("texto_sistema", sa.String(8000), nullable=False),
        _foreign_key("sesion_asesoria_detalle", "sesion_asesoria"),
    )


def downgrade() -> None:
    for table in ("sesion_asesoria_detalle", "sesion_asesoria", "usuario", *reversed(CATALOGS)):
        op.drop_table(table)


def _create_catalog(name: str, texts: tuple[str, ...]) -> None:
    table = op.create_table(
        name,
        sa.Column("id", sa.SmallInteger, sa.Identity(), primary_key=True),
        sa.Column("desc", sa.String(500), nullable=False),
    )
    # One statement a row, so that the identity counts in this order.
    for text in texts:
        op.execute(table.insert().values(desc=text))


def _create_usuario() -> None:
    op.create_table(
        "usuario",
        _big_id(),
        sa.Column("email", sa.String(500), nullable=False),
        sa.Column("clave", sa.String(500), nullable=False),
        sa.Column("fecha_nacimiento", sa.Date),
        sa.Column("nivel_educativo_id", sa.SmallInteger),
        *(
            sa.Column(f"{name}_id", sa.SmallInteger, nullable=False, server_default=sa.text("1"))
            for name in PROFILE_CATALOGS
        ),
        sa.Column("fecha_creacion", sa.DateTime, server_default=sa.func.now()),
        sa.Column("fecha_actualizacion", sa.DateTime, server_default=sa.func.now()),
        *(_foreign_key("usuario", name) for name in ("nivel_educativo", *PROFILE_CATALOGS)),
    )


def _create_sesion_asesoria() -> None:
    op.create_table(
        "sesion_asesoria",
        _big_id(),
        sa.Column("proposito_sesion_id", sa.BigInteger, server_default=sa.text("1")),
        sa.Column("objetivo_id", sa.BigInteger),
        sa.Column("usuario_id", sa.BigInteger, nullable=False),
        sa.Column("capital_inicial", sa.Numeric),
        sa.Column("horizonte_temporal", sa.SmallInteger),
        sa.Column("tolerancia_al_riesgo_id", sa.SmallInteger),
        sa.Column("fecha_creacion", sa.DateTime, server_default=sa.func.now()),
        *(
            _foreign_key("sesion_asesoria", name)
            for name in ("proposito_sesion", "objetivo", "usuario", "tolerancia_al_riesgo")
        ),
    )


def _big_id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)


def _foreign_key(table: str, referenced: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([f"{referenced}_id"], [f"{referenced}.id"], name=f"fk_{table}_{referenced}")
