"""How near versions are to those of other targets, where they can not be the same (R12)."""

from __future__ import annotations

from collections.abc import Sequence

from tumpline.resolve.table import Table

__all__ = ["nearest"]


def nearest(table: Table, allowed: int, others: Sequence[int]) -> int:
    """Return those of the allowed versions (bits) that are nearest to what other targets may have, a set for each.

    A version is as far from a set as from the nearest of it: 0 where it is one of them, 1 for the same minor version, 2
    for the same major version, else 3. What counts is the sum over all targets; it takes a few operations on whole sets
    for each target.
    """
    levels = [allowed]
    for other in others:
        minor, major = table.around(other, 2), table.around(other, 1)
        rings = (other, minor & ~other, major & ~minor, ~major)
        further = [0] * (len(levels) + len(rings) - 1)
        for distance, held in enumerate(levels):
            for step, ring in enumerate(rings):
                further[distance + step] |= held & ring
        levels = further
    return next(level for level in levels if level)
