"""The catalogue: everything a site offers - wheels, dummies, module packages, Pythons - in one SQLite file."""

from tumpline.catalogue.model import CatalogueInfo, CatalogueReader, Grade, Wheel

__all__ = ["CatalogueInfo", "CatalogueReader", "Grade", "Wheel"]
