"""The versions of one package, numbered once for all targets, and what each of them can get of them, as bits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from packaging.version import Version

from tumpline.addresses import Addressed
from tumpline.catalogue import Wheel
from tumpline.index import ProjectPage
from tumpline.resolve.offer import Offer
from tumpline.resolve.solver import ABSENT
from tumpline.sites import ModulePackage
from tumpline.values import Name, parse_specifier, parse_version, public_version

__all__ = ["Table"]

_PIN = re.compile(r"==\s*([0-9.]+)")
"""A specifier set that is met by one final version; `===`, wildcards and local versions are another matter."""


@dataclass(slots=True)
class Table:
    """The versions of one package, oldest first: version i is bit i+1.

    By target: `available` is what it can get, `fallback` those of them that it would have to take from an index
    although its wheelhouse comes first (R3). `whole` says whether the index was consulted wherever policies allow it.
    `bits` are the versions with their bits. `masks`, `series` and `offers` remember answers: by specifier set; by how
    many release numbers count; by target and version. So does `publics`: by public version.
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
    bits: Mapping[Version, int]
    publics: dict[Version, int] = field(default_factory=dict)
    masks: dict[str, int] = field(default_factory=dict)
    series: dict[int, list[int]] = field(default_factory=dict)
    offers: dict[tuple[int, int], Offer] = field(default_factory=dict)

    def from_wheelhouse(self, place: int) -> int:
        """Return the versions that a target takes from its wheelhouse."""
        return self._bits(set(self.wheels[place]).difference(self.modules[place]))

    def from_index(self, place: int) -> int:
        """Return the versions that a target takes from an index."""
        return self._bits(set(self.releases[place]).difference(self.wheels[place], self.modules[place]))

    def _bits(self, versions: Iterable[Version]) -> int:
        return sum(self.bits[version] for version in versions)

    def spelled(self, versions: int) -> tuple[str, ...]:
        """Return the versions of a set as text, newest first."""
        found = []
        while versions > ABSENT:
            place = versions.bit_length() - 1
            found.append(str(self.versions[place - 1]))
            versions ^= 1 << place
        return tuple(found)

    def matching(self, specifier: str) -> int:
        """Return the versions that satisfy a specifier set, compared as public versions (R1)."""
        try:
            return self.masks[specifier]
        except KeyError:
            pinned = _PIN.fullmatch(specifier)
            self.masks[specifier] = mask = self._equal(pinned[1]) if pinned else self._accepted(specifier)
            return mask

    def _accepted(self, specifier: str) -> int:
        return self._bits(parse_specifier(specifier).filter(self.versions, prereleases=True))

    def _equal(self, text: str) -> int:
        """Return the builds of one public version, without looking at all: there may be a pin for each of thousands."""
        if not self.publics:
            for version, bit in self.bits.items():
                public = public_version(version)
                self.publics[public] = self.publics.get(public, 0) | bit
        return self.publics.get(parse_version(text), 0)

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
