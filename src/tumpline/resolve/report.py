"""Why there is no resolution: the requirements that can not hold together, and what each target had."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import Version

from tumpline.addresses import bare_address
from tumpline.errors import Problem
from tumpline.resolve.absence import Absence, why_absent
from tumpline.resolve.joint import Demand, JointProblem
from tumpline.resolve.offers import OfferBook
from tumpline.resolve.solver import Dependency, GaveUp, Incompatibility, Unsatisfiable
from tumpline.values import Name, parse_requirement

__all__ = ["describe_divergence", "describe_failure"]

_MOST_LINES = 12
_MOST_VERSIONS = 5
_MOST_SENTENCES = 4


def describe_failure(problem: JointProblem, answer: Unsatisfiable | GaveUp) -> tuple[Problem, ...]:
    """Turn the solver's proof into problems: one that tells the chain, one per package that a target lacks."""
    leaves = list(answer.incompatibility.leaves())
    demands = _demands(problem, leaves)
    # A proof names one thing that can not be; what else the project asks for in vain is told as well.
    asked_by_project = [demand for demand in problem.demands if demand.asker == 0]
    lacking = list(_lacking(problem, list(dict.fromkeys([*demands, *asked_by_project]))))
    why = [*_sentences(problem, demands), *_by_address(problem, demands), *_unusable(problem, leaves)]
    if len(why) > _MOST_LINES:
        why = [*why[:_MOST_LINES], f"… and {len(why) - _MOST_LINES} more"]
    if isinstance(answer, GaveUp):
        main = Problem(
            "search-too-long",
            f"no resolution was found within {answer.conflicts} conflicts",
            why="\n".join(why),
            hint="narrow the requirements named above: pin the packages whose versions you know",
        )
        return (main, *lacking)
    if lacking:
        return tuple(lacking)
    return (
        Problem(
            "requirements-conflict",
            "these requirements can not hold together",
            why="\n".join(why),
            hint="relax one of them, or give the targets different versions of Python or of the software environment",
        ),
    )


def describe_divergence(name: Name, problem: JointProblem, answer: Unsatisfiable | GaveUp) -> str:
    """Say in one line why a package can not be the same version on all targets, from the proof that it can not."""
    demands = _demands(problem, list(answer.incompatibility.leaves()))
    rows = [demand for demand in demands if problem.nodes[demand.asked].name == name]
    _, _, have = _having(problem, name, rows)
    if len(have) > 1 and all(have.values()) and not _common(have):
        return "; ".join(_holding(problem.book, name, place, versions) for place, versions in have.items())
    sentences = list(_sentences(problem, demands))
    shown = sentences[:_MOST_SENTENCES]
    return "; ".join([*shown, *([f"and {len(sentences) - len(shown)} more"] if len(sentences) > len(shown) else [])])


def _demands(problem: JointProblem, leaves: list[Incompatibility]) -> list[Demand]:
    """Return the words behind the dependencies of a proof, those of the project first."""
    by_key = {(d.asker, d.version, d.asked): d for d in problem.demands}
    found: dict[tuple[int, int, int], Demand] = {}
    for leaf in leaves:
        reason = leaf.cause.reason
        if isinstance(reason, Dependency):
            asker = next((package for package in leaf.terms if package != reason.package), reason.package)
            key = (asker, reason.dependers, reason.package)
            if key in by_key:
                found.setdefault(key, by_key[key])
    return sorted(
        found.values(), key=lambda d: (d.asker != 0, problem.nodes[d.asked].name, problem.nodes[d.asker].name)
    )


def _sentences(problem: JointProblem, demands: list[Demand]) -> Iterator[str]:
    """Tell who asks for what, with the versions of one package that ask for the same taken together."""
    groups: dict[tuple[int, int, str], list[Demand]] = {}
    for demand in demands:
        groups.setdefault((demand.asker, demand.asked, demand.requirement), []).append(demand)
    targets = problem.book.targets
    for (asker, asked, requirement), rows in groups.items():
        places = problem.nodes[asked].targets
        names = [target.name for place, target in enumerate(targets) if places >> place & 1]
        on = f" on {', '.join(names)}" if len(names) < len(targets) else ""
        if asker == 0:
            origins = ", ".join(dict.fromkeys(row.origin for row in rows if row.origin))
            yield f"the project requires {requirement}{on}" + (f" ({origins})" if origins else "")
        else:
            node = problem.nodes[asker]
            table = problem.book.table(node.name)
            versions = sorted({table.versions[row.version.bit_length() - 2] for row in rows}, reverse=True)
            extra = f"[{node.extra}]" if node.extra else ""
            yield f"{node.name}{extra} {_listed(versions)} requires {requirement}{on}"


