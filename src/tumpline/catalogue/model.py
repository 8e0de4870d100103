"""What a catalogue holds, as values, and the questions it answers.

Named tuples rather than dataclasses, whose import takes as long as a search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from tumpline.sites import Dummy, ModulePackage
    from tumpline.values import Name

__all__ = ["CatalogueInfo", "CatalogueReader", "Grade", "Wheel"]

Grade = Literal["scanned", "listed"]


class Wheel(NamedTuple):
    """One wheel of a wheelhouse, or (grade ``listed``) one row of a public list.

    `version` carries its local part as spelled in the file name. A listed wheel has no layer, file, tags or
    record, and says in `pythons` (``("3.11", "3.12")``) what it is listed for; a scanned one says it by its `tags`.
    `requires_dist` is None where METADATA was not read. `record` is the sha256 of RECORD in hexadecimal: it
    pins every file of the wheel at the cost of reading its tail. `size` is in bytes.
    """

    name: Name
    version: str
    layer: str = ""
    file: str = ""
    build: str = ""
    tags: str = ""
    pythons: tuple[str, ...] = ()
    size: int | None = None
    requires_dist: tuple[str, ...] | None = None
    requires_python: str = ""
    extras: tuple[str, ...] = ()
    record: str = ""


class CatalogueInfo(NamedTuple):
    """Where a catalogue comes from: `identity` is a digest of its content, `date` an ISO day."""

    site: str
    grade: Grade
    date: str
    identity: str
    made_by: str
    layers: tuple[str, ...]
    sources: tuple[str, ...]
    wheels: int
    projects: int


class CatalogueReader(Protocol):
    """The questions a resolution asks of a catalogue. Answers are in a fixed order (R14)."""

    @property
    def info(self) -> CatalogueInfo:
        """Grade, date and identity."""
        ...

    def wheels(self, name: Name) -> tuple[Wheel, ...]:
        """All wheels of a project in all layers; dummies are not among them (R5)."""
        ...

    def dummy(self, name: Name) -> Dummy | None:
        """Say whether the name exists only as a dummy, and for which module."""
        ...

    def modules_for(self, name: Name) -> tuple[ModulePackage, ...]:
        """Every module version, for every Python and software environment, that provides the name."""
        ...
