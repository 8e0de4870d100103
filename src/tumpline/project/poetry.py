"""Poetry's version constraints in the words of the packaging specifications (PEP 440, PEP 508).

The rules are those of Poetry's documentation, "Dependency specification": caret, tilde, wildcard, comparison, exact,
and ``||`` for alternatives. PEP 440 has no "or"; alternatives that touch or overlap become one range, whole series and
single versions between them are left out with ``!=``, and anything else is refused. Pure functions of text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from tumpline.errors import InputError
from tumpline.project.document import quoted
from tumpline.values import parse_version

__all__ = ["platform_marker", "poetry_specifier", "python_marker", "python_specifier"]

_OR = re.compile(r"\s*\|\|?\s*")
_AND = re.compile(r"\s*,\s*|(?<=[^\s,<>=!~^])\s+(?=[<>=!~^]|v?\d|\*)")
_PART = re.compile(r"(\^|~=|~|===|==|=|!=|<=|<|>=|>|)\s*(.+)", re.DOTALL)
_ANYTHING = re.compile(r"[*xX](?:\.[*xX])*")
_WILDCARD = re.compile(r"v?(\d+(?:\.\d+)*)(?:\.\*)+")
_PLATFORM = re.compile(r"(==|=|!=|)\s*([A-Za-z0-9_.-]+)")

_LONGEST = 1_000
_MOST_SERIES = 30
"""At most so many ``!=`` are spelled out between two alternatives."""


def poetry_specifier(text: str) -> str:
    """Return the PEP 440 specifier set for a constraint, empty for ``*``.

    Raises InputError ``bad-constraint`` (not one of Poetry's forms) or ``constraint-union`` (alternatives that no
    specifier set can say). Where two alternatives meet (``^1.0 || ^2.0``), the pre-releases at the seam are included.
    """
    return _specifier(text, python=False)


def python_specifier(text: str) -> str:
    """Return the ``requires-python`` for Poetry's ``python`` key; raises as `poetry_specifier` does.

    Python's series are known (2.7 was followed by 3.0), so that ``~2.7 || ^3.6`` can be said.
    """
    return _specifier(text, python=True)


def python_marker(text: str) -> str:
    """Return the marker for the ``python`` key of a dependency, empty for ``*``; alternatives are no obstacle here.

    A bare minor version (``3.8``) stands for all its releases, as Poetry takes it. Raises InputError
    ``bad-constraint``.
    """
    alternatives = [[_python_condition(part) for part in parts if part] for parts in _parsed(text)]
    if not all(alternatives):
        return ""
    joined = [" and ".join(conditions) for conditions in alternatives]
    return joined[0] if len(joined) == 1 else " or ".join(joined)


def platform_marker(text: str) -> str:
    """Return the marker for the ``platform`` key of a dependency: ``linux``, ``!=win32``, ``linux || darwin``."""
    conditions = []
    for word in _OR.split(text.strip()):
        if word == "*":
            return ""
        place = _PLATFORM.fullmatch(word)
        if place is None:
            raise _bad(text, f"{quoted(word)} is not the name of a platform", "write linux, darwin or win32")
        conditions.append(f'sys_platform {"!=" if place[1] == "!=" else "=="} "{place[2]}"')
    return " or ".join(conditions)


def _specifier(text: str, *, python: bool) -> str:
    alternatives = _parsed(text)
    if len(alternatives) == 1:
        return ",".join(part for part in alternatives[0] if part)
    if any(not any(parts) for parts in alternatives):
        return ""
    return _union(text, [_ranges(parts) for parts in alternatives], python=python)


def _parsed(text: str) -> list[list[str]]:
    """Return, for each alternative, its conditions as PEP 440 specifiers (empty for "anything")."""
    if len(text) > _LONGEST:
        raise _bad(text, f"it has {len(text)} characters", "shorten it")
    alternatives = []
    for alternative in _OR.split(text.strip()):
        parts = [part for part in _AND.split(alternative.strip().rstrip(",").rstrip()) if part]
        if not parts:
            raise _bad(text, "it is empty", "write * for any version")
        alternatives.append([_one(part, text) for part in parts])
    return alternatives


def _one(part: str, text: str) -> str:
    place = _PART.fullmatch(part)
    if place is None:
        raise _bad(text, f"{quoted(part)} has no version", "write a version after the operator")
    operator, word = place[1], place[2].strip()
    if _ANYTHING.fullmatch(word) and operator in ("", "=", "=="):
        return ""
    if (wildcard := _WILDCARD.fullmatch(word)) is not None and operator not in ("^", "~", "~=", "==="):
        # Poetry reads >=1.* as >=1, as pip once did.
        return {"": "==", "=": "=="}.get(operator, operator) + (
            f"{wildcard[1]}.*" if operator in ("", "=", "==", "!=") else wildcard[1]
        )
    try:
        version = parse_version(word)
        if operator == "^":
            specifier = f">={version},<{_bumped(version, _caret_place(version.release))}"
        elif operator == "~":
            specifier = f">={version},<{_bumped(version, min(1, len(version.release) - 1))}"
        else:
            specifier = f"{'==' if operator in ('', '=') else operator}{version}"
        SpecifierSet(specifier)
    except InvalidVersion as error:
        raise _bad(
            text, f"{quoted(word)} is not a version", "write for example ^1.2, ~1.2, 1.2.*, >=1.2,<2 or *"
        ) from error
    except InvalidSpecifier as error:
        raise _bad(text, str(error).splitlines()[0], "write the version without its local part, or with ==") from error
    return specifier


def _caret_place(release: tuple[int, ...]) -> int:
    """Return which part a caret lets grow no further: the first that is not zero, of the three that may be given."""
    given = release[:3]
    return next((place for place, part in enumerate(given) if part), len(given) - 1)


def _bumped(version: Version, place: int) -> str:
    release = version.release
    parts = [*release[:place], release[place] + 1, *(0 for _ in release[place + 1 :])]
    epoch = f"{version.epoch}!" if version.epoch else ""
    return epoch + ".".join(map(str, parts))


def _python_condition(specifier: str) -> str:
    """Return the marker for one or two comma-joined specifiers of a Python version."""
    conditions = []
    for one in specifier.split(","):
        spec = Specifier(one)
        operator, version = spec.operator, spec.version
        short = len(version.removesuffix(".*").split(".")) <= 2
        # python_version knows nothing below the minor version: 3.8.5 is its "3.8", which is not <= "3.8" as a release.
        if short and operator in (">=", "<", "=="):
            conditions.append(f'python_version {operator} "{version}"')
        else:
            conditions.append(f'python_full_version {operator} "{version}"')
    return " and ".join(conditions)


_Cut = tuple[Version, int]
"""A place between versions: just before one (0) or just after it (1)."""


@dataclass(frozen=True, slots=True)
class _Range:
    """All versions between two cuts; None is the end of the world."""

    low: _Cut | None
    high: _Cut | None

    @property
    def order(self) -> tuple[bool, _Cut]:
        return (self.low is not None, self.low or (Version("0"), 0))

    def intersect(self, other: _Range) -> _Range | None:
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        low, high = max(lows, default=None), min(highs, default=None)
        return None if low is not None and high is not None and low >= high else _Range(low, high)


def _ranges(parts: list[str]) -> list[_Range]:
    """Return the versions that one alternative allows, as ranges without overlap."""
    found = [_Range(None, None)]
    for part in ",".join(parts).split(","):
        if part:
            allowed = _ranges_of(Specifier(part))
            met = (one.intersect(other) for one in found for other in allowed)
            found = [one for one in met if one is not None]
    return found


def _ranges_of(spec: Specifier) -> list[_Range]:
    version = parse_version(spec.version.removesuffix(".*"))
    before, after = (version, 0), (version, 1)
    match spec.operator:
        case ">=":
            return [_Range(before, None)]
        case ">":
            return [_Range(after, None)]
        case "<":
            return [_Range(None, before)]
        case "<=":
            return [_Range(None, after)]
        case "~=":
            return [_Range(before, (parse_version(_bumped(version, len(version.release) - 2)), 0))]
    if spec.version.endswith(".*"):
        after = (parse_version(_bumped(version, len(version.release) - 1)), 0)
    if spec.operator == "!=":
        return [_Range(None, before), _Range(after, None)]
    return [_Range(before, after)]


def _union(text: str, alternatives: list[list[_Range]], *, python: bool) -> str:
    merged: list[_Range] = []
    for one in sorted((one for ranges in alternatives for one in ranges), key=lambda one: one.order):
        last = merged[-1] if merged else None
        if last is None or (last.high is not None and one.low is not None and last.high < one.low):
            merged.append(one)
        elif last.high is not None:
            merged[-1] = _Range(last.low, None if one.high is None else max(last.high, one.high))
    if not merged:
        raise _bad(text, "no version satisfies it", "correct the bounds")
    words = []
    if (low := merged[0].low) is not None:
        words.append(f"{'>=' if low[1] == 0 else '>'}{low[0]}")
    if (high := merged[-1].high) is not None:
        words.append(f"{'<' if high[1] == 0 else '<='}{high[0]}")
    if len(merged) == 1 and low is not None and high is not None and low[0] == high[0]:
        words = [f"=={low[0]}"]
    for left, right in pairwise(merged):
        if left.high is not None and right.low is not None:
            words += _left_out(text, left.high, right.low, python=python)
    return ",".join(words)


def _left_out(text: str, start: _Cut, end: _Cut, *, python: bool) -> list[str]:
    """Return the ``!=`` specifiers that make up the gap between two alternatives."""
    if start[0] == end[0]:
        return [f"!={start[0]}"]
    first, last = _trimmed(start[0]), _trimmed(end[0])
    if python and first < (3,) and last >= (3,):
        first = (3, 0)
    width = max(len(first), len(last))
    first, last = _padded(first, width), _padded(last, width)
    plain = not any(v.is_prerelease or v.is_postrelease or v.local or v.epoch for v in (start[0], end[0]))
    if plain and start[1] == end[1] == 0 and first[:-1] == last[:-1] and last[-1] - first[-1] <= _MOST_SERIES:
        prefix = "".join(f"{part}." for part in first[:-1])
        return [f"!={prefix}{part}.*" for part in range(first[-1], last[-1])]
    raise InputError.of(
        "constraint-union",
        f"{quoted(text)} can not be said in one specifier set",
        why=f"it leaves out what lies between {start[0]} and {end[0]}, and PEP 440 has no word for 'or'",
        hint="choose one alternative, or write one range and leave versions out with !=, as in >=1.0,<4.0,!=2.*",
    )


def _trimmed(version: Version) -> tuple[int, ...]:
    release = version.release
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    return release


def _padded(release: tuple[int, ...], width: int) -> tuple[int, ...]:
    return release + (0,) * (width - len(release))


def _bad(text: str, why: str, hint: str) -> InputError:
    return InputError.of("bad-constraint", f"{quoted(text)} is not a constraint of Poetry's", why=why, hint=hint)
