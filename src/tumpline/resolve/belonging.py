"""Where a dependency belongs in the project, and how it is written, once it is resolved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tumpline.project.spelling import SITE_LOCAL
from tumpline.project.tilde import tilde
from tumpline.values import Name, normalise, parse_version, public_version

if TYPE_CHECKING:
    from packaging.version import Version

    from tumpline.resolve.model import Choice, Resolution
    from tumpline.resolve.target import Target

__all__ = ["belongs_to_index", "chosen_versions", "lasting_requirement", "without_local_pin"]


def chosen_versions(name: Name, resolution: Resolution) -> list[Version]:
    """Return the public versions that targets get of a package, each once, sorted."""
    return sorted({public_version(choice.offer.version) for choice in _choices(name, resolution)})


def lasting_requirement(asked: Requirement, resolution: Resolution) -> Requirement:
    """Return a requirement as it is to be written: with a tilde where the person named no version, else as it is.

    Where targets get different versions (R12), the lowest of them is the bound.
    """
    versions = chosen_versions(normalise(asked.name), resolution)
    if asked.specifier or asked.url or not versions:
        return asked
    specifier = tilde(versions[0]) if len(versions) == 1 else f">={versions[0]}"
    lasting = Requirement(str(asked))
    lasting.specifier = SpecifierSet(specifier)
    return lasting


def without_local_pin(asked: Requirement, written: str) -> Requirement:
    """Return a requirement that was pinned to a site's own version (``==2.31.0+computecanada``) with a tilde instead.

    What a cluster's wheels are called exists nowhere else (R1); other requirements are returned as they are.
    """
    pins = [each.version for each in asked.specifier if each.operator in ("==", "===")]
    if f"+{SITE_LOCAL}" not in written.lower() and f".{SITE_LOCAL}" not in written.lower():
        return asked
    if len(pins) != 1 or len(asked.specifier) != 1 or pins[0].endswith(".*"):
        return asked
    lasting = Requirement(str(asked))
    lasting.specifier = SpecifierSet(tilde(parse_version(pins[0])))
    return lasting


def belongs_to_index(name: Name, resolution: Resolution, targets: Sequence[Target]) -> bool:
    """Say whether a cluster can have a package from the index only: it then belongs to the group for such packages.

    The practice of the Alliance: what the wheelhouse has stands in the main section, the rest in a group that is
    installed in a second step.
    """
    clusters = {target.name for target in targets if target.site.wheelhouse is not None}
    return any(choice.offer.source == "pypi" and choice.target in clusters for choice in _choices(name, resolution))


def _choices(name: Name, resolution: Resolution) -> Iterator[Choice]:
    return (choice for package in resolution.packages if package.name == name for choice in package.choices)
