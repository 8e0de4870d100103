"""The catalogue: everything a site offers - wheels, dummies, module packages, Pythons - in one SQLite file.

For people who write notebooks and tools there is `open` (``docs/reference/python.md``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tumpline.catalogue.model import CatalogueInfo, CatalogueReader, Grade, Wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tumpline.catalogue.interface import OpenCatalogue

__all__ = ["CatalogueInfo", "CatalogueReader", "Grade", "OpenCatalogue", "Wheel", "open"]


def open(path: str | Path) -> OpenCatalogue:
    """Open a catalogue's file or a snapshot, to ask it questions.

    Raises InputError where it is neither, EnvironmentFailure where it can not be read; both name the file.
    """
    from tumpline.catalogue.interface import open_path

    return open_path(path)


def __getattr__(name: str) -> object:
    """Import `OpenCatalogue` when it is first asked for: it brings SQLite along."""
    if name != "OpenCatalogue":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tumpline.catalogue.interface import OpenCatalogue

    return OpenCatalogue
