"""Changes of what a project asks for: bounds relaxed, constraints and overrides taken out, packages left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from tumpline.project import Declared
from tumpline.resolve.explanation import COMMAND_LINE
from tumpline.resolve.question import Change, ChangeKind, Move, Question
from tumpline.values import Name, normalise, parse_requirement, parse_specifier, parse_version, public_version

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_KEYS = {"python_version": "Python", "sys_platform": "the system", "platform_machine": "the processor"}
"""Keys of markers, in words."""

__all__ = ["admits", "asking", "drop_overrides", "leave_out", "nearest_to", "open_up", "relax", "relaxed", "remove"]


def relaxed(specifier: str, *versions: str) -> str:
    """Return a specifier set that admits some versions and is otherwise as much of the one given as can be."""
    publics = sorted(public_version(parse_version(version)) for version in versions)
    low, high = publics[0], publics[-1]
    clauses = list(parse_specifier(specifier))
    lost = [c for c in clauses if not all(c.contains(public, prereleases=True) for public in publics)]
    kept = [str(c) for c in clauses if c not in lost]
    operators = {c.operator for c in lost}
    if operators & {"==", "===", "~="}:
        if len(low.release) > 1 and all(parse_specifier(f"~={low}").contains(p, prereleases=True) for p in publics):
            kept.append(f"~={low}")
        else:
            kept += [f"=={low}"] if low == high else [f">={low}", f"<{high.major + 1}"]
    else:
        if operators & {">=", ">"}:
            kept.append(f">={low}")
        if operators & {"<=", "<"}:
            kept.append(f"<{high.major + 1}")
    return ",".join(sorted(kept, reverse=True))


def asking(question: Question, name: Name) -> tuple[Declared, ...]:
    """Return what the project says of the versions of a package, as it holds: overrides stand for the requirements."""
    steering = question.steering
    first = _about(name, steering.overrides) or _about(name, question.declared)
    return (*first, *_about(name, steering.constraints))


def admits(question: Question, name: Name, version: str) -> bool:
    """Say whether all that the project says of a package admits a version."""
    return all(_contains(row.requirement, version) for row in asking(question, name))


def relax(question: Question, name: Name, versions: Sequence[str], cost: int) -> Move | None:
    """Return the move that lets all that the project says of a package admit some versions; None where it does."""
    after: dict[Declared, Declared | None] = {}
    changes: list[Change] = []
    for declared in asking(question, name):
        requirement = declared.requirement
        specifier = str(requirement.specifier)
        if all(_contains(requirement, version) for version in versions):
            continue
        new = _with_specifier(requirement, relaxed(specifier, *versions))
        kind, noun = _kind(question, declared)
        if kind == "constraint" and not new.specifier:
            after[declared] = None  # a constraint without a bound says nothing
            changes.append(_removed(kind, declared, noun))
            continue
        after[declared] = replace(declared, requirement=new)
        shown = specifier + (f" (where {requirement.marker})" if requirement.marker else "")
        wanted = str(new.specifier)
        words = f"change {noun}{name}{shown} to {name}{wanted}" if wanted else f"drop the bound {shown} of {noun}{name}"
        changes.append(Change(kind, words, *_place(declared), _line(declared, new)))
    if not changes:
        return None
    return Move(tuple(changes), lambda q: _with_rows(q, after), cost, ("relax", name))


def open_up(name: Name, rows: Sequence[Declared], cost: int) -> Move:
    """Return the move that drops the bounds that rows set to a package, to see which version would do."""
    after: dict[Declared, Declared | None] = {
        row: replace(row, requirement=_with_specifier(row.requirement, "")) for row in rows
    }
    return Move((), lambda q: _with_rows(q, after), cost, ("relax", name), opens=name)


def drop_overrides(question: Question, name: Name, cost: int) -> Move:
    """Return the move that takes the overrides of a package out, so that what packages ask of it holds again."""
    gone = _about(name, question.steering.overrides)
    changes = tuple(_removed("override", row, "the override ") for row in gone)
    after: dict[Declared, Declared | None] = dict.fromkeys(gone)
    return Move(changes, lambda q: _with_rows(q, after), cost, ("relax", name))


def nearest_to(versions: Sequence[str], specifiers: Sequence[str], most: int = 2) -> list[str]:
    """Return the few versions that are nearest to what is asked for, of those given, which come newest first.

    Nearest are those that share most of a release; of these, those whose next number is the least away; then the
    newest.
    """
    asked = [
        parse_version(clause.version.removesuffix(".*")).release
        for specifier in specifiers
        for clause in parse_specifier(specifier)
        if clause.operator not in ("!=", "===")
    ]

    def nearness(version: str) -> tuple[int, int]:
        release = parse_version(version).release
        return max((_likeness(release, other) for other in asked), default=(0, 0))

    final = [version for version in versions if not parse_version(version).is_prerelease] or list(versions)
    return sorted(final, key=nearness, reverse=True)[:most]


def _likeness(one: Sequence[int], other: Sequence[int]) -> tuple[int, int]:
    """Return how many leading numbers two releases share, and how far apart the next ones are, as a negative number."""
    for count, (a, b) in enumerate(zip_longest(one, other, fillvalue=0)):
        if a != b:
            return count, -abs(a - b)
    return max(len(one), len(other)), 0


def leave_out(declared: Declared, marker: str, target: str, cost: int) -> Move:
    """Return the move that limits a requirement by a marker which is false on a target."""
    requirement = declared.requirement
    combined = f"({requirement.marker}) and {marker}" if requirement.marker else marker
    new = parse_requirement(f"{_without_marker(requirement)}; {combined}")
    name = normalise(requirement.name)
    words = f"do without {name} {_where(marker)}, that is on {target} (what imports it fails there)"
    change = Change("leave-out", words, *_place(declared), _line(declared, new))
    after: dict[Declared, Declared | None] = {declared: replace(declared, requirement=new)}
    return Move((change,), lambda q: _with_rows(q, after), cost, ("leave-out", f"{name} {target}"))


def _where(marker: str) -> str:
    """Say where a marker of the form ``KEY != "VALUE"`` is false."""
    key, _, value = marker.partition(" != ")
    return f"where {_KEYS.get(key, key)} is {value.strip(chr(34))}"


def remove(question: Question, name: Name, cost: int) -> Move:
    """Return the move that takes a package out of the project's requirements."""
    gone = _about(name, question.declared)
    changes = tuple(Change("remove", f"do without {name}", *_place(declared), "") for declared in gone)
    after: dict[Declared, Declared | None] = dict.fromkeys(gone)
    return Move(changes, lambda q: _with_rows(q, after), cost, ("remove", name))


