"""From the solver's proof to an explanation: who asks for what, and what each target had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tumpline.addresses import bare_address
from tumpline.resolve.absence import account_of
from tumpline.resolve.explanation import Account, AtAddress, Clause, Explanation, Lack, Unusable
from tumpline.resolve.guards import Clash
from tumpline.resolve.joint import JointProblem
from tumpline.resolve.nodes import Demand
from tumpline.resolve.solver import Dependency, GaveUp, Incompatibility, Unsatisfiable
from tumpline.resolve.words import divergence_words
from tumpline.values import Name

__all__ = ["describe_divergence", "explain_failure"]


def explain_failure(problem: JointProblem, answer: Unsatisfiable | GaveUp) -> Explanation:
    """Say from the solver's proof what can not hold together, and what the targets lack."""
    leaves = list(answer.incompatibility.leaves())
    demands = _demands(problem, leaves)
    # A proof names one thing that can not be; what else the project asks for in vain is told as well.
    asked_by_project = [demand for demand in problem.demands if demand.asker == 0 and not demand.constraint]
    concerned = {problem.nodes[demand.asked].name for demand in (*demands, *asked_by_project)}
    asked_by_project += [d for d in problem.demands if d.constraint and problem.nodes[d.asked].name in concerned]
    lacks = tuple(_lacks(problem, list(dict.fromkeys([*demands, *asked_by_project]))))
    unproved = _askers(problem, demands, problem.demands) if isinstance(answer, GaveUp) else ()
    clauses = _clauses(problem, [*reversed(list(unproved)), *demands])
    places = {clause.targets for clause in clauses}
    only = places.pop() if len(places) == 1 else ()
    conflicts = answer.conflicts if isinstance(answer, GaveUp) else 0
    return Explanation(
        clauses,
        only,
        lacks,
        tuple(_needs(problem, demands, {lack.name for lack in lacks})),
        tuple(_unusable(problem, leaves)),
        tuple(_addressed(problem, demands)),
        conflicts,
        tuple(dict.fromkeys(reason for leaf in leaves if isinstance(reason := leaf.cause.reason, Clash))),
    )


def describe_divergence(name: Name, problem: JointProblem, answer: Unsatisfiable | GaveUp) -> str:
    """Say in one line why a package can not be the same version on all targets, from the proof that it can not."""
    demands = _demands(problem, list(answer.incompatibility.leaves()))
    rows = [demand for demand in demands if problem.nodes[demand.asked].name == name]
    accounts, common = _accounts(problem, name, rows)
    return divergence_words(
        accounts if len(accounts) > 1 and all(a.versions for a in accounts) and not common else (),
        _clauses(problem, demands),
    )


def _demands(problem: JointProblem, leaves: Sequence[Incompatibility]) -> list[Demand]:
    """Return the words behind the dependencies of a proof, those of the project first."""
    by_key = {(d.asker, d.version, d.asked): d for d in problem.demands if not d.constraint}
    found: dict[object, Demand] = {}
    for leaf in leaves:
        reason = leaf.cause.reason
        if isinstance(reason, Dependency):
            asker = next((package for package in leaf.terms if package != reason.package), reason.package)
            key = (asker, reason.dependers, reason.package)
            if key in by_key:
                found.setdefault(key, by_key[key])
        elif isinstance(reason, Demand):
            found[reason] = reason
    return sorted(
        found.values(),
        key=lambda d: (d.asker != 0, d.constraint, problem.nodes[d.asked].name, problem.nodes[d.asker].name),
    )


def _clauses(problem: JointProblem, demands: Sequence[Demand]) -> tuple[Clause, ...]:
    """Tell who asks for what: versions that ask for the same are taken together, and so are targets."""
    versions: dict[tuple[str, Name, str, bool, int], int] = {}
    origins: dict[tuple[str, str, bool], dict[str, None]] = {}
    askers: dict[str, Name] = {}
    for demand in demands:
        asker, asked = problem.nodes[demand.asker], problem.nodes[demand.asked]
        label = f"{asker.name}[{asker.extra}]" if asker.extra else str(asker.name)
        askers[label] = asker.name
        key = (label, asked.name, demand.requirement, demand.constraint, asked.targets)
        versions[key] = versions.get(key, 0) | demand.version
        if demand.origin:
            origins.setdefault((label, demand.requirement, demand.constraint), {})[demand.origin] = None
    targets: dict[tuple[str, Name, str, bool, int], int] = {}
    for (label, name, requirement, constraint, places), bits in versions.items():
        merged = (label, name, requirement, constraint, bits)
        targets[merged] = targets.get(merged, 0) | places
    return tuple(
        Clause(
            label,
            requirement,
            name,
            *(_versions(problem, askers[label], bits) if label else ((), False)),
            targets=_target_names(problem, places),
            origins=tuple(origins.get((label, requirement, constraint), ())),
            constraint=constraint,
        )
        for (label, name, requirement, constraint, bits), places in targets.items()
    )


