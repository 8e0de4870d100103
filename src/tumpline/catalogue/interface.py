"""The Python interface of catalogues, for notebooks and tools of support: `tumpline.catalogue.open`.

Its names are stable and documented in ``docs/reference/python.md``; everything else in this package may change.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.catalogue.opening import open_any
from tumpline.catalogue.query import Ask, Terms, matches, parse_ask, search
from tumpline.errors import InputError
from tumpline.values import normalise, version_key

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    from tumpline.catalogue.content import WheelRow
    from tumpline.catalogue.model import CatalogueInfo, Wheel
    from tumpline.catalogue.store import Catalogue
    from tumpline.sites import Dummy, ModulePackage

__all__ = ["OpenCatalogue", "open_path"]

_DIGITS = re.compile(r"\d+")


class OpenCatalogue:
    """An open catalogue. Close it, or use it as a context manager. Names may be given in any spelling.

    Every method raises InputError ``catalogue-damaged`` where the file turns out to be broken.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._catalogue.close()

    @property
    def info(self) -> CatalogueInfo:
        """Where the catalogue comes from: site, grade, date, identity, layers, counts."""
        return self._catalogue.info

    def names(self) -> tuple[str, ...]:
        """Return the normalised names of all projects that have wheels, sorted."""
        return self._catalogue.names()

    def projects(self, pattern: str) -> tuple[str, ...]:
        """Return the names that match a pattern, in which ``*`` and ``?`` stand for anything: ``*cdf*``."""
        ask = Ask(pattern, normalise(pattern))
        return tuple(name for name in self._catalogue.names() if matches(ask, name))

    def wheels(self, name: str) -> tuple[Wheel, ...]:
        """Return all wheels of a project, the newest version first; none where there is no such project."""
        return self._catalogue.wheels(normalise(name))

    def latest(self, requirement: str, *, python: str = "", layers: tuple[str, ...] = ()) -> Wheel | None:
        """Return the wheel of the newest version that a name or a requirement (``numpy<2``) admits, or None.

        `python` is a minor version (``3.11``) and `layers` are names, best first; without them any will do, and the
        catalogue's own order decides between layers (R4). A pre-release is taken only where there is no final release.
        Raises InputError ``bad-search`` for what is no name and no requirement.
        """
        ask = parse_ask(requirement)
        if ask.wild:
            raise InputError.of(
                "bad-search", f"{requirement!r} is a pattern", hint="ask projects() for the names that match it"
            )
        terms = Terms((".".join(python.split(".")[:2]),) if python else None, layers or None)
        order = {layer: place for place, layer in enumerate(layers or self.info.layers)}
        for _, rows in search(self._catalogue, [ask], terms):
            best = min(order.get(row.layer, 0) for row in rows)
            first = [row for row in rows if order.get(row.layer, 0) == best]
            # Of one layer, the higher local version, then the higher build (R4).
            return self._catalogue.wheel(first[0] if len(first) == 1 else max(first, key=_rank))
        return None

    def requires(self, requirement: str, *, python: str = "", layers: tuple[str, ...] = ()) -> tuple[str, ...] | None:
        """Return what the `latest` such wheel requires, as its METADATA has it.

        None where there is no such wheel, or where METADATA was not read, as in a list.
        """
        wheel = self.latest(requirement, python=python, layers=layers)
        return None if wheel is None else wheel.requires_dist

    def dummy(self, name: str) -> Dummy | None:
        """Say whether a name exists only as a dummy wheel, and which module has the package instead."""
        return self._catalogue.dummy(normalise(name))

    def modules(self, name: str) -> tuple[ModulePackage, ...]:
        """Return the modules that bring a package, for each software environment and Python."""
        return self._catalogue.modules_for(normalise(name))


def open_path(path: str | Path) -> OpenCatalogue:
    """Open a catalogue's file or a snapshot; raises what `open_any` raises."""
    return OpenCatalogue(open_any(Path(path)))


def _rank(row: WheelRow) -> tuple[tuple[int, Any], int, str]:
    """Return the version, and the build tag as it is compared: its number, then the rest."""
    number = _DIGITS.match(row.build)
    build = (int(number[0]), row.build[number.end() :]) if number is not None else (-1, row.build)
    return (version_key(row.version), *build)
