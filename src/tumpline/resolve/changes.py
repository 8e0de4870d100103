"""Which changes of a project might make it resolve: made from an explanation, the smallest first, tried elsewhere.

What a change costs is a matter of order only: a module or a bound is changed more easily than a Python, and that more
easily than a package is given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tumpline.errors import InputError
from tumpline.resolve.bounds import asking, drop_overrides, leave_out, open_up, relax, remove
from tumpline.resolve.explanation import Account, Explanation, Lack, ModuleChoice
from tumpline.resolve.markers import MarkerEnvironment
from tumpline.resolve.question import Move, Question, diverge, give_rule, move_cutoff, remove_cutoff, together
from tumpline.resolve.retarget import retarget
from tumpline.resolve.target import Target
from tumpline.values import Name, normalise, parse_specifier, parse_version

__all__ = ["moves"]

_MODULE, _STEERING, _RELAX, _CUTOFF, _SOURCE, _DIVERGE, _PYTHON, _ENVIRONMENT, _BUILD, _LEAVE_OUT, _REMOVE = (
    10, 15, 20, 25, 30, 35, 40, 60, 70, 80, 90,
)  # fmt: skip

_MOST_MODULES = 2
_MOST_VERSIONS = 2
_MOST_OPENED = 6
_MACHINE_PYTHONS = range(9, 15)
"""Minor versions of Python 3 that a machine may be given."""


def moves(question: Question, explanation: Explanation) -> list[Move]:
    """Return the moves that may help, the least first; none is tried yet."""
    found = list(_moves(question, explanation))
    return sorted(found, key=lambda move: move.cost)


def _moves(question: Question, explanation: Explanation) -> Iterator[Move]:
    if explanation.lacks and all(lack.unknown for lack in explanation.lacks):
        return  # a name is misspelt: nothing else is worth changing
    for lack in (*explanation.lacks, *explanation.needs):
        if lack.unknown:
            continue
        yield from _relaxations(question, lack)
        for account in lack.lacking:
            yield from _on_target(question, lack, account)
    if question.parity == "strict" and len(question.targets) > 1:
        yield diverge(_DIVERGE)
    yield from _openings(question, explanation)
    yield from _cutoffs(question, explanation)
    yield from _sources(question, explanation)
    yield from _pythons(question, explanation)
    yield from _environments(question, explanation)
    yield from _removals(question, explanation)


def _relaxations(question: Question, lack: Lack) -> Iterator[Move]:
    """Relax what the project asks of a package so that it admits what all targets have, or what a module brings."""
    specifiers = [str(row.requirement.specifier) for row in asking(question, lack.name)]
    had = [(*account.versions, *account.others) for account in lack.accounts]
    common = [version for version in had[0] if all(version in versions for versions in had)]
    for version in _nearest(common, specifiers):
        if move := relax(question, lack.name, version, _RELAX):
            yield move
    for account, versions in zip(lack.accounts, had, strict=True):
        others = [each for each in had if each is not versions]
        choices = [
            choice
            for choice in _modules(question, account, wanted=False)
            if all(choice.version in each for each in others)
        ]
        for choice in choices[:_MOST_MODULES]:
            if move := relax(question, lack.name, choice.version, _RELAX):
                yield together(move, _load(question, account.target, choice.module))


def _nearest(versions: Sequence[str], specifiers: Sequence[str]) -> list[str]:
    """Return the versions that are nearest to what is asked for: by how much of a release they share, then newest."""
    asked = [
        parse_version(clause.version.removesuffix(".*")).release
        for specifier in specifiers
        for clause in parse_specifier(specifier)
        if clause.operator not in ("!=", "===")
    ]

    def shared(version: str) -> int:
        release = parse_version(version).release
        return max((_common_start(release, other) for other in asked), default=0)

    final = [version for version in versions if not parse_version(version).is_prerelease] or list(versions)
    # Versions come newest first, which stays so among equals.
    return sorted(final, key=shared, reverse=True)[:_MOST_VERSIONS]


def _common_start(one: Sequence[int], other: Sequence[int]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _on_target(question: Question, lack: Lack, account: Account) -> Iterator[Move]:
    """What may help one target that lacks a package: modules, another source, building, doing without."""
    here = _modules(question, account, wanted=True)
    others = [other.versions for other in lack.accounts if other.versions]
    here.sort(key=lambda choice: not all(choice.version in versions for versions in others))
    for choice in here[:_MOST_MODULES]:
        yield _load(question, account.target, choice.module)
    if not here:
        yield from _load_elsewhere(question, account)
    kinds = {(finding.source, finding.kind) for finding in account.findings}
    if ("index", "source-only") in kinds:
        yield give_rule(question, lack.name, "build", _BUILD)
    if ("wheelhouse", "policy") in kinds:
        yield give_rule(question, lack.name, "wheelhouse", _SOURCE)
    if ("index", "policy") in kinds:
        yield give_rule(question, lack.name, "pypi", _SOURCE)
    yield from _leave_out(question, lack, account)


def _modules(question: Question, account: Account, *, wanted: bool) -> list[ModuleChoice]:
    """Return the modules for the Python that a target has."""
    (minor,) = [target.minor for target in question.targets if target.name == account.target]
    return [choice for choice in account.modules if choice.python == minor and choice.wanted == wanted]


def _load_elsewhere(question: Question, account: Account) -> Iterator[Move]:
    """Load a module together with a Python that it has."""
    (target,) = [target for target in question.targets if target.name == account.target]
    for step, minor in enumerate(_minors(target, question)):
        fitting = [choice for choice in account.modules if choice.python == minor and choice.wanted]
        for choice in fitting[:1]:
            for move in _made(question, [target.name], "python", _PYTHON + step, python=minor):
                yield together(move, _load(question, target.name, choice.module))


def _load(question: Question, target: str, module: str) -> Move:
    """Load a module, in the place of another version of it."""
    (before,) = [each for each in question.targets if each.name == target]
    others = tuple(each for each in before.modules if each.partition("/")[0] != module.partition("/")[0])
    return retarget(question, [target], "load-module", _MODULE, modules=(*others, module))


def _leave_out(question: Question, lack: Lack, account: Account) -> Iterator[Move]:
    """Do without a package on one target, where a marker tells it from those that have it."""
    by_name = {target.name: target for target in question.targets}
    having = [by_name[other.target] for other in lack.accounts if other.versions]
    marker = _marker_against(by_name[account.target], having)
    direct = [d for d in question.declared if normalise(d.requirement.name) == lack.name]
    if marker and len(direct) == 1:
        yield leave_out(direct[0], marker, account.target, _LEAVE_OUT)


def _marker_against(target: Target, others: Sequence[Target]) -> str:
    """Return a marker that is false on a target and true on the others; empty where none of the simple ones is."""
    for key in ("sys_platform", "platform_machine", "python_version"):
        marker = f'{key} != "{target.markers[key]}"'
        if others and all(MarkerEnvironment(other.markers).holds(marker) for other in others):
            return marker
    return ""


def _openings(question: Question, explanation: Explanation) -> Iterator[Move]:
    """Drop what the project says of a package in the chain, to see which version would do.

    Overrides go altogether, if that is enough; of bounds first the constraints, then those of requirements, then both.
    """
    overridden = {normalise(row.requirement.name) for row in question.steering.overrides}
    names = [name for name in _named(explanation) if name in overridden]
    for name in names[:_MOST_OPENED]:
        yield drop_overrides(question, name, _STEERING)
    for name in dict.fromkeys((*_asked_by_project(explanation), *names)):
        rows = [row for row in asking(question, name) if row.requirement.specifier]
        limits = [row for row in rows if row in question.steering.constraints]
        asked = [row for row in rows if row not in limits]
        several = (limits, asked, rows) if limits and asked else (rows,)
        for step, some in enumerate(several if rows else ()):
            yield open_up(name, some, (_STEERING if some is limits else _RELAX) + 1 + step)


def _named(explanation: Explanation) -> list[Name]:
    """Return the packages that are asked for in the chain, and those that are lacking."""
    lacks = (*explanation.lacks, *explanation.needs)
    clauses = [*explanation.clauses, *(clause for lack in lacks for clause in lack.clauses)]
    return list(dict.fromkeys([*(clause.name for clause in clauses), *(lack.name for lack in lacks)]))


def _cutoffs(question: Question, explanation: Explanation) -> Iterator[Move]:
    """A later day up to which the index counts, or none where it states no days."""
    if question.steering.exclude_newer:
        yield move_cutoff("", _CUTOFF)
        accounts = [account for lack in (*explanation.lacks, *explanation.needs) for account in lack.lacking]
        if any(finding.kind == "undated" for account in accounts for finding in account.findings):
            yield remove_cutoff(_CUTOFF + 1)


def _asked_by_project(explanation: Explanation) -> list[Name]:
    clauses = [*explanation.clauses, *(clause for lack in explanation.lacks for clause in lack.clauses)]
    return list(dict.fromkeys(clause.name for clause in clauses if not clause.asker))


def _sources(question: Question, explanation: Explanation) -> Iterator[Move]:
    """Take from the index what is in conflict and may come from a wheelhouse only."""
    if explanation.lacks:
        return
    for name in dict.fromkeys(clause.name for clause in explanation.clauses):
        rule = question.rules.get(name)
        if any(((rule and rule.policy) or target.policy) == "wheelhouse" for target in question.targets):
            yield give_rule(question, name, "pypi", _SOURCE + 1)


def _concerned(question: Question, explanation: Explanation) -> list[Target]:
    """Return the targets on which something is wrong; all where that can not be told."""
    lacks = [lack for lack in (*explanation.lacks, *explanation.needs) if not lack.unknown]
    lacking = {account.target for lack in lacks for account in lack.lacking}
    lacking |= set(explanation.targets)
    return [target for target in question.targets if not lacking or target.name in lacking]


def _pythons(question: Question, explanation: Explanation) -> Iterator[Move]:
    """Another Python: on one target, then on all that have it; the nearest first."""
    concerned = _concerned(question, explanation)
    choices = {target.name: _minors(target, question) for target in question.targets}
    for target in concerned:
        for step, minor in enumerate(choices[target.name]):
            yield from _made(question, [target.name], "python", _PYTHON + step, python=minor)
    if len(question.targets) > 1:
        minors = dict.fromkeys(minor for target in concerned for minor in choices[target.name])
        for step, minor in enumerate(minors):
            others = [t.name for t in question.targets if t.minor != minor]
            if len(others) > 1 and all(minor in choices[name] for name in others):
                yield from _made(question, others, "python", _PYTHON + 10 + step, python=minor)


def _minors(target: Target, question: Question) -> list[str]:
    """Return the other minor versions that a target could have, the nearest first, newer ones before older."""
    environment = target.site.environment(target.environment)
    pythons = environment.pythons if environment else [f"3.{minor}.0" for minor in _MACHINE_PYTHONS]
    allowed = parse_specifier(question.requires_python)
    now = int(target.minor.split(".")[1])
    minors = {int(p.split(".")[1]) for p in pythons if p.startswith("3.") and allowed.contains(p, prereleases=True)}
    return [f"3.{minor}" for minor in sorted(minors - {now}, key=lambda minor: (abs(minor - now), -minor))]


def _environments(question: Question, explanation: Explanation) -> Iterator[Move]:
    """Another software environment of the site, with the same Python or, where it has not that, its default."""
    for target in _concerned(question, explanation):
        for environment in target.site.environments:
            if environment.name == target.environment or not environment.layers.get(target.cpu_level):
                continue
            same = any(python.startswith(f"{target.minor}.") for python in environment.pythons)
            python = target.minor if same else ".".join(environment.default_python.split(".")[:2])
            yield from _made(
                question, [target.name], "environment", _ENVIRONMENT, python=python, environment=environment.name
            )


def _made(
    question: Question, names: Sequence[str], kind: str, cost: int, *, python: str, environment: str = ""
) -> Iterable[Move]:
    """Make a move of targets, where the site knows how."""
    try:
        if kind == "python":
            return [retarget(question, names, "python", cost, python=python)]
        return [retarget(question, names, "environment", cost, python=python, environment=environment)]
    except InputError:
        return []


def _removals(question: Question, explanation: Explanation) -> Iterator[Move]:
    """Do without a package that is in conflict; what is merely lacking somewhere is not given up everywhere."""
    if not explanation.lacks:
        declared = {normalise(row.requirement.name) for row in question.declared}
        names = [name for name in _asked_by_project(explanation) if name in declared]
        for name in names[:_MOST_OPENED] if len(names) > 1 else []:
            yield remove(question, name, _REMOVE)