def _versions(problem: JointProblem, name: Name, bits: int) -> tuple[tuple[str, ...], bool]:
    """Return the versions of a set, newest first, and whether no target has others."""
    table = problem.book.table(name)
    had = 0
    for available in table.available:
        had |= available
    return table.spelled(bits), not had & ~bits


def _target_names(problem: JointProblem, places: int) -> tuple[str, ...]:
    targets = problem.book.targets
    names = tuple(target.name for place, target in enumerate(targets) if places >> place & 1)
    return names if len(names) < len(targets) else ()


def _addressed(problem: JointProblem, demands: Sequence[Demand]) -> Iterator[AtAddress]:
    """Yield the packages asked for that are taken by address."""
    found: dict[tuple[Name, str, str], int] = {}
    for demand in demands:
        node = problem.nodes[demand.asked]
        for place in range(len(problem.book.targets)):
            if node.targets >> place & 1 and (taken := problem.book.addressed(node.name, place)) is not None:
                key = (node.name, taken.metadata.core.version, bare_address(taken.address))
                found[key] = found.get(key, 0) | 1 << place
    for (name, version, address), places in found.items():
        yield AtAddress(name, version, address, _target_names(problem, places))


def _unusable(problem: JointProblem, leaves: Sequence[Incompatibility]) -> Iterator[Unusable]:
    for leaf in leaves:
        if isinstance(leaf.cause.reason, str) and leaf.cause.reason != "parity":
            (package, version), *_ = leaf.terms.items()
            name = problem.nodes[package].name
            for number in problem.book.table(name).spelled(version):
                yield Unusable(name, number, leaf.cause.reason)


def _lacks(problem: JointProblem, demands: Sequence[Demand]) -> Iterator[Lack]:
    """Yield each package of the proof of which a target has nothing, or of which they have no version in common."""
    grouped: dict[Name, list[Demand]] = {}
    for demand in demands:
        grouped.setdefault(problem.nodes[demand.asked].name, []).append(demand)
    for name, rows in sorted(grouped.items()):
        accounts, common = _accounts(problem, name, rows)
        if all(account.versions for account in accounts) and (problem.may_diverge(name) or common):
            continue
        yield Lack(name, _clauses(problem, [*reversed(list(_askers(problem, rows, demands))), *rows]), accounts)


def _askers(problem: JointProblem, rows: Sequence[Demand], demands: Sequence[Demand]) -> Iterator[Demand]:
    """Yield who asks for those who ask, up to the project."""
    pending = [row.asker for row in rows]
    seen = {0, *(row.asked for row in rows)}
    for asker in pending:
        if asker not in seen:
            seen.add(asker)
            for demand in demands:
                if demand.asked == asker:
                    yield demand
                    pending.append(demand.asker)


def _accounts(problem: JointProblem, name: Name, rows: Sequence[Demand]) -> tuple[tuple[Account, ...], int]:
    """Return what each target concerned has of what the project asks for, and which versions all of them have."""
    table = problem.book.table(name)
    # Only what the project itself asks for holds for certain; other demands come and go with versions.
    specifiers = [str(r.specifier) for row in rows if row.asker == 0 for r in row.requirements]
    wanted = common = -1
    for specifier in specifiers:
        wanted &= table.matching(specifier)
    found: list[Account] = []
    for place, available in enumerate(table.available):
        if any(problem.nodes[row.asked].targets >> place & 1 for row in rows):
            common &= available & wanted
            found.append(account_of(problem.book, name, place, wanted, specifiers, _alternatives(problem, rows)))
    return tuple(found), common


def _alternatives(problem: JointProblem, rows: Sequence[Demand]) -> list[tuple[str, ...]]:
    """Return what packages ask of one, by package: of its versions each may ask for something else."""
    asked: dict[Name, dict[str, None]] = {}
    for row in rows:
        if row.asker:
            specifiers = ",".join(filter(None, (str(requirement.specifier) for requirement in row.requirements)))
            asked.setdefault(problem.nodes[row.asker].name, {})[specifiers] = None
    return [tuple(found) for found in asked.values()]


def _needs(problem: JointProblem, demands: Sequence[Demand], told: set[Name]) -> Iterator[Lack]:
    """Yield what packages ask for that a target does not have, with the rest of what it has."""
    seen: set[tuple[Name, str]] = set()
    for demand in demands:
        node = problem.nodes[demand.asked]
        if demand.asker == 0 or node.name in told or (node.name, demand.requirement) in seen:
            continue
        table = problem.book.table(node.name)
        specifiers = [str(requirement.specifier) for requirement in demand.requirements]
        wanted = -1
        for specifier in specifiers:
            wanted &= table.matching(specifier)
        places = [place for place in range(len(table.available)) if node.targets >> place & 1]
        if any(not table.available[place] & wanted for place in places):
            seen.add((node.name, demand.requirement))
            accounts = tuple(account_of(problem.book, node.name, place, wanted, specifiers) for place in places)
            yield Lack(node.name, _clauses(problem, [demand]), accounts)
