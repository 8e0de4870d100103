"""What the packages of a list need, as far as the targets' catalogues and the index know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.resolve.markers import MarkerEnvironment
from tumpline.resolve.needs import NeedsReader
from tumpline.resolve.offer import Offer
from tumpline.resolve.offers import OfferBook
from tumpline.resolve.table import Table
from tumpline.values import Name, normalise, parse_version

__all__ = ["ImportNeeds"]


class ImportNeeds:
    """Answers what packages need on the targets of an offer book, with the markers that hold there.

    A version that a target can not get is taken for the nearest that it can: what a package needs changes little.
    Where an index does not answer, nothing more is asked of it.
    """

    def __init__(self, book: OfferBook, reader: NeedsReader) -> None:
        self._book = book
        self._reader = reader
        self._environments = [MarkerEnvironment(target.markers) for target in book.targets]
        self._silent = False

    def edges(
        self, pins: Mapping[Name, str], extras: Mapping[Name, Iterable[str]]
    ) -> tuple[dict[Name, frozenset[Name]], frozenset[Name]]:
        """Return what each package needs, itself and by the extras that it is asked for with; and what is not known.

        `pins` are the versions, empty for the newest. Names that are not among them are answered too, not followed.
        """
        self._book.prefetch(pins)
        offers = {name: self._offers(name, version) for name, version in pins.items()}
        for name, found in offers.items():
            for place, offer in found:
                if not self._silent:
                    self._reader.prefetch(name, offer, self._book.targets[place])
        lines: dict[Name, list[tuple[int, str]]] = {}
        unknown: set[Name] = set()
        for name, found in offers.items():
            read = self._lines(name, found)
            if read is None:
                unknown.add(name)
            lines[name] = read or []
        wanted = {name: {normalise(extra) for extra in extras.get(name, ())} for name in pins}
        while True:
            needed: dict[Name, set[Name]] = {name: set() for name in pins}
            grown = False
            for name in pins:
                for other, others in self._active(lines[name], tuple(wanted[name])):
                    needed[name].add(other)
                    if other in wanted and not others <= wanted[other]:
                        wanted[other] |= others
                        grown = True
            if not grown:
                return {name: frozenset(found - {name}) for name, found in needed.items()}, frozenset(unknown)

    def _offers(self, name: Name, version: str) -> list[tuple[int, Offer]]:
        if self._silent:
            return []
        try:
            table = self._book.table(name)
            return [
                (place, self._book.offer(name, place, bit))
                for place in range(len(self._book.targets))
                if (bit := _nearest(table, place, version))
            ]
        except EnvironmentFailure as error:
            self._silent = error.code != "offline-not-cached"
            return []

    def _lines(self, name: Name, offers: Sequence[tuple[int, Offer]]) -> list[tuple[int, str]] | None:
        """Return the dependency lines with the target that each is of; None where no target knows them."""
        found: list[tuple[int, str]] = []
        known = False
        for place, offer in offers:
            if self._silent:
                break
            try:
                needs = self._reader.needs(name, offer, self._book.targets[place])
            except InputError:
                continue
            except EnvironmentFailure as error:
                self._silent = error.code != "offline-not-cached"
                continue
            if needs.known:
                known = True
                found += [(place, line) for line in needs.requires]
        return found if known else None

    def _active(self, lines: Sequence[tuple[int, str]], extras: Iterable[Name]) -> Iterable[tuple[Name, set[Name]]]:
        for place, line in lines:
            for extra in ("", *extras):
                try:
                    requirement = self._environments[place].active(line, extra)
                except InputError:
                    continue
                if requirement is not None:
                    yield normalise(requirement.name), {normalise(each) for each in requirement.extras}


def _nearest(table: Table, place: int, version: str) -> int:
    """Return the bit of the version of a target that is nearest to one: it, else the next lower, else the lowest."""
    available = [number for number in range(len(table.versions)) if table.available[place] >> number + 1 & 1]
    if not available:
        return 0
    if not version:
        return 2 << available[-1]
    wanted = parse_version(version)
    lower = [number for number in available if table.versions[number] <= wanted]
    return 2 << (lower[-1] if lower else available[0])
