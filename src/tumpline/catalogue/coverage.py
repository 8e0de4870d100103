"""For which Python a catalogue has most of what a project asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tumpline.values import Name
from tumpline.wheels.tags import fits_python

if TYPE_CHECKING:
    from tumpline.catalogue.content import WheelRow
    from tumpline.catalogue.store import Catalogue

__all__ = ["Coverage", "coverage"]


class Coverage(NamedTuple):
    """How many of the packages there are for one minor version of Python, and which there are not, sorted."""

    python: str
    found: int
    missing: tuple[Name, ...]


def coverage(
    catalogue: Catalogue, names: Iterable[Name], pythons: Sequence[str], layers: Sequence[str] | None = None
) -> tuple[Coverage, ...]:
    """Count for each of the Pythons (``3.11``) of how many packages there is any version: a wheel, or a module's.

    `layers` are those that count, None for all. In a list's catalogue layers are not known, and count all.
    """
    wanted = sorted(set(names))
    found: dict[Name, set[str]] = {name: set() for name in wanted}
    for name, rows in catalogue.offered(wanted):
        for row in rows:
            if layers is None or not row.layer or row.layer in layers:
                found[name].update(python for python in pythons if _fits(row, python))
    for name in wanted:
        found[name].update(row.python for row in catalogue.modules_for(name))
    return tuple(
        Coverage(
            python,
            sum(python in found[name] for name in wanted),
            tuple(name for name in wanted if python not in found[name]),
        )
        for python in pythons
    )


def _fits(row: WheelRow, python: str) -> bool:
    return fits_python(row.tags, python) if row.tags else python in row.pythons
