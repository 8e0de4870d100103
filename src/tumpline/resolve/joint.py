"""The joint question: one version per package for all targets at once (R11).

What the solver sees as a package is a *node*: a name, an extra or none, and the set of targets on which it is asked
for. A node's domain is the AND of what those targets offer, so a version that one of them lacks is no candidate.
Nodes of one name on different sets of targets are linked: where both are selected, they are the same version. A name
that may diverge (R12) is asked for by one node for each target instead, and these are not linked.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from tumpline.errors import InputError
from tumpline.project import Declared
from tumpline.resolve.active import ActiveRequirements, MoreVersions
from tumpline.resolve.guards import TORCH, is_guarded, torch_clash
from tumpline.resolve.markers import MarkerEnvironment
from tumpline.resolve.needs import NeedsReader
from tumpline.resolve.nodes import Demand, Node, highest, places_of
from tumpline.resolve.offers import OfferBook
from tumpline.resolve.preference import Preference
from tumpline.resolve.reporter import Reporter
from tumpline.resolve.solver import ABSENT, Cause, Dependency, Incompatibility
from tumpline.resolve.steering import Steering, SteeringByTarget
from tumpline.resolve.table import Table
from tumpline.values import Name, normalise, parse_requirement, parse_version

__all__ = ["JointProblem"]

_UNSTEERED = Steering()


class JointProblem:
    """The solver's `Problems`, for one project on all its targets.

    `preferred` are versions to keep where they still fit, by target and name (R13); `apart` are the names that may have
    different versions on different targets (R12).
    """

    def __init__(
        self,
        book: OfferBook,
        reader: NeedsReader,
        declared: Sequence[Declared],
        *,
        preferred: Mapping[tuple[str, Name], Version] | None = None,
        apart: Container[Name] = frozenset(),
        steering: Steering = _UNSTEERED,
        reporter: Reporter | None = None,
    ) -> None:
        self.book = book
        self.reader = reader
        self.nodes: list[Node] = [Node(Name(""), "", (1 << len(book.targets)) - 1)]
        self.demands: list[Demand] = []
        self._declared = declared
        self._apart = apart
        self._numbers: dict[Node, int] = {}
        self._by_name: dict[Name, list[int]] = {}
        self._domains: list[int] = [0]
        self._environments = [MarkerEnvironment(target.markers) for target in book.targets]
        self.steers = SteeringByTarget(steering, self._environments)
        self.active = ActiveRequirements(book, reader, self.steers, self._environments)
        self._preference = Preference(book, preferred or {}, steering.order)
        self._reporter = reporter or Reporter()
        self._wheelhouses = sum(1 << place for place, target in enumerate(book.targets) if target.wheelhouse)
        self._tried: dict[int, int] = {}

    # What the solver asks

    def domain(self, package: int) -> int:
        """Return what all targets of a node can get."""
        node = self.nodes[package]
        table = self.book.table(node.name)
        domain = -1
        for place in places_of(node.targets):
            domain &= table.available[place]
        self._domains[package] = domain
        self._by_name.setdefault(node.name, []).append(package)
        return domain

    def links(self, package: int) -> Iterator[Incompatibility]:
        """Tie a new node to its constraints, and to what its siblings have already taken in this search."""
        yield from self._constraints(package)
        yield from self._clashes(package)
        for sibling in self._siblings(package):
            tried = self._tried.get(sibling, 0)
            while tried:
                version = tried & -tried
                tried ^= version
                yield Incompatibility({sibling: version, package: self._domains[package] & ~version}, Cause("parity"))

    def _constraints(self, package: int) -> Iterator[Incompatibility]:
        node = self.nodes[package]
        if node.extra:
            return  # its base is constrained
        for declared in self.steers.constraints.get(node.name, ()):
            specifier = declared.requirement.specifier
            if self.steers.places(declared) & node.targets:
                self._note_pins(node.name, specifier)
                forbidden = self._domains[package] & ~self.book.table(node.name).matching(str(specifier))
                if forbidden:
                    words = parse_requirement(f"{declared.requirement.name}{specifier}")
                    demand = Demand(0, 2, package, (words,), declared.origin, constraint=True)
                    self.demands.append(demand)
                    yield Incompatibility({package: forbidden}, Cause(demand))

    def _clashes(self, package: int) -> Iterator[Incompatibility]:
        name = self.nodes[package].name
        if name == TORCH:
            pairs = [(package, other) for met in self._by_name if is_guarded(met) for other in self._by_name[met]]
        elif is_guarded(name):
            pairs = [(other, package) for other in self._by_name.get(TORCH, ())]
        else:
            return
        for torch, guarded in pairs:
            places = places_of(self.nodes[torch].targets & self.nodes[guarded].targets)
            for near, far, clash in torch_clash(self.book, self.nodes[guarded].name, places):
                terms = {torch: near & self._domains[torch], guarded: far & self._domains[guarded]}
                if all(terms.values()):
                    yield Incompatibility(terms, Cause(clash))

    def choose(self, package: int, possible: Mapping[int, int], decided: Mapping[int, int]) -> int:
        """Return the version to try first: one that a sibling has, one to keep (R13), else the best (R3).

        Of what diverges the best is one that is near to what its siblings have, or may have yet (R12).
        """
        node, allowed = self.nodes[package], possible[package]
        table = self.book.table(node.name)
        apart = node.name in self._apart
        if apart and (kept := self._preference.kept(node, table) & allowed):
            # What one target had is nearer to what is locked than what another has.
            return self._try(package, highest(kept))
        siblings = [other for other in self._by_name[node.name] if other != package]
        together = allowed
        for other in siblings:
            # Where targets may differ, one of them does not decide for all the others.
            tied = not apart or self.nodes[other].targets == node.targets
            if tied and (taken := decided.get(other, 0)) & allowed:
                return taken
            together &= possible[other]
        others = [possible[other] & ~ABSENT for other in siblings] if apart and not together else ()
        return self._try(package, self._preference.best(node, table, together or allowed, others))

    def _try(self, package: int, version: int) -> int:
        node = self.nodes[package]
        if not node.extra:
            targets = tuple(self.book.targets[place].name for place in places_of(node.targets))
            self._reporter.trying(node.name, self.book.table(node.name).versions[version.bit_length() - 2], targets)
        self._tried[package] = self._tried.get(package, 0) | version
        return version

    def priority(self, package: int, allowed: int) -> tuple[int, ...]:
        """Decide what has one choice first, then what concerns a wheelhouse, then what the project itself names.

        A package that only machines need so far may yet be needed where there is a wheelhouse, whose few versions
        decide (R3); so it waits. What is equal is taken in order of appearance.
        """
        return (
            allowed & (allowed - 1) != 0,
            not self.nodes[package].targets & self._wheelhouses,
            self.nodes[package].name not in self._preference.direct,
            package,
        )

    def conflicting(self, packages: Iterable[int]) -> None:
        """Where a package in conflict could have more versions from an index, start again with them (R3)."""
        names = {self.nodes[package].name for package in packages if package}
        self._reporter.conflict(sorted(names))
        widened = [name for name in sorted(names) if self.book.widen(name)]
        if widened:
            raise MoreVersions

    def dependencies(self, package: int, version: int) -> list[Dependency] | str:
        """Return what a node's version needs on each of its targets, taken together per package."""
        if package == 0:
            return self._root_dependencies()
        node = self.nodes[package]
        asked: dict[tuple[Name, str], list[tuple[int, Requirement]]] = {}
        for place in places_of(node.targets):
            try:
                for requirement in self.active.of_version(node.name, place, version, node.extra).held:
                    self._ask(asked, place, requirement)
            except InputError as error:
                return self._unusable(node, version, error)
        dependencies = self._collect(package, version, asked, "")
        if node.extra:
            base = self._number(Node(node.name, "", node.targets))
            dependencies.append(Dependency(base, version, version))
        for sibling in self._siblings(package):
            dependencies.append(Dependency(sibling, version | ABSENT, version))
        return dependencies

    def _unusable(self, node: Node, version: int, error: InputError) -> str:
        reason = f"{error.problems[0].message}: {error.problems[0].why}".rstrip(": ")
        self._reporter.unusable(node.name, self.book.table(node.name).versions[version.bit_length() - 2], reason)
        return reason

    def may_diverge(self, name: Name) -> bool:
        """Say whether a name may have different versions on different targets (R12)."""
        return name in self._apart

    # The parts of an answer

    def _root_dependencies(self) -> list[Dependency]:
        dependencies: list[Dependency] = []
        names: list[Name] = []
        # Sorted, so that the order in which a file states its requirements changes nothing (R14).
        for declared in sorted(self._declared, key=_in_order):
            requirement = declared.requirement
            marker = str(requirement.marker or "")
            asked: dict[tuple[Name, str], list[tuple[int, Requirement]]] = {}
            for place, environment in enumerate(self._environments):
                if declared.meant_for(self.book.targets[place].name) and environment.holds(marker):
                    for each in self.active.of_project(declared, place)[0]:
                        self._ask(asked, place, each, declared.origin)
            if asked:
                names.append(normalise(requirement.name))
                self._preference.direct.add(names[-1])
                dependencies += self._collect(0, 2, asked, declared.origin)
        self.book.prefetch(names)
        return dependencies

    def _ask(
        self,
        asked: dict[tuple[Name, str], list[tuple[int, Requirement]]],
        place: int,
        requirement: Requirement,
        origin: str = "",
    ) -> None:
        name = normalise(requirement.name)
        if requirement.url and self.book.addressed(name, place) is None:
            raise InputError.of(
                "address-not-followed",
                f"it asks for {name} by address",
                where=origin,
                why="only the project, and what it takes by address, may do that",
                hint=f"add a requirement for {name} to the project itself",
            )
        for extra in ("", *sorted(normalise(extra) for extra in requirement.extras)):
            asked.setdefault((name, extra), []).append((place, requirement))

    def _collect(
        self,
        package: int,
        version: int,
        asked: dict[tuple[Name, str], list[tuple[int, Requirement]]],
        origin: str,
    ) -> list[Dependency]:
        """Make one dependency for each node asked for, with what all the specifiers admit that ask for it."""
        self.book.prefetch(sorted({name for name, _ in asked}))
        dependencies: list[Dependency] = []
        for (name, extra), rows in asked.items():
            for _, requirement in rows:
                self._note_pins(name, requirement.specifier)
            where = self.steers.origin(name) or origin
            for node, requirements in self._nodes(name, extra, rows):
                other, allowed = self._demand(node, requirements)
                dependencies.append(Dependency(other, allowed, version))
                self.demands.append(Demand(package, version, other, tuple(requirements), where))
        return dependencies

    def _nodes(
        self, name: Name, extra: str, rows: Sequence[tuple[int, Requirement]]
    ) -> Iterator[tuple[Node, list[Requirement]]]:
        """Yield the nodes that are asked for, and what is asked of each: one for all targets, or one for each (R12)."""
        if name in self._apart:
            for place in sorted({place for place, _ in rows}):
                yield Node(name, extra, 1 << place), _distinct(requirement for at, requirement in rows if at == place)
            return
        targets = 0
        for place, _ in rows:
            targets |= 1 << place
        yield Node(name, extra, targets), _distinct(requirement for _, requirement in rows)

    def _demand(self, node: Node, requirements: Sequence[Requirement]) -> tuple[int, int]:
        """Return a node's number, and the versions that satisfy the requirements."""
        table = self.book.table(node.name)
        allowed = -2
        for requirement in requirements:
            allowed &= table.matching(str(requirement.specifier))
        candidates = self._available(table, node.targets) & allowed
        lacking = not candidates or any(not table.matching(f"=={kept}") for kept in self._preference.versions(node))
        if lacking and self.book.widen(node.name):
            raise MoreVersions
        if candidates and node not in self._numbers:
            self._prefetch(node, self._preference.best(node, table, candidates))
        return self._number(node), allowed

    def _prefetch(self, node: Node, version: int) -> None:
        for place in places_of(node.targets):
            self.reader.prefetch(node.name, self.book.offer(node.name, place, version), self.book.targets[place])

    def _note_pins(self, name: Name, specifier: SpecifierSet) -> None:
        for clause in specifier:
            if clause.operator in ("==", "===") and not clause.version.endswith(".*"):
                try:
                    pinned = parse_version(clause.version)
                except InvalidVersion:
                    continue  # `===` may hold any text
                if self.book.pin(name, pinned):
                    raise MoreVersions

    @staticmethod
    def _available(table: Table, targets: int) -> int:
        domain = -1
        for place in places_of(targets):
            domain &= table.available[place]
        return domain

    def _number(self, node: Node) -> int:
        number = self._numbers.get(node)
        if number is None:
            number = self._numbers[node] = len(self.nodes)
            self.nodes.append(node)
            self._domains.append(0)
        return number

    def _siblings(self, package: int) -> list[int]:
        """Return the other nodes of the same name whose version must be the same; an extra follows its own base."""
        node = self.nodes[package]
        if node.extra or node.name in self._apart:
            return []
        return [other for other in self._by_name[node.name] if other != package and not self.nodes[other].extra]


def _distinct(requirements: Iterable[Requirement]) -> list[Requirement]:
    """Return requirements, each wording once."""
    return list({str(requirement): requirement for requirement in requirements}.values())


def _in_order(declared: Declared) -> tuple[Name, str, tuple[str, ...]]:
    return normalise(declared.requirement.name), str(declared.requirement), declared.targets
