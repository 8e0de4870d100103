"""PubGrub over integer bit sets: pure, no I/O, knows nothing of packaging.

A *package* is a small integer. The versions of a package are the bits 1, 2, 3 … of an integer, and bit 0 stands
for "not selected". A *term* is then simply a set of such bits, conjunction is AND, negation is complement, and the
positive and negative terms of the PubGrub description (Natalie Weizenbaum, "PubGrub: Next-Generation Version
Solving", 2018) need no separate treatment: a negative term is a set that contains bit 0.

An *incompatibility* maps packages to sets that can not all hold together. The rooms of the description are here
under their own names: propagation, conflict analysis, decisions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

__all__ = [
    "ABSENT",
    "MAX_CONFLICTS",
    "Cause",
    "Dependency",
    "GaveUp",
    "Incompatibility",
    "Problems",
    "Solver",
    "Unsatisfiable",
]

ABSENT = 1
"""The bit that stands for "this package is not selected"."""

MAX_CONFLICTS = 20_000
"""Conflicts after which a search is given up: each costs well under a millisecond, so that it ends in seconds."""

_FACTS_PER_ROUND = 64
"""So many conflicts end on level 0 before incompatibilities that say nothing any more are dropped."""

ROOT = 0
ROOT_VERSION = 2


@dataclass(frozen=True, slots=True)
class Dependency:
    """A version's demand on another package: its value must lie in `allowed`.

    `allowed` contains `ABSENT` where the demand is only "if it is selected at all". `dependers` is the set of the
    demanding package's versions that are known to demand exactly the same, at least the version asked about.
    """

    package: int
    allowed: int
    dependers: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an incompatibility holds: a dependency, or a version that can not be used (`reason`).

    `parents` are the two incompatibilities it was derived from in conflict analysis, where it was.
    """

    reason: object = None
    parents: tuple[Incompatibility, Incompatibility] | None = None


@dataclass(slots=True, eq=False)
class Incompatibility:
    """Sets of values, by package, that can not all hold together."""

    terms: dict[int, int]
    cause: Cause = field(default_factory=Cause)

    def leaves(self) -> Iterator[Incompatibility]:
        """Yield the incompatibilities that this one was derived from in the end, each once, the nearest first."""
        pending, seen = [self], {id(self)}
        for current in pending:
            if current.cause.parents is None:
                yield current
                continue
            for parent in current.cause.parents:
                if id(parent) not in seen:
                    seen.add(id(parent))
                    pending.append(parent)


class Problems(Protocol):
    """What the solver asks of its caller; every answer must be the same whenever it is asked again."""

    def domain(self, package: int) -> int:
        """Return the set of versions that exist, without `ABSENT`; asked once, when the package is first met."""
        ...

    def links(self, package: int) -> Iterable[Incompatibility]:
        """Return incompatibilities that follow from the mere appearance of a package; asked once, after `domain`."""
        ...

    def choose(self, package: int, possible: Mapping[int, int], decided: Mapping[int, int]) -> int:
        """Return the bit of the version to try first.

        `possible` maps each package met so far to the set of values that it may still have, that of `package` without
        `ABSENT`; `decided` maps those that are decided to their bits.
        """
        ...

    def priority(self, package: int, allowed: int) -> tuple[int, ...]:
        """Return the rank of a package among the undecided; the smallest is decided first."""
        ...

    def dependencies(self, package: int, version: int) -> Iterable[Dependency] | str:
        """Return what the version (a bit) demands, or a reason why it can not be used after all."""
        ...

    def conflicting(self, packages: Iterable[int]) -> None:
        """Hear of a conflict between packages; may raise to stop the search (to come back with more versions)."""
        ...


class Unsatisfiable(Exception):
    """No solution exists; `incompatibility` and the causes behind it are the proof."""

    def __init__(self, incompatibility: Incompatibility) -> None:
        super().__init__("no solution exists")
        self.incompatibility = incompatibility


class GaveUp(Exception):
    """The search went on for too long; `incompatibility` is what it was last in conflict with."""

    def __init__(self, incompatibility: Incompatibility, conflicts: int) -> None:
        super().__init__(f"no solution found within {conflicts} conflicts")
        self.incompatibility = incompatibility
        self.conflicts = conflicts


@dataclass(slots=True)
class _Assignment:
    package: int
    before: int
    after: int
    level: int
    cause: Incompatibility | None


