"""What a project asks for, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tumpline.project.job import JobRequest

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from tumpline.errors import Problem
    from tumpline.values import Name

__all__ = ["Declared", "PackageRule", "Parity", "Policy", "Project", "Settings", "TargetRequest", "VersionOrder"]

Policy = Literal["wheelhouse", "pypi", "mixed"]

Parity = Literal["prefer", "strict"]
"""What happens where no version fits all targets: packages diverge, each with its reason, or there is no resolution."""

VersionOrder = Literal["highest", "lowest", "lowest-direct"]
"""Which version is chosen of those that fit; ``lowest-direct``: the lowest of what the project itself asks for."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A requirement and where it is written: `origin` is ``project.dependencies[3]`` or ``requirements.txt:12``.

    `group` is empty for the main dependencies, else the name of the dependency group or extra. `targets` are the names
    of those that it is asked for on; empty for all.
    """

    requirement: Requirement
    origin: str
    group: str = ""
    targets: tuple[str, ...] = ()

    def meant_for(self, target: str) -> bool:
        """Say whether it is asked for on a target, if its marker holds there."""
        return not self.targets or target in self.targets


@dataclass(frozen=True, slots=True)
class TargetRequest:
    """One ``[tool.tumpline.targets.NAME]`` table; empty values stand for the site's defaults.

    `groups` are dependency groups and extras that are locked for this target besides `Settings.groups`.
    """

    name: str
    site: str
    python: str
    environment: str = ""
    cpu_level: str = ""
    modules: tuple[str, ...] = ()
    policy: Policy | None = None
    groups: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class PackageRule:
    """One entry of ``[tool.tumpline.packages]``: a policy for one package, and whether it may be built from source."""

    policy: Policy | None = None
    build: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """The ``[tool.tumpline]`` table; `groups` are locked for all targets.

    `constraints` limit the versions of packages that something asks for; `overrides` replace what anything asks of a
    package. `exclude_newer` is the first moment that is too late (``2026-01-02T00:00:00Z``), or empty.
    """

    policy: Policy = "mixed"
    parity: Parity = "prefer"
    groups: tuple[Name, ...] = ()
    pypi_group: str = "pypi"
    targets: tuple[TargetRequest, ...] = ()
    packages: Mapping[Name, PackageRule] = field(default_factory=dict)
    constraints: tuple[Declared, ...] = ()
    overrides: tuple[Declared, ...] = ()
    resolution: VersionOrder = "highest"
    exclude_newer: str = ""
    job: JobRequest = field(default_factory=JobRequest)


@dataclass(frozen=True, slots=True)
class Project:
    """A project as read: `requirements` are the main ones and those of `settings.groups`, markers kept.

    `name` is None for a folder that is no package (nothing to install but its requirements); `buildable` says
    whether a ``[build-system]`` or a build backend makes it installable.
    `inputs` is the sha256 (hexadecimal) of everything above that a resolution depends on (not of the file's bytes):
    it tells whether a lock is current. `notes` are remarks on what was read otherwise than it is written.
    """

    root: Path
    name: Name | None
    version: str
    requires_python: str
    requirements: tuple[Declared, ...]
    settings: Settings
    buildable: bool
    inputs: str
    notes: tuple[Problem, ...] = ()
