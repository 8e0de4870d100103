"""Which wheels an interpreter takes, and which it likes best (PEP 425)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.tags import Tag

__all__ = ["TagRanking"]


class TagRanking:
    """The tags an interpreter accepts, best first.

    A compressed tag set such as ``py2.py3-none-any`` is accepted when one of its combinations is; its rank is
    that of the best one (0 is the most specific). Answers are remembered, since few distinct tag sets exist.
    """

    def __init__(self, tags: Iterable[Tag]) -> None:
        self._order: dict[str, int] = {}
        for tag in tags:
            self._order.setdefault(str(tag), len(self._order))
        self._seen: dict[str, int | None] = {}

    def rank(self, tags: str) -> int | None:
        """Return the rank of a compressed tag set, or None where it is not accepted."""
        try:
            return self._seen[tags]
        except KeyError:
            ranks = [
                self._order[tag]
                for tag in map("-".join, product(*(part.split(".") for part in tags.lower().split("-"))))
                if tag in self._order
            ]
            self._seen[tags] = best = min(ranks, default=None)
            return best
