"""A whole catalogue in memory, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from tumpline.catalogue.reading import Needs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tumpline.catalogue.model import Grade
    from tumpline.sites import Dummy, ModulePackage
    from tumpline.values import Name

__all__ = ["Content", "Depth", "FileNote", "ModuleEvidence", "ModuleNote", "Needs", "NoteKind", "View", "WheelRow"]

Depth = Literal["names", "metadata"]
"""What was read of the wheels: their file names alone, or METADATA and RECORD as well."""

NoteKind = Literal["stray", "dummy", "unreadable", "refused"]
"""Why a file is no wheel of the catalogue: it is none; a dummy (R5); the system can not read it; it is a bad wheel."""

ModuleEvidence = Literal["read", "stated", "table"]
"""How it is known what a module brings: its folders were read; its module file states it; the site's profile does."""


class WheelRow(NamedTuple):
    """One wheel.

    `spelling` is the project's name as the file name has it. `needs` is None and `record` (a sha256) empty where
    the wheel was not read; `pythons` are minor versions, given by lists only. `size` is in bytes.
    """

    name: Name
    version: str
    layer: str = ""
    tags: str = ""
    build: str = ""
    spelling: str = ""
    pythons: tuple[str, ...] = ()
    size: int | None = None
    mtime_ns: int = 0
    needs: Needs | None = None
    record: bytes = b""

    @property
    def file(self) -> str:
        """The file name; empty for a row of a list."""
        if not self.tags:
            return ""
        return "-".join([self.spelling, self.version, *([self.build] if self.build else []), self.tags]) + ".whl"


class FileNote(NamedTuple):
    """A file of a layer that is not offered as a wheel, and why: an error code and a few words."""

    layer: str
    file: str
    kind: NoteKind
    code: str
    why: str
    size: int = 0
    mtime_ns: int = 0


class View(NamedTuple):
    """Which layers one site sees with a software environment on a CPU level, best first."""

    site: str
    environment: str
    level: str
    layers: tuple[str, ...]


class ModuleNote(NamedTuple):
    """How it is known what a module brings, and `needs`: what has to be loaded between ``StdEnv`` and it."""

    environment: str
    module: str
    version: str
    evidence: ModuleEvidence
    needs: tuple[str, ...] = ()


class Content(NamedTuple):
    """Everything a catalogue file holds.

    `layers` are in the site's order; `pythons` are (software environment, exact version). A module without a note is
    known from the site's profile. `views` are those of all sites that share the catalogue, for each site the default
    software environment first. `fingerprint` tells whether a scan would read anything new; it is empty for a list.
    """

    site: str
    grade: Grade
    date: str
    made_by: str
    sources: tuple[str, ...]
    layers: tuple[str, ...]
    wheels: Sequence[WheelRow]
    dummies: tuple[Dummy, ...]
    modules: tuple[ModulePackage, ...]
    pythons: tuple[tuple[str, str], ...]
    notes: Sequence[FileNote] = ()
    module_notes: Sequence[ModuleNote] = ()
    depth: Depth = "names"
    fingerprint: str = ""
    views: tuple[View, ...] = ()
