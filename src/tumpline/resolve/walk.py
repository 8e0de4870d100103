"""What a solution really gives each target: a walk from the project's requirements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from packaging.version import Version

from tumpline.project import Declared
from tumpline.resolve.joint import JointProblem
from tumpline.resolve.markers import MarkerEnvironment
from tumpline.resolve.model import Choice, Resolution, Resolved, Statistics
from tumpline.resolve.offer import Offer
from tumpline.values import Name, normalise, public_version

__all__ = ["Walk"]


class Walk:
    """Walks from the project's requirements through a solution: what they really reach, target by target.

    A search may have selected more than that on its way, and a node says only on which targets it was asked for.
    """

    def __init__(self, problem: JointProblem, declared: Sequence[Declared], decided: Mapping[int, int]) -> None:
        self._problem = problem
        self._book = book = problem.book
        self._declared = declared
        self._left_out: list[tuple[str, str]] = []
        self._unknown_extras: set[tuple[Name, Name, Version]] = set()
        self._versions: dict[tuple[Name, int], int] = {}
        for number, version in decided.items():
            node = problem.nodes[number]
            for place in range(len(book.targets)):
                if number and node.targets >> place & 1:
                    self._versions[node.name, place] = version
        self._found, self._roots = self._go()

    def differing(self) -> tuple[Name, ...]:
        """Return the names whose public version is not the same wherever they are needed, sorted."""
        return tuple(name for name, choices in self._found.items() if len(_publics(choices)) > 1)

    def resolution(self, divergences: Mapping[Name, str], statistics: Statistics) -> Resolution:
        """Return the resolution; `divergences` says of the names that differ why they do."""
        packages = tuple(
            Resolved(name, _version(choices), choices, divergences.get(name, ""))
            for name, choices in self._found.items()
        )
        left_out = tuple(dict.fromkeys(self._left_out))
        unknown = tuple(sorted(self._unknown_extras))
        return Resolution(self._book.targets, self._roots, packages, statistics, left_out, unknown)

    def _go(self) -> tuple[dict[Name, tuple[Choice, ...]], tuple[Name, ...]]:
        """Return what is chosen of each name, sorted, and what the project itself names."""
        found: dict[Name, list[Choice]] = {}
        roots: set[Name] = set()
        for place in range(len(self._book.targets)):
            choices, asked = self._on_target(place)
            roots |= asked
            for name, choice in choices.items():
                found.setdefault(name, []).append(choice)
        return {name: tuple(found[name]) for name in sorted(found)}, tuple(sorted(roots))

    def _on_target(self, place: int) -> tuple[dict[Name, Choice], set[Name]]:
        target = self._book.targets[place]
        environment = MarkerEnvironment(target.markers)
        pending: list[tuple[Name, str]] = []
        roots: set[Name] = set()
        asked_extras: set[tuple[Name, Name]] = set()
        for declared in self._declared:
            requirement = declared.requirement
            if declared.meant_for(target.name) and environment.holds(str(requirement.marker or "")):
                held, stood_for = self._problem.active.of_project(declared, place)
                self._left_out += [(target.name, words) for words in stood_for]
                for asked in held:
                    name = normalise(asked.name)
                    roots.add(name)
                    asked_extras.update((name, normalise(extra)) for extra in asked.extras)
                    pending += [(name, extra) for extra in ("", *map(normalise, asked.extras))]
        needed: dict[Name, set[Name]] = {}
        offers: dict[Name, Offer] = {}
        unmet: dict[Name, set[str]] = {}
        replaced: dict[Name, set[str]] = {}
        seen: set[tuple[Name, str]] = set()
        while pending:
            name, extra = item = pending.pop()
            if item in seen:
                continue
            seen.add(item)
            version = self._versions[name, place]
            offers[name] = self._book.offer(name, place, version)
            active = self._problem.active.of_version(name, place, version, extra)
            unmet.setdefault(name, set()).update(active.unmet)
            replaced.setdefault(name, set()).update(active.stood_for)
            requires = needed.setdefault(name, set())
            for requirement_here in active.held:
                other = normalise(requirement_here.name)
                if other != name:
                    requires.add(other)
                pending += [(other, e) for e in ("", *map(normalise, requirement_here.extras))]
        reader = self._problem.reader
        for name, extra in asked_extras:
            has = reader.needs(name, offers[name], target).extras
            # Old metadata names extras only where something is asked for with them.
            lines = self._problem.active.of_version(name, place, self._versions[name, place], extra).held
            if has is not None and extra not in map(normalise, has) and not lines:
                self._unknown_extras.add((name, extra, public_version(offers[name].version)))
        return {
            name: Choice(
                target.name,
                offers[name],
                tuple(sorted(requires)),
                _approximation(reader.needs(name, offers[name], target).approximate, unmet[name], replaced[name]),
            )
            for name, requires in needed.items()
        }, roots


def _publics(choices: Sequence[Choice]) -> Counter[Version]:
    return Counter(public_version(choice.offer.version) for choice in choices)


def _version(choices: Sequence[Choice]) -> Version:
    """Return the version that most targets have, of equals the first target's; of its spellings the highest's."""
    ((version, _),) = _publics(choices).most_common(1)
    return max(public for choice in choices if (public := public_version(choice.offer.version)) == version)


def _approximation(why: str, unmet: set[str], replaced: set[str]) -> str:
    parts = [why] if why else []
    if unmet:
        parts.append(f"left out, since nothing on the site meets it: {', '.join(sorted(unmet))}")
    if replaced:
        parts.append(f"left out, since the site's CUDA stands for it: {', '.join(sorted(replaced))}")
    return "; ".join(parts)