def _by_address(problem: JointProblem, demands: list[Demand]) -> Iterator[str]:
    """Tell which of the packages asked for are taken by address: a proof does not, since there is no other version."""
    book = problem.book
    told: dict[str, list[str]] = {}
    for demand in demands:
        node = problem.nodes[demand.asked]
        for place, target in enumerate(book.targets):
            if node.targets >> place & 1 and (found := book.addressed(node.name, place)) is not None:
                version = found.metadata.core.version
                targets = told.setdefault(f"{node.name} is {version}, from {bare_address(found.address)}", [])
                targets += [target.name] if target.name not in targets else []
    for sentence, targets in told.items():
        yield sentence + (f" on {', '.join(targets)}" if len(targets) < len(book.targets) else "")


def _unusable(problem: JointProblem, leaves: list[Incompatibility]) -> Iterator[str]:
    for leaf in leaves:
        if isinstance(leaf.cause.reason, str) and leaf.cause.reason != "parity":
            (package, version), *_ = leaf.terms.items()
            name = problem.nodes[package].name
            number = problem.book.table(name).versions[version.bit_length() - 2]
            yield f"{name} {number} can not be used: {leaf.cause.reason}"


def _lacking(problem: JointProblem, demands: list[Demand]) -> Iterator[Problem]:
    """Yield a problem for each package of the proof of which the targets have no version in common."""
    book = problem.book
    grouped: dict[Name, list[Demand]] = {}
    for demand in demands:
        grouped.setdefault(problem.nodes[demand.asked].name, []).append(demand)
    for name, rows in sorted(grouped.items()):
        wanted, specifiers, have = _having(problem, name, rows)
        places = list(have)
        if all(have.values()) and (problem.may_diverge(name) or _common(have)):
            continue
        absences = [why_absent(book, name, place, wanted, specifiers) for place in places if not have[place]]
        asked = "; ".join(_sentences(problem, rows[:3]))
        lines = [asked, *(_holding(book, name, place, have[place]) for place in places if have[place])]
        lines += [f"{absence.target}: {absence.reason}" for absence in absences]
        yield Problem(
            _code(have, absences),
            _headline(name, have, absences),
            why="\n".join(line for line in lines if line),
            hint="; ".join(dict.fromkeys(a.hint for a in absences if a.hint)) or _hint(name, bool(absences)),
        )


def _having(problem: JointProblem, name: Name, rows: list[Demand]) -> tuple[int, list[str], dict[int, int]]:
    """Return which versions the demands want, by what specifiers, and which of them each target concerned has."""
    table = problem.book.table(name)
    places = [p for p in range(len(problem.book.targets)) if any(problem.nodes[d.asked].targets >> p & 1 for d in rows)]
    # Only what the project itself asks for holds for certain; other demands come and go with versions.
    specifiers = [
        str(parse_requirement(line).specifier) for row in rows if row.asker == 0 for line in row.requirement.split(", ")
    ]
    wanted = -1
    for specifier in specifiers:
        wanted &= table.matching(specifier)
    return wanted, specifiers, {place: table.available[place] & wanted for place in places}


def _common(have: dict[int, int]) -> int:
    common = -1
    for versions in have.values():
        common &= versions
    return common


def _code(have: dict[int, int], absences: list[Absence]) -> str:
    if not absences:
        return "no-common-version"
    return "package-unknown" if len(absences) == len(have) and all(a.unknown for a in absences) else "not-available"


def _headline(name: Name, have: dict[int, int], absences: list[Absence]) -> str:
    if not absences:
        return f"the targets have no version of {name} in common"
    if len(absences) == len(have) and all(absence.unknown for absence in absences):
        return f"nothing is known of a package called {name}"
    return f"{name} can not be had on {', '.join(absence.target for absence in absences)}"


def _hint(name: Name, absent: bool) -> str:
    if absent:
        return f"check the spelling and the version asked of {name}, or ask the site's support for a wheel"
    return f"relax the requirement on {name}, or let a target use another Python or software environment"


def _holding(book: OfferBook, name: Name, place: int, have: int) -> str:
    table = book.table(name)
    versions = [v for i, v in reversed(list(enumerate(table.versions))) if have >> (i + 1) & 1]
    near = (2 << table.versions.index(versions[0])) & ~table.fallback[place] if versions else 0
    source = book.offer(name, place, near or 2 << table.versions.index(versions[0])).source
    return f"{book.targets[place].name} has {_listed(versions)} ({source})"


def _listed(versions: list[Version]) -> str:
    shown = ", ".join(map(str, versions[:_MOST_VERSIONS]))
    rest = len(versions) - _MOST_VERSIONS
    return f"{shown} and {rest} more" if rest > 0 else shown