class Solver:
    """One search. Package 0 is the root, whose single version (bit 1) demands what the caller wants.

    `max_conflicts` bounds the search.
    """

    def __init__(self, problems: Problems, *, max_conflicts: int = MAX_CONFLICTS) -> None:
        self._problems = problems
        self._max_conflicts = max_conflicts
        self._full: dict[int, int] = {}
        self._allowed: dict[int, int] = {}
        self._trail: list[_Assignment] = []
        self._history: dict[int, list[int]] = {}
        self._incompatibilities: dict[int, list[Incompatibility]] = {}
        self._undecided: set[int] = set()
        self._decided: dict[int, int] = {}
        self._known: set[tuple[int, int, int, int]] = set()
        self._conflicts_of: dict[int, int] = {}
        self._level = 0
        self._facts = 0
        self.conflicts = 0
        self.decisions = 0

    def solve(self) -> dict[int, int]:
        """Return the chosen version (a bit) of every selected package, root included.

        Raises Unsatisfiable, GaveUp, and whatever `Problems.conflicting` raises.
        """
        self._meet(ROOT)
        self._assign(ROOT, ROOT_VERSION, None)
        self._expand(ROOT, ROOT_VERSION)
        self._decided[ROOT] = ROOT_VERSION
        self._undecided.discard(ROOT)
        changed = ROOT
        while True:
            self._propagate(changed)
            if not self._undecided:
                return dict(self._decided)
            changed = self._decide()

    # Decisions

    def _decide(self) -> int:
        problems = self._problems
        package = min(
            self._undecided,
            key=lambda p: (-min(self._conflicts_of.get(p, 0) // 4, 3), *problems.priority(p, self._allowed[p])),
        )
        version = problems.choose(package, self._allowed, self._decided)
        if self._expand(package, version):
            # Deciding now would only be undone by the next propagation, which rules the version out instead.
            return package
        self.decisions += 1
        self._level += 1
        self._assign(package, version, None)
        self._decided[package] = version
        self._undecided.discard(package)
        return package

    def _expand(self, package: int, version: int) -> bool:
        """Learn what a version demands; return whether a demand is violated already."""
        answer = self._problems.dependencies(package, version)
        if isinstance(answer, str):
            self._add(Incompatibility({package: version}, Cause(reason=answer)))
            return True
        violated = False
        for dependency in answer:
            other = dependency.package
            self._meet(other)
            key = (package, dependency.dependers, other, dependency.allowed)
            forbidden = self._full[other] & ~dependency.allowed
            if key not in self._known:
                self._known.add(key)
                terms = {package: dependency.dependers}
                if other == package:
                    terms[package] &= forbidden
                elif forbidden != self._full[other]:
                    terms[other] = forbidden
                # Otherwise nothing fulfils the demand: the version can not be used, whatever else is chosen.
                self._add(Incompatibility(terms, Cause(reason=dependency)))
            if not (version if other == package else self._allowed[other]) & ~forbidden:
                violated = True
        return violated

    def _meet(self, package: int) -> None:
        if package in self._full:
            return
        domain = ROOT_VERSION if package == ROOT else self._problems.domain(package)
        self._full[package] = self._allowed[package] = domain | ABSENT
        self._history[package] = []
        self._incompatibilities.setdefault(package, [])
        if package != ROOT:
            for incompatibility in self._problems.links(package):
                self._add(incompatibility)

    def _add(self, incompatibility: Incompatibility) -> None:
        for package in incompatibility.terms:
            self._incompatibilities.setdefault(package, []).append(incompatibility)

    # The partial solution

    def _assign(self, package: int, values: int, cause: Incompatibility | None) -> None:
        before = self._allowed[package]
        after = before & values
        self._history[package].append(len(self._trail))
        self._trail.append(_Assignment(package, before, after, self._level, cause))
        self._allowed[package] = after
        if before & ABSENT and not after & ABSENT:
            self._undecided.add(package)

    def _backtrack(self, level: int) -> None:
        trail = self._trail
        while trail and trail[-1].level > level:
            last = trail.pop()
            package = last.package
            self._history[package].pop()
            self._allowed[package] = last.before
            if last.cause is None:
                del self._decided[package]
                self._undecided.add(package)
            if last.before & ABSENT:
                self._undecided.discard(package)
        self._level = level

    # Propagation

    def _propagate(self, package: int) -> None:
        queue = [package]
        allowed = self._allowed
        while queue:
            current = queue.pop()
            restart = False
            for incompatibility in reversed(self._incompatibilities[current]):
                unit = -1
                for other, values in incompatibility.terms.items():
                    now = allowed[other]
                    if not now & values:
                        unit = -2  # this term is false: nothing follows
                        break
                    if now & ~values:
                        if unit >= 0:
                            unit = -2  # two terms are open: nothing follows yet
                            break
                        unit = other
                if unit == -2:
                    continue
                if unit == -1:
                    unit, incompatibility = self._analyse(incompatibility)
                    restart = True
                values = incompatibility.terms[unit]
                self._assign(unit, self._full[unit] & ~values, incompatibility)
                if restart:
                    if self._level == 0:
                        self._forget()
                    queue = [unit]
                    break
                if unit not in queue:
                    queue.append(unit)

    def _forget(self) -> None:
        """Now and then drop the incompatibilities that say nothing any more.

        What is known on level 0 is never undone: an incompatibility with a term that is false there holds for ever.
        Where versions are ruled out one by one, by thousands, looking at all of them each time would take most of it.
        """
        self._facts += 1
        if self._facts % _FACTS_PER_ROUND:
            return
        allowed = self._allowed
        for package, known in self._incompatibilities.items():
            self._incompatibilities[package] = [
                each for each in known if all(allowed[other] & values for other, values in each.terms.items())
            ]

    # Conflict analysis

    def _analyse(self, conflict: Incompatibility) -> tuple[int, Incompatibility]:
        """Derive the root cause of a conflict, go back to where it was not yet decided, and return what follows.

        The result is a package and an incompatibility whose other terms all hold after going back.
        """
        self.conflicts += 1
        if self.conflicts > self._max_conflicts:
            raise GaveUp(conflict, self.conflicts)
        for package in conflict.terms:
            self._conflicts_of[package] = self._conflicts_of.get(package, 0) + 1
        self._problems.conflicting(conflict.terms)
        incompatibility = conflict
        derived = False
        while True:
            if not incompatibility.terms or set(incompatibility.terms) == {ROOT}:
                raise Unsatisfiable(incompatibility)
            package, satisfier, previous_level = self._satisfier(incompatibility)
            assignment = self._trail[satisfier]
            if assignment.cause is None or previous_level < assignment.level:
                self._backtrack(previous_level)
                if derived:
                    self._add(incompatibility)
                return package, incompatibility
            incompatibility = self._resolve(incompatibility, assignment.cause, package)
            derived = True

    def _satisfier(self, incompatibility: Incompatibility) -> tuple[int, int, int]:
        """Return the package whose assignment completed the conflict, that assignment's position in the trail,
        and the decision level at which all the rest was already so."""
        trail = self._trail
        latest, latest_package, previous_level = -1, -1, 0
        for package, values in incompatibility.terms.items():
            position = self._first_within(package, values)
            if position > latest:
                if latest >= 0:
                    previous_level = max(previous_level, trail[latest].level)
                latest, latest_package = position, package
            else:
                previous_level = max(previous_level, trail[position].level)
        assignment = trail[latest]
        if assignment.cause is not None:
            # The assignment alone may not imply the term: then what narrowed the package before counts too.
            own = self._full[latest_package] & ~assignment.cause.terms[latest_package]
            outside = own & ~incompatibility.terms[latest_package]
            if outside:
                position = self._first_within(latest_package, ~outside)
                previous_level = max(previous_level, trail[position].level)
        return latest_package, latest, previous_level

    def _first_within(self, package: int, values: int) -> int:
        """Return the position of the first assignment after which a package had only these values: sets only shrink."""
        history, trail = self._history[package], self._trail
        return history[bisect_left(history, True, key=lambda position: not trail[position].after & ~values)]

    def _resolve(self, first: Incompatibility, second: Incompatibility, package: int) -> Incompatibility:
        """Return what follows from both: their other terms together, and for `package` the union of its sets."""
        terms = dict(first.terms)
        for other, values in second.terms.items():
            terms[other] = terms[other] & values if other in terms else values
        union = first.terms[package] | second.terms[package]
        if union == self._full[package]:
            del terms[package]
        else:
            terms[package] = union
        return Incompatibility(terms, Cause(parents=(first, second)))
