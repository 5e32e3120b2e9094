"""The questionnaire's catalogues: read once a process, and asked for texts and valid ids."""

from maverik_backend.services.catalogs.catalogs import CatalogCache, Catalogs

__all__ = ["CatalogCache", "Catalogs"]
