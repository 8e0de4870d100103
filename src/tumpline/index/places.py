"""What a place that is asked about a project answers, and whose a file is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from packaging.version import InvalidVersion

from tumpline.index.model import ProjectPage
from tumpline.values import Name, normalise, parse_version

__all__ = ["Known", "Source", "project_of_file"]


@dataclass(frozen=True, slots=True)
class Known:
    """What a place says of a project: its page, or None where it does not know the project."""

    page: ProjectPage | None


class Source(Protocol):
    """One location of the settings."""

    def ready(self, name: Name) -> Known | None:
        """Return what is known without the network; None where the network must be asked."""
        ...

    def fetch(self, name: Name) -> ProjectPage | None:
        """Ask the place itself; raises EnvironmentFailure."""
        ...


def project_of_file(file: str) -> Name | None:
    """Return the project that a file belongs to by its name, None for neither wheel nor sdist."""
    if file.endswith(".whl"):
        name, dash, _ = file.partition("-")
        return normalise(name) if dash and name else None
    for ending in (".tar.gz", ".zip"):
        if file.endswith(ending):
            stem = file.removesuffix(ending)
            at = stem.find("-")
            # An old sdist's name may hold dashes itself: the version starts at the first part that is one.
            while at > 0:
                try:
                    parse_version(stem[at + 1 :])
                except InvalidVersion:
                    at = stem.find("-", at + 1)
                else:
                    return normalise(stem[:at])
    return None
