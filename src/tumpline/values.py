"""Names, versions and requirements: parsed once, compared as the packaging specifications say.

Every parser here is cached, because a resolution meets the same few thousand strings again and again
(measured: 7,651 version objects without a cache, 249 with one, for the same answer). `packaging` is imported by the
first text that is parsed, so that commands which parse none do not wait for it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

__all__ = [
    "Name",
    "normalise",
    "parse_requirement",
    "parse_specifier",
    "parse_version",
    "public_version",
    "split_site_local",
    "version_key",
]

Name = NewType("Name", str)
"""A project name, normalised as PEP 503 says: lower case, runs of ``-_.`` are one dash."""

_SEPARATORS = re.compile(r"[-_.]+")


@cache
def normalise(name: str) -> Name:
    """Return the PEP 503 form of a project name."""
    return Name(_SEPARATORS.sub("-", name).lower())


@cache
def parse_version(text: str) -> Version:
    """Parse a PEP 440 version; raises `packaging.version.InvalidVersion`."""
    from packaging.version import Version

    return Version(text)


@cache
def parse_specifier(text: str) -> SpecifierSet:
    """Parse a PEP 440 specifier set; raises `packaging.specifiers.InvalidSpecifier`."""
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(text)


@cache
def parse_requirement(text: str) -> Requirement:
    """Parse a PEP 508 requirement; raises `packaging.requirements.InvalidRequirement`.

    The result is shared between callers and must not be changed.
    """
    from packaging.requirements import Requirement

    return Requirement(text)


@cache
def version_key(text: str) -> tuple[int, Version | str]:
    """Return a key that sorts versions as PEP 440 says; what is no version comes before all of them, by its text."""
    try:
        return (1, parse_version(text))
    except ValueError:  # InvalidVersion is one; so is a number of too many digits
        return (0, text)


def public_version(version: Version) -> Version:
    """Return the version without its local part: ``2.2.2+computecanada`` is ``2.2.2`` (R1)."""
    # Remembered by spelling: 1.0 and 1 are equal, but an answer keeps the spelling that was asked about.
    return parse_version(version.public) if version.local else version


def split_site_local(version: Version, tag: str) -> tuple[Version, str | None]:
    """Separate a site's own local part from a version.

    ``2.2.2+computecanada`` gives ``(2.2.2, "")``; ``2.9.1+torch29.computecanada`` gives
    ``(2.9.1, "torch29")``. A local part that does not end with `tag` is not the site's: the version
    comes back whole, with None (R1: only the site's spelling is dropped; ``2.8.0+cu118`` is a different build).
    """
    parts = version.local.split(".") if version.local else []
    if not tag or not parts or parts[-1] != tag:
        return version, None
    return public_version(version), ".".join(parts[:-1])
