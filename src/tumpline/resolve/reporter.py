"""What a resolution tells of itself while it runs; a command shows it, tests listen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.version import Version

    from tumpline.values import Name

__all__ = ["Reporter"]


class Reporter:
    """Hears of every step, and does nothing: subclasses override what they want to know.

    The calls come in the order of the steps, from the thread of the resolution, and must be quick: a hard resolution
    makes tens of thousands.
    """

    def searching(self, number: int) -> None:
        """Hear that a search starts; the first is number 1. It starts again where an index has more versions."""

    def diverging(self) -> None:
        """Hear that no answer has one version of everything: the fewest packages that must differ are looked for."""

    def trying(self, name: Name, version: Version, targets: tuple[str, ...]) -> None:
        """Hear that a version is chosen, for these targets, until a conflict may undo it."""

    def unusable(self, name: Name, version: Version, reason: str) -> None:
        """Hear that a version is passed over since it can not be used at all, such as for its metadata."""

    def conflict(self, names: Iterable[Name]) -> None:
        """Hear that what was chosen can not hold together, and of which packages."""
