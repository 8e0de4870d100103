"""A wheelhouse on the far side, as a scan is given one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from tumpline.catalogue.far.journal import Journal
from tumpline.catalogue.far.link import Link
from tumpline.catalogue.listing import Found, Listing
from tumpline.catalogue.reader import PARTS, reading_of
from tumpline.catalogue.reading import Reading
from tumpline.catalogue.tree import Tree, check_layers, layer_failure, make_tree
from tumpline.wheels.name import WheelName
from tumpline.wheels.tail import DISK_TAIL, DistInfo, not_regular, read_dist_info, unreadable

__all__ = ["FarWheelhouse"]

_BLOCK = 2000
"""Wheels asked for with one question; those that the far side is not sure of are read when it is answered."""


class FarWheelhouse:
    """Layers, given as (name, folder there); implements `Wheelhouse`.

    `known` are listings of before by layer; only what differs from them is transferred. `journal` is told all that is
    received, and what it holds already is not asked for; `resumed` counts the wheels that it held.
    """

    def __init__(
        self, link: Link, folders: Sequence[tuple[str, str]], known: Mapping[str, Listing], journal: Journal
    ) -> None:
        self._link = link
        self._folders = tuple((layer, f"{link.host}:{folder}", folder) for layer, folder in folders)
        self._known = {**known, **journal.listings}
        self._journal = journal
        self._places: dict[Found, tuple[int, int]] = {}
        self.resumed = 0

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers."""
        return tuple(layer for layer, _, _ in self._folders)

    @property
    def sources(self) -> tuple[str, ...]:
        """Layers, hosts and folders."""
        return tuple(f"{layer}: {where}" for layer, where, _ in self._folders)

    def tree(self) -> Tree:
        """List the layers; raises as `list_layers`, and as `Link`."""
        places = [(layer, where) for layer, where, _ in self._folders]
        check_layers(places)
        listings: list[Listing] = []
        for number, (layer, where, folder) in enumerate(self._folders):
            known = self._known.get(layer, Listing([], []))
            try:
                listing = self._link.list_layer(number, layer, folder, known)
            except OSError as error:
                raise layer_failure(layer, where, error) from error
            if sorted(known.wheels) != listing.wheels or sorted(known.others) != listing.others:
                self._journal.note_listing(layer, listing)
            self._places.update((found, (number, place)) for place, found in enumerate(listing.wheels))
            listings.append(listing)
        return make_tree(places, listings)

    def readings(self, wheels: Sequence[Found], progress: Callable[[int], None]) -> Iterator[Reading]:
        """Read wheels; raises as `Link`."""
        kept = self._journal.readings
        unknown = [found for found in wheels if found not in kept]
        self.resumed = done = len(wheels) - len(unknown)
        progress(done)
        asked = self._ask(unknown, lambda more: progress(done + more))
        for found in wheels:
            yield kept[found] if found in kept else next(asked)

    def _ask(self, wheels: Sequence[Found], progress: Callable[[int], None]) -> Iterator[Reading]:
        done = 0
        rest = iter(wheels)
        while block := list(islice(rest, _BLOCK)):
            received: list[Reading | None] = []
            for batch in self._link.read(self._runs(block)):
                files = block[len(received) : len(received) + len(batch)]
                self._note(files, batch)
                received += batch
                progress(done + len(received))
            done += len(block)
            for found, reading in zip(block, received, strict=True):
                yield reading or self._read(found)

    def _note(self, files: Sequence[Found], batch: Sequence[Reading | None]) -> None:
        for layer in dict.fromkeys(found.layer for found in files):
            pairs = zip(files, batch, strict=True)
            self._journal.note_readings(
                layer, [(found, reading) for found, reading in pairs if reading and found.layer == layer]
            )

    def _runs(self, wheels: Sequence[Found]) -> list[tuple[int, int, int]]:
        """Say which wheels are meant: neighbours as one run (layer, from, to)."""
        runs: list[tuple[int, int, int]] = []
        for found in wheels:
            number, place = self._places[found]
            if runs and runs[-1][0] == number and runs[-1][2] == place:
                runs[-1] = (number, runs[-1][1], place + 1)
            else:
                runs.append((number, place, place + 1))
        return runs

    def _read(self, found: Found) -> Reading:
        """Read a wheel of which the far side could not tell: it is the reader here that says what is wrong."""

        def read(name: WheelName) -> DistInfo:
            try:
                size, ranges = self._link.open_wheel(*self._places[found])
                if size < 0:
                    raise not_regular(name)
                return read_dist_info(ranges, size, name, parts=PARTS, headers_only=True, tail=DISK_TAIL)
            except OSError as error:
                raise unreadable(name, error) from error

        return reading_of(found.file, read)
