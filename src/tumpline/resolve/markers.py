"""Dependency lines: which of them hold on a target, at little cost.

A resolution meets thousands of ``Requires-Dist`` lines and needs few of them: most belong to extras nobody asked for.
So the marker is looked at first, by itself and once per distinct text, and only lines that hold are parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from packaging.markers import Marker
from packaging.requirements import Requirement

from tumpline.errors import InputError
from tumpline.values import normalise, parse_requirement

__all__ = ["MarkerEnvironment"]

_LONGEST = 20_000
"""Characters of the longest line that is looked at: ten times the longest there is, and parsed in no time."""

_MOST_DIGITS = 1000
"""Digits of the longest number that a line may hold: past 4,300, Python does not convert them (CVE-2020-10735)."""

_MANY_DIGITS = re.compile(rf"\d{{{_MOST_DIGITS + 1}}}")

_UNREADABLE = (ValueError, TypeError, RecursionError)
"""What `packaging` raises over a line: InvalidRequirement, InvalidMarker, UndefinedComparison and
UndefinedEnvironmentName are ValueErrors, as a number of too many digits is; deep parentheses exhaust the stack."""

_ONLY_EXTRA = re.compile(r"""\s*\(?\s*extra\s*==\s*['"]([^'"]+)['"]\s*\)?\s*""")


_MOST_SHOWN = 200
_HINT = "correct it where it is written: see the packaging specifications on dependency specifiers"


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
        try:
            _check_size(line)
            text, _, marker = line.partition(";")
            if "@" in text:
                # An address may hold a semicolon itself: leave the line to the parser.
                requirement = parse_requirement(line)
                marker = str(requirement.marker or "")
                return requirement if self._adds(marker, extra) else None
            if not self._adds(marker.strip(), extra):
                return None
            return parse_requirement(text.strip())
        except _UNREADABLE as error:
            raise InputError.of(
                "bad-requirement", f"{_short(line)} is not a requirement", why=_first_line(error), hint=_HINT
            ) from error

    def holds(self, marker: str, extra: str = "") -> bool:
        """Say whether a marker is true here; an empty one always is.

        Raises InputError ``bad-requirement`` for one that can not be read or compares what has no order.
        """
        try:
            _check_size(marker)
            return self._holds(marker, extra)
        except _UNREADABLE as error:
            raise InputError.of(
                "bad-requirement", f"the marker {_short(marker)} has no answer", why=_first_line(error), hint=_HINT
            ) from error

    def _holds(self, marker: str, extra: str = "") -> bool:
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
            return self._holds(marker)
        return "extra" in marker and self._holds(marker, extra) and not self._holds(marker)


def _check_size(text: str) -> None:
    if len(text) > _LONGEST:
        raise ValueError(f"it has {len(text):,} characters; {_LONGEST:,} are the most")
    if len(text) > _MOST_DIGITS and _MANY_DIGITS.search(text):
        raise ValueError(f"it holds a number of more than {_MOST_DIGITS:,} digits")


def _short(text: str) -> str:
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]} …")


def _first_line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "its parentheses are nested too deeply"
    return str(error).partition("\n")[0] or type(error).__name__