def _contains(requirement: Requirement, version: str) -> bool:
    return requirement.specifier.contains(public_version(parse_version(version)), prereleases=True)


def _about(name: Name, rows: Iterable[Declared]) -> tuple[Declared, ...]:
    return tuple(row for row in rows if normalise(row.requirement.name) == name)


def _kind(question: Question, declared: Declared) -> tuple[ChangeKind, str]:
    """Return what a change of a row is, and the noun that goes before its name."""
    if declared in question.steering.constraints:
        return "constraint", "the constraint "
    return ("override", "the override ") if declared in question.steering.overrides else ("relax", "")


def _removed(kind: ChangeKind, declared: Declared, noun: str) -> Change:
    return Change(kind, f"remove {noun}{declared.requirement}", *_place(declared), "")


def _with_rows(question: Question, after: Mapping[Declared, Declared | None]) -> Question:
    """Return a question with rows replaced, or taken out, wherever they stand."""

    def changed(rows: tuple[Declared, ...]) -> tuple[Declared, ...]:
        return tuple(new for row in rows if (new := after.get(row, row)) is not None)

    steering = question.steering
    return replace(
        question,
        declared=changed(question.declared),
        steering=replace(steering, constraints=changed(steering.constraints), overrides=changed(steering.overrides)),
    )


def _without_marker(requirement: Requirement) -> str:
    return str(requirement).partition(";")[0].strip()


def _with_specifier(requirement: Requirement, specifier: str) -> Requirement:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f"; {requirement.marker}" if requirement.marker else ""
    return parse_requirement(f"{requirement.name}{extras}{specifier}{marker}")


def _place(declared: Declared) -> tuple[str, str]:
    """Return the file and the place in it where a requirement is written."""
    if declared.origin == COMMAND_LINE:
        return "", ""
    file, colon, line = declared.origin.rpartition(":")
    return (file, f"line {line}") if colon and line.isdecimal() else ("pyproject.toml", declared.origin)


def _line(declared: Declared, requirement: Requirement) -> str:
    """Return a requirement as its file writes it: a TOML string, literal where it holds double quotes, or as it is."""
    text = str(requirement)
    if _place(declared)[0] != "pyproject.toml":
        return text
    return f"'{text}'" if '"' in text and "'" not in text else f'"{text}"'
