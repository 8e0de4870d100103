"""The versions of one package, numbered once for all targets, and what each of them can get of them, as bits."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from packaging.version import Version

from tumpline.addresses import Addressed
from tumpline.catalogue import Wheel
from tumpline.index import ProjectPage
from tumpline.resolve.offer import Offer
from tumpline.sites import ModulePackage
from tumpline.values import Name, parse_specifier

__all__ = ["Table"]


@dataclass(slots=True)
class Table:
    """The versions of one package, oldest first: version i is bit i+1.

    By target: `available` is what it can get, `fallback` those of them that it would have to take from an index
    although its wheelhouse comes first (R3). `whole` says whether the index was consulted wherever policies allow it.
    `masks`, `series` and `offers` remember answers: by specifier set; by how many release numbers count; by target and
    version.
    """

    name: Name
    versions: tuple[Version, ...]
    available: tuple[int, ...]
    fallback: tuple[int, ...]
    prereleases: int
    whole: bool
    page: ProjectPage | None
    wheels: tuple[Mapping[Version, Wheel], ...]
    modules: tuple[Mapping[Version, ModulePackage], ...]
    addressed: tuple[Mapping[Version, Addressed], ...]
    releases: tuple[Mapping[Version, int], ...]
    masks: dict[str, int] = field(default_factory=dict)
    series: dict[int, list[int]] = field(default_factory=dict)
    offers: dict[tuple[int, int], Offer] = field(default_factory=dict)

    def from_wheelhouse(self, place: int) -> int:
        """Return the versions that a target takes from its wheelhouse."""
        return self._bits(set(self.wheels[place]).difference(self.modules[place]))

    def from_index(self, place: int) -> int:
        """Return the versions that a target takes from an index."""
        return self._bits(set(self.releases[place]).difference(self.wheels[place], self.modules[place]))

    def _bits(self, versions: Set[Version]) -> int:
        return sum(2 << position for position, version in enumerate(self.versions) if version in versions)

    def matching(self, specifier: str) -> int:
        """Return the versions that satisfy a specifier set, compared as public versions (R1)."""
        try:
            return self.masks[specifier]
        except KeyError:
            accepted = set(parse_specifier(specifier).filter(self.versions, prereleases=True))
            mask = 0
            for place, version in enumerate(self.versions):
                if version in accepted:
                    mask |= 2 << place
            self.masks[specifier] = mask
            return mask

    def around(self, versions: int, numbers: int) -> int:
        """Return all versions that agree with one of these in the epoch and in so many release numbers, at most two."""
        if numbers not in self.series:
            found: dict[tuple[int, ...], int] = {}
            for place, version in enumerate(self.versions):
                key = (version.epoch, version.major, version.minor)[: numbers + 1]
                found[key] = found.get(key, 0) | 2 << place
            self.series[numbers] = list(found.values())
        around = 0
        for series in self.series[numbers]:
            if series & versions:
                around |= series
        return around
