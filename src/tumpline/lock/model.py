"""The lock as values: enough to install with no resolution, no index page and no catalogue (design 5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tumpline.addresses import PathArtefact, UrlArtefact, VcsArtefact

if TYPE_CHECKING:
    from tumpline.catalogue import Grade
    from tumpline.project import Policy, VersionOrder
    from tumpline.values import Name

__all__ = [
    "Artefact",
    "IndexArtefact",
    "Lock",
    "LockedPackage",
    "LockedTarget",
    "ModuleArtefact",
    "PathArtefact",
    "Pin",
    "Source",
    "UrlArtefact",
    "VcsArtefact",
    "WheelhouseArtefact",
]

Source = Literal["wheelhouse", "module", "pypi", "path", "url", "vcs"]
"""Where a package comes from on a target."""


@dataclass(frozen=True, slots=True)
class WheelhouseArtefact:
    """A wheel of a site's wheelhouse; where it is only ``listed``, all of this is unknown (empty, and size None)."""

    layer: str
    file: str
    record: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class IndexArtefact:
    """A file of an index: by name, size and hash, never by address."""

    index: str
    file: str
    size: int | None
    sha256: str


@dataclass(frozen=True, slots=True)
class ModuleArtefact:
    """A package that a module brings (``arrow/17.0.0``): pinned, and not installed (R6)."""

    module: str


Artefact = WheelhouseArtefact | IndexArtefact | ModuleArtefact | PathArtefact | UrlArtefact | VcsArtefact


@dataclass(frozen=True, slots=True)
class Pin:
    """What one package is on one target.

    `version` is the full version there, local part included. `requires` are the names this package needs on this
    target, sorted. `approximate` says in a few words why its dependencies are not certain (``listed: metadata
    from the index``); it is empty where they are. `divergence` is the reason why the public version differs from
    the package's.
    """

    target: str
    version: str
    artefact: Artefact
    requires: tuple[Name, ...] = ()
    approximate: str = ""
    divergence: str = ""

    @property
    def source(self) -> Source:
        """Where the package comes from on this target."""
        match self.artefact:
            case WheelhouseArtefact():
                return "wheelhouse"
            case ModuleArtefact():
                return "module"
            case IndexArtefact():
                return "pypi"
            case PathArtefact():
                return "path"
            case UrlArtefact():
                return "url"
            case VcsArtefact():
                return "vcs"

    @property
    def build(self) -> bool:
        """Whether it must be built before it can be installed (R24)."""
        match self.artefact:
            case IndexArtefact(file=file) | UrlArtefact(file=file) | PathArtefact(path=file):
                return not file.endswith(".whl")
            case VcsArtefact():
                return True
            case WheelhouseArtefact() | ModuleArtefact():
                return False


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One package: its public version, and one pin for each target that needs it, in the order of the targets."""

    name: Name
    version: str
    pins: tuple[Pin, ...]

    def pin(self, target: str) -> Pin | None:
        """Return the pin for a target, or None where the package is not needed there."""
        return next((pin for pin in self.pins if pin.target == target), None)

    @property
    def divergence(self) -> str:
        """Why the public version is not the same on all targets; empty where it is (R12)."""
        return next((pin.divergence for pin in self.pins if pin.divergence), "")


@dataclass(frozen=True, slots=True)
class LockedTarget:
    """A target in full, as the resolution saw it.

    `python` is exact (``3.11.5``) or, on a machine, the minor version; `catalogue` is the identity of the catalogue
    used (empty where the site has none) and `grade` its grade. `platform` is the newest platform tag that it takes.
    """

    name: str
    site: str
    python: str
    os: str
    machine: str
    policy: Policy
    platform: str = ""
    environment: str = ""
    cpu_level: str = ""
    modules: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    catalogue: str = ""
    catalogue_date: str = ""
    grade: Grade | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """The whole lock. Targets are in the project's order, packages sorted by name.

    `inputs` is `Project.inputs` at the time; `roots` are the names that the project itself asks for. `resolution` and
    `exclude_newer` are those of `tumpline.project.Settings`, or what the command said instead.
    """

    inputs: str
    requires_python: str
    targets: tuple[LockedTarget, ...]
    roots: tuple[Name, ...]
    packages: tuple[LockedPackage, ...]
    resolution: VersionOrder = "highest"
    exclude_newer: str = ""

    def target(self, name: str) -> LockedTarget | None:
        """Return the target of that name, or None."""
        return next((target for target in self.targets if target.name == name), None)
