"""The questionnaire's catalogues. Their ids are a contract: frontends have them hard-coded."""

from __future__ import annotations

from sqlalchemy import Identity, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from maverik_backend.models.base import Base


class Catalogo:
    """One row is one possible answer; ``desc`` is the text that people choose."""

    __tablename__: str

    id: Mapped[int] = mapped_column(SmallInteger, Identity(), primary_key=True)
    desc: Mapped[str] = mapped_column(String(500))


class NivelEducativo(Catalogo, Base):
    __tablename__ = "nivel_educativo"


class ConocimientoAltInversion(Catalogo, Base):
    __tablename__ = "conocimiento_alt_inversion"


class ExperienciaInvirtiendo(Catalogo, Base):
    __tablename__ = "experiencia_invirtiendo"


class PorcentajeAhorroMensual(Catalogo, Base):
    __tablename__ = "porcentaje_ahorro_mensual"


class PorcentajeAhorroInvertir(Catalogo, Base):
    __tablename__ = "porcentaje_ahorro_invertir"


class TiempoMantenerInversion(Catalogo, Base):
    __tablename__ = "tiempo_mantener_inversion"


class BuscaInvertirEn(Catalogo, Base):
    __tablename__ = "busca_invertir_en"


class ProporcionInversionMantener(Catalogo, Base):
    __tablename__ = "proporcion_inversion_mantener"


class ToleranciaAlRiesgo(Catalogo, Base):
    __tablename__ = "tolerancia_al_riesgo"


class Objetivo(Catalogo, Base):
    __tablename__ = "objetivo"


class PropositoSesion(Catalogo, Base):
    __tablename__ = "proposito_sesion"


CATALOGS: tuple[type[Catalogo], ...] = (
    NivelEducativo,
    ConocimientoAltInversion,
    ExperienciaInvirtiendo,
    PorcentajeAhorroMensual,
    PorcentajeAhorroInvertir,
    TiempoMantenerInversion,
    BuscaInvertirEn,
    ProporcionInversionMantener,
    ToleranciaAlRiesgo,
    Objetivo,
    PropositoSesion,
)
