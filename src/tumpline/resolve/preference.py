"""Which version of a node is tried first: one to keep (R13), else the best of what may be had (R3, R12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.version import Version

from tumpline.project import VersionOrder
from tumpline.resolve.nearness import nearest
from tumpline.resolve.nodes import Node, highest, places_of
from tumpline.resolve.offers import OfferBook
from tumpline.resolve.table import Table
from tumpline.values import Name

__all__ = ["Preference"]


class Preference:
    """The order in which versions are tried.

    `preferred` are versions to keep where they still fit, by target and name; `order` says which of the others go
    first. What the project itself names is added to `direct` when it is known.
    """

    def __init__(self, book: OfferBook, preferred: Mapping[tuple[str, Name], Version], order: VersionOrder) -> None:
        self._book = book
        self._preferred = preferred
        self._order = order
        self.direct: set[Name] = set()

    def best(self, node: Node, table: Table, allowed: int, others: Sequence[int] = ()) -> int:
        """Return the version to try first of those allowed, of which there are some.

        `others` are what each of the other targets may have, where the package is not the same on all: of equally good
        versions those that are nearest to them all go first.
        """
        if kept := self.kept(node, table) & allowed:
            return highest(kept)
        # A pre-release only where no final release is left (version specifiers specification, "Handling of
        # pre-releases"). Looked at here, among all that still fits, and not specifier by specifier: that
        # would rule out answers in which several packages ask for the same one.
        final = allowed & ~table.prereleases
        best = self._least_fallback(table, node.targets, final or allowed)
        if others:
            best = nearest(table, best, others)
        lowest = self._order == "lowest" or (self._order == "lowest-direct" and node.name in self.direct)
        return best & -best if lowest else highest(best)

    def kept(self, node: Node, table: Table) -> int:
        """Return the versions to keep, as bits."""
        kept = 0
        for version in self.versions(node):
            kept |= table.matching(f"=={version}")
        return kept

    def versions(self, node: Node) -> set[Version]:
        """Return the versions to keep, also those that no target has any more."""
        targets = self._book.targets
        found = (self._preferred.get((targets[place].name, node.name)) for place in places_of(node.targets))
        return {version for version in found if version is not None}

    @staticmethod
    def _least_fallback(table: Table, targets: int, allowed: int) -> int:
        """Keep the versions for which the fewest targets must leave their wheelhouse (R3)."""
        levels = [allowed]
        for place in places_of(targets):
            fallback = table.fallback[place]
            if fallback & allowed:
                levels.append(0)
                for count in range(len(levels) - 1, 0, -1):
                    levels[count] = (levels[count] & ~fallback) | (levels[count - 1] & fallback)
                levels[0] &= ~fallback
        return next(level for level in levels if level)
