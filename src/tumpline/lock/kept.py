"""What a new lock keeps of the one before: versions, and for addresses their commits and hashes (R13)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tumpline.values import Name, parse_version, public_version

if TYPE_CHECKING:
    from packaging.version import Version

    from tumpline.lock.model import Artefact, LockedPackage

__all__ = ["kept_artefacts", "kept_versions"]


def kept_versions(packages: Iterable[LockedPackage]) -> dict[tuple[str, Name], Version]:
    """Return the public versions of locked packages, by target and name."""
    return {
        (pin.target, package.name): public_version(parse_version(pin.version))
        for package in packages
        for pin in package.pins
    }


def kept_artefacts(packages: Iterable[LockedPackage]) -> dict[Name, list[Artefact]]:
    """Return the artefacts of locked packages, by name."""
    return {package.name: [pin.artefact for pin in package.pins] for package in packages}
