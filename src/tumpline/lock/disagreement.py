"""In what a scanned catalogue disagrees with a lock that was made from a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tumpline.errors import InputError
from tumpline.resolve.builds import TORCH_TAG
from tumpline.resolve.judge import Judge
from tumpline.resolve.markers import MarkerEnvironment
from tumpline.resolve.refusal import Refusal
from tumpline.values import Name, normalise, parse_requirement, parse_version, public_version

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.version import Version

    from tumpline.catalogue import CatalogueReader, Wheel
    from tumpline.lock.model import Lock, Pin
    from tumpline.resolve.target import Target

__all__ = ["disagreements"]

_MOST_SHOWN = 3


def disagreements(lock: Lock, target: Target, catalogue: CatalogueReader) -> tuple[str, ...]:
    """Return, by package, what of a target's wheelhouse wheels is otherwise in the catalogue: a line each.

    Wheels that are not there, and requirements that the lock does not meet; what extras would add is not compared, and
    nothing of wheels whose METADATA was not read.
    """
    pins = {package.name: pin for package in lock.packages if (pin := package.pin(target.name)) is not None}
    comparison = _Comparison(target, catalogue, pins)
    return tuple(line for name, pin in pins.items() if pin.source == "wheelhouse" for line in comparison.of(name, pin))


class _Comparison:
    def __init__(self, target: Target, catalogue: CatalogueReader, pins: dict[Name, Pin]) -> None:
        self._catalogue = catalogue
        self._pins = pins
        self._judge = Judge(target)
        self._environment = MarkerEnvironment(target.markers)

    def of(self, name: Name, pin: Pin) -> Iterator[str]:
        """Say in what one package disagrees."""
        locked = public_version(parse_version(pin.version))
        usable = self._usable(name)
        wheels = [wheel for version, _, wheel in usable if version == locked]
        if not wheels:
            yield f"{name} {locked} is not there{self._instead(name, usable)}"
            return
        # Builds for several releases of torch are different wheels: one that agrees is enough.
        yield from min((list(self._complaints(name, locked, pin, wheel)) for wheel in wheels), key=len)

    def _usable(self, name: Name) -> list[tuple[Version, tuple[object, ...], Wheel]]:
        found = []
        for wheel in self._catalogue.wheels(name):
            rank = self._judge.wheel(wheel)
            if not isinstance(rank, Refusal):
                found.append((public_version(parse_version(wheel.version)), rank, wheel))
        return sorted(found, key=lambda row: row[1])

    def _instead(self, name: Name, usable: list[tuple[Version, tuple[object, ...], Wheel]]) -> str:
        versions = sorted({version for version, _, _ in usable}, reverse=True)
        if versions:
            rest = f" and {len(versions) - _MOST_SHOWN} more" if len(versions) > _MOST_SHOWN else ""
            return f", but {', '.join(map(str, versions[:_MOST_SHOWN]))}{rest}"
        if (dummy := self._catalogue.dummy(name)) is not None:
            return f": it is a dummy, for which the module {dummy.module} stands"
        verdicts = [self._judge.wheel(wheel) for wheel in self._catalogue.wheels(name)]
        reasons = [verdict.words for verdict in verdicts if isinstance(verdict, Refusal)]
        return f": its wheels do not fit ({reasons[0]})" if reasons else ", nor any other version"

    def _complaints(self, name: Name, locked: Version, pin: Pin, wheel: Wheel) -> Iterator[str]:
        if wheel.requires_dist is None:
            return
        try:
            active = [self._environment.active(line, "") for line in wheel.requires_dist]
            mentioned = {normalise(parse_requirement(line).name) for line in wheel.requires_dist}
        except (InputError, ValueError) as error:
            yield f"{name} {locked} has metadata that can not be read: {error}"
            return
        needed = [requirement for requirement in active if requirement is not None]
        if name != "torch" and (torch := TORCH_TAG.search(wheel.version)) is not None:
            needed.append(parse_requirement(f"torch=={torch[1]}.{torch[2]}.*"))
            mentioned.add(Name("torch"))
        for requirement in needed:
            if (complaint := self._unmet(requirement)) is not None:
                yield f"{name} {locked} needs {requirement.name}{requirement.specifier}, {complaint}"
        for other in pin.requires:
            if other not in mentioned:
                yield f"{name} {locked} does not need {other}"

    def _unmet(self, requirement: Requirement) -> str | None:
        pin = self._pins.get(normalise(requirement.name))
        if pin is None:
            return "which is not locked there"
        version = public_version(parse_version(pin.version))
        if requirement.specifier.contains(version, prereleases=True):
            return None
        return f"and {version} is locked there"
