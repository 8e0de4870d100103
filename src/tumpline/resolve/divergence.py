"""Which packages may differ between targets: as few as possible (R12).

That every package has one version on all targets is an assumption for each package. A search that fails under some
assumptions proves, beside its failure, which of them it rests on: a *core*. Of each core at least one package has to
diverge, so a smallest set of packages that hits all cores found so far is a lower bound; where the search succeeds with
just these apart, it is the answer, and otherwise there is one core more. The method is known as implicit hitting sets
(Moreno-Centeno and Karp, "The implicit hitting set approach to solve combinatorial optimization problems", 2013).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from tumpline.resolve.joint import JointProblem
from tumpline.resolve.solver import Dependency, Incompatibility
from tumpline.values import Name

__all__ = ["EVERYTHING", "Attempt", "core_of", "fewest_apart"]

Attempt = Callable[[Container[Name]], frozenset[Name] | None]
"""Searches with these names apart; returns None where that succeeds, else the core of the failure."""


class _Everything:
    """Contains every name."""

    def __contains__(self, name: object) -> bool:
        return True


EVERYTHING: Container[Name] = _Everything()


class _EverythingBut:
    def __init__(self, names: Iterable[Name]) -> None:
        self._names = frozenset(names)

    def __contains__(self, name: object) -> bool:
        return name not in self._names


def fewest_apart(
    attempt: Attempt, core: frozenset[Name], free: frozenset[Name], costly: Callable[[Name], bool]
) -> frozenset[Name]:
    """Return the smallest set of names with which `attempt` succeeds, beside `free`, which cost nothing.

    `core` is that of the search with only `free` apart, and the search with everything apart is known to succeed. Of
    sets of one size the one with the fewest names that are `costly` is taken, then the first by name. The last call of
    `attempt` is the successful one.
    """
    cores: list[frozenset[Name]] = []
    while True:
        cores.append(_least(attempt, core))
        apart = frozenset(_smallest_hitting(cores, costly)) | free
        found = attempt(apart)
        if found is None:
            return apart
        core = found


def _least(attempt: Attempt, core: frozenset[Name]) -> frozenset[Name]:
    """Return a part of a core from which nothing more can be left out: small cores need few rounds."""
    for name in sorted(core):
        if name in core and len(core) > 1:
            smaller = attempt(_EverythingBut(core - {name}))
            if smaller is not None:
                core = smaller
    return core


def _smallest_hitting(cores: Sequence[frozenset[Name]], costly: Callable[[Name], bool]) -> tuple[Name, ...]:
    """Return the best set that has a name of every core: by size, then by its costly names, then by name."""
    best: tuple[int, int, tuple[Name, ...]] | None = None

    def grow(chosen: tuple[Name, ...]) -> None:
        nonlocal best
        if best is not None and len(chosen) > best[0]:
            return
        missed = next((core for core in cores if core.isdisjoint(chosen)), None)
        if missed is None:
            names = tuple(sorted(chosen))
            found = (len(names), sum(map(costly, names)), names)
            best = found if best is None else min(best, found)
            return
        for name in sorted(missed):
            grow((*chosen, name))

    grow(())
    assert best is not None  # noqa: S101 - no core is empty
    return best[2]


def core_of(problem: JointProblem, proof: Incompatibility) -> frozenset[Name]:
    """Return the names of which a proof assumes that they have one version on all their targets."""
    return frozenset(name for leaf in proof.leaves() for name in _tied(problem, leaf))


def _tied(problem: JointProblem, leaf: Incompatibility) -> Iterator[Name]:
    """Yield the names that one assumption of a proof ties: by a node for several targets, or by linked nodes."""
    packages = set(leaf.terms)
    if isinstance(leaf.cause.reason, Dependency):
        # Where nothing fulfils a demand, the package asked for is not among the terms.
        packages.add(leaf.cause.reason.package)
    targets: dict[Name, int] = {}
    for package in packages - {0}:
        node = problem.nodes[package]
        if node.targets & (node.targets - 1) or targets.setdefault(node.name, node.targets) != node.targets:
            yield node.name
