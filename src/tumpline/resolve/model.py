"""A resolution, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.version import Version

    from tumpline.resolve.offer import Offer
    from tumpline.resolve.target import Target
    from tumpline.values import Name

__all__ = ["Choice", "Resolution", "Resolved", "Statistics"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What one target gets of a package. `requires` are the names it needs there, sorted."""

    target: str
    offer: Offer
    requires: tuple[Name, ...]
    approximate: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """One package: its public version, and a choice for each target that needs it, in the targets' order.

    Where targets diverge, `version` is the one that most of them have, and `divergence` says why not all have it.
    """

    name: Name
    version: Version
    choices: tuple[Choice, ...]
    divergence: str = ""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a search took: `searches` counts the runs (more than one where an index had to add versions, or where
    targets diverge)."""

    searches: int
    decisions: int
    conflicts: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """One version per package for all targets, but for those that diverge; packages are sorted by name (R14).

    `left_out` are requirements of the project itself that the site's CUDA stands for: (target, requirement).
    `unknown_extras` are extras that the project asks for and what is chosen does not have: (name, extra, version).
    """

    targets: tuple[Target, ...]
    roots: tuple[Name, ...]
    packages: tuple[Resolved, ...]
    statistics: Statistics
    left_out: tuple[tuple[str, str], ...] = ()
    unknown_extras: tuple[tuple[Name, Name, Version], ...] = ()

    @property
    def diverging(self) -> tuple[Resolved, ...]:
        """The packages that are not the same version on all targets that need them."""
        return tuple(package for package in self.packages if package.divergence)
