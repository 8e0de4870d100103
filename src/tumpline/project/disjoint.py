"""Whether two ranges of versions exclude one another."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.specifiers import SpecifierSet
from packaging.version import Version

__all__ = ["exclude_one_another"]

_EXTREMES = ("0.dev0", "999999")


def exclude_one_another(one: SpecifierSet, other: SpecifierSet) -> bool:
    """Say whether no version satisfies both.

    Tried are the versions that are named, and those right behind them: ranges that have anything in common have one of
    these. (`packaging` answers this itself since a version that is newer than the oldest one that serves here.)
    """
    both = one & other
    return not any(both.contains(version, prereleases=True) for version in _telling(both))


def _telling(specifiers: SpecifierSet) -> Iterator[str]:
    yield from _EXTREMES
    for clause in specifiers:
        named = clause.version.removesuffix(".*")
        yield named
        if clause.operator == "===":
            continue
        version = Version(named)
        epoch = f"{version.epoch}!" if version.epoch else ""
        release = ".".join(map(str, version.release))
        yield from (f"{epoch}{release}", f"{version.public}.post0" if version.post is None else f"{epoch}{release}.0.1")
        yield from (f"{epoch}{release}.dev0", f"{epoch}{release}.0.0.0.1", f"{epoch}{release}.999999")
        if version.release[-1]:
            below = (*version.release[:-1], version.release[-1] - 1)
            yield f"{epoch}{'.'.join(map(str, below))}.999999"
        # Right behind a prefix that is excluded.
        above = (*version.release[:-1], version.release[-1] + 1)
        yield f"{epoch}{'.'.join(map(str, above))}"
