"""Resolve a project for all its targets, and say what was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from packaging.version import Version

from tumpline.catalogue import CatalogueReader
from tumpline.errors import NoResolution
from tumpline.index import IndexReader
from tumpline.project import Declared, PackageRule
from tumpline.resolve.joint import JointProblem, MoreVersions
from tumpline.resolve.markers import MarkerEnvironment
from tumpline.resolve.needs import NeedsReader
from tumpline.resolve.offers import Offer, OfferBook
from tumpline.resolve.solver import GaveUp, Solver, Unsatisfiable
from tumpline.resolve.target import Target
from tumpline.values import Name, normalise, public_version

__all__ = ["Choice", "Resolution", "Resolved", "Statistics", "resolve"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What one target gets of a package. `requires` are the names it needs there, sorted."""

    target: str
    offer: Offer
    requires: tuple[Name, ...]
    approximate: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """One package: its public version, and a choice for each target that needs it, in the targets' order."""

    name: Name
    version: Version
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a search took: `searches` counts the runs (more than one where an index had to add versions)."""

    searches: int
    decisions: int
    conflicts: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """One version per package for all targets; packages are sorted by name (R14)."""

    targets: tuple[Target, ...]
    roots: tuple[Name, ...]
    packages: tuple[Resolved, ...]
    statistics: Statistics


def resolve(
    declared: Sequence[Declared],
    targets: Sequence[Target],
    catalogues: Sequence[CatalogueReader | None],
    index: IndexReader | None,
    *,
    rules: Mapping[Name, PackageRule] | None = None,
    preferred: Mapping[Name, Version] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Resolution:
    """Choose one version per package for all targets together.

    `catalogues` is parallel to `targets`. `preferred` are versions to keep where they still fit (R13).
    `progress` hears a few words whenever a search starts again. Raises NoResolution with an account of what can not
    hold together, InputError for requirements that can not be read, EnvironmentFailure from the index.
    """
    book = OfferBook(targets, catalogues, index, rules or {})
    reader = NeedsReader(index)
    searches = 0
    while True:
        searches += 1
        problem = JointProblem(book, reader, declared, preferred=preferred)
        solver = Solver(problem)
        try:
            decided = solver.solve()
        except MoreVersions:
            if progress is not None:
                progress(f"search {searches + 1}: more versions from the index")
            continue
        except (Unsatisfiable, GaveUp) as answer:
            from tumpline.resolve.report import describe_failure

            raise NoResolution(*describe_failure(problem, answer)) from None
        statistics = Statistics(searches, solver.decisions, solver.conflicts)
        return _Walk(problem, declared, decided).resolution(statistics)


class _Walk:
    """Walks from the project's requirements through a solution: what they really reach, target by target.

    A search may have selected more than that on its way, and a node says only on which targets it was asked for.
    """

    def __init__(self, problem: JointProblem, declared: Sequence[Declared], decided: Mapping[int, int]) -> None:
        self._problem = problem
        self._book = book = problem.book
        self._declared = declared
        self._versions: dict[tuple[Name, int], int] = {}
        for number, version in decided.items():
            node = problem.nodes[number]
            for place in range(len(book.targets)):
                if number and node.targets >> place & 1:
                    self._versions[node.name, place] = version

    def resolution(self, statistics: Statistics) -> Resolution:
        """Return the resolution."""
        found: dict[Name, list[Choice]] = {}
        roots: set[Name] = set()
        for place in range(len(self._book.targets)):
            choices, asked = self._on_target(place)
            roots |= asked
            for name, choice in choices.items():
                found.setdefault(name, []).append(choice)
        packages = tuple(
            Resolved(name, max(public_version(choice.offer.version) for choice in found[name]), tuple(found[name]))
            for name in sorted(found)
        )
        return Resolution(self._book.targets, tuple(sorted(roots)), packages, statistics)

    def _on_target(self, place: int) -> tuple[dict[Name, Choice], set[Name]]:
        target = self._book.targets[place]
        environment = MarkerEnvironment(target.markers)
        pending: list[tuple[Name, str]] = []
        roots: set[Name] = set()
        for declared in self._declared:
            requirement = declared.requirement
            if environment.holds(str(requirement.marker or "")):
                name = normalise(requirement.name)
                roots.add(name)
                pending += [(name, extra) for extra in ("", *map(normalise, requirement.extras))]
        needed: dict[Name, set[Name]] = {}
        offers: dict[Name, Offer] = {}
        left_out: dict[Name, set[str]] = {}
        seen: set[tuple[Name, str]] = set()
        while pending:
            name, extra = item = pending.pop()
            if item in seen:
                continue
            seen.add(item)
            version = self._versions[name, place]
            offers[name] = self._book.offer(name, place, version)
            held, dropped = self._problem.requirements(name, place, version, extra)
            left_out.setdefault(name, set()).update(map(str, dropped))
            requires = needed.setdefault(name, set())
            for requirement_here in held:
                other = normalise(requirement_here.name)
                if other != name:
                    requires.add(other)
                pending += [(other, e) for e in ("", *map(normalise, requirement_here.extras))]
        reader = self._problem.reader
        return {
            name: Choice(
                target.name,
                offers[name],
                tuple(sorted(requires)),
                _approximation(reader.needs(name, offers[name], target).approximate, left_out[name]),
            )
            for name, requires in needed.items()
        }, roots


def _approximation(why: str, left_out: set[str]) -> str:
    if not left_out:
        return why
    return f"{why}; left out, since nothing on the site meets it: {', '.join(sorted(left_out))}"
