"""Dependency lines: which of them hold on a target, at little cost.

A resolution meets thousands of ``Requires-Dist`` lines and needs few of them: most belong to extras nobody asked for.
So the marker is looked at first, by itself and once per distinct text, and only lines that hold are parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from packaging.markers import InvalidMarker, Marker, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement

from tumpline.errors import InputError
from tumpline.values import normalise, parse_requirement

__all__ = ["MarkerEnvironment"]

_ONLY_EXTRA = re.compile(r"""\s*\(?\s*extra\s*==\s*['"]([^'"]+)['"]\s*\)?\s*""")


@cache
def _parse_marker(text: str) -> Marker:
    return Marker(text)


class MarkerEnvironment:
    """The PEP 508 environment of one target; answers are remembered."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        self._answers: dict[tuple[str, str], bool] = {}

    def active(self, line: str, extra: str) -> Requirement | None:
        """Return the requirement of a line where it holds with that extra (empty: none), else None.

        With an extra, only the lines that the extra adds are active: those that hold without it belong to
        the package itself. Raises InputError ``bad-requirement``.
        """
        text, _, marker = line.partition(";")
        try:
            if "@" in text:
                # An address may hold a semicolon itself: leave the line to the parser.
                requirement = parse_requirement(line)
                marker = str(requirement.marker or "")
                return requirement if self._adds(marker, extra) else None
            if not self._adds(marker.strip(), extra):
                return None
            return parse_requirement(text.strip())
        except (InvalidRequirement, InvalidMarker, UndefinedEnvironmentName) as error:
            raise InputError.of(
                "bad-requirement", f"{line!r} is not a requirement", why=str(error).splitlines()[0]
            ) from error

    def holds(self, marker: str, extra: str = "") -> bool:
        """Say whether a marker is true here; an empty one always is."""
        if not marker:
            return True
        if (only := _ONLY_EXTRA.fullmatch(marker)) is not None:
            return bool(extra) and normalise(only[1]) == extra
        key = (marker, extra)
        if key not in self._answers:
            self._answers[key] = _parse_marker(marker).evaluate({**self._values, "extra": extra})
        return self._answers[key]

    def _adds(self, marker: str, extra: str) -> bool:
        if not extra:
            return self.holds(marker)
        return "extra" in marker and self.holds(marker, extra) and not self.holds(marker)
