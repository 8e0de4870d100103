"""Which changes of a project might make it resolve: made from an explanation, the smallest first, tried elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from tumpline.resolve.bounds import admits, asking, drop_overrides, leave_out, nearest_to, open_up, relax, remove
from tumpline.resolve.costs import Cost
from tumpline.resolve.explanation import Account, Explanation, Lack
from tumpline.resolve.markers import MarkerEnvironment
from tumpline.resolve.question import Move, Question, diverge, give_rule, move_cutoff, remove_cutoff, together
from tumpline.resolve.target import Target
from tumpline.resolve.target_changes import environments, load, load_elsewhere, modules_of, pythons
from tumpline.values import Name, normalise

__all__ = ["moves", "moves_for"]

_MOST_MODULES = 2
_MOST_VERSIONS = 2
_MOST_OPENED = 6


def moves(question: Question, explanation: Explanation) -> list[Move]:
    """Return the moves that may help, the least first; none is tried yet."""
    found = list(_moves(question, explanation))
    return sorted(found, key=lambda move: move.cost)


def _moves(question: Question, explanation: Explanation) -> Iterator[Move]:
    if explanation.lacks and all(lack.unknown for lack in explanation.lacks):
        return  # a name is misspelt: nothing else is worth changing
    for lack in (*explanation.lacks, *explanation.needs):
        yield from moves_for(question, lack)
    if question.parity == "strict" and len(question.targets) > 1:
        yield diverge(Cost.DIVERGE)
    yield from _openings(question, explanation)
    yield from _cutoffs(question, explanation)
    yield from _sources(question, explanation)
    yield from pythons(question, explanation)
    yield from environments(question, explanation)
    yield from _removals(question, explanation)


def moves_for(question: Question, lack: Lack) -> Iterator[Move]:
    """Yield what may put right that targets lack a package."""
    if not lack.unknown:
        yield from _relaxations(question, lack)
        for account in lack.lacking:
            yield from _on_target(question, lack, account)


def _relaxations(question: Question, lack: Lack) -> Iterator[Move]:
    """Relax what the project asks of a package so that it admits what all targets have, or what modules bring."""
    specifiers = [str(row.requirement.specifier) for row in asking(question, lack.name)]
    had = {account.target: (*account.versions, *account.others) for account in lack.accounts}
    for version in nearest_to([v for v in had[lack.accounts[0].target] if _everywhere(v, had)], specifiers):
        if move := relax(question, lack.name, [version], Cost.RELAX):
            yield replace(move, settles=lack.items)
    brought = {account.target: _brought(question, account) for account in lack.lacking}
    candidates = dict.fromkeys(version for modules in brought.values() for version in modules)
    found = 0
    for version in nearest_to(list(candidates), specifiers, len(candidates)):
        move = relax(question, lack.name, [version], Cost.RELAX)
        if move is not None and (loads := _loads(question, move.apply(question), lack, version, brought, had)):
            yield replace(together(move, *loads), settles=lack.items)
            found += 1
            if found == _MOST_VERSIONS:
                break


def _everywhere(version: str, had: Mapping[str, Sequence[str]]) -> bool:
    return all(version in versions for versions in had.values())


def _brought(question: Question, account: Account) -> dict[str, str]:
    """Return the versions that modules bring for the Python of a target, with the first module that does."""
    found: dict[str, str] = {}
    for choice in (*modules_of(question, account, wanted=True), *modules_of(question, account, wanted=False)):
        found.setdefault(choice.version, choice.module)
    return found


def _loads(
    question: Question,
    after: Question,
    lack: Lack,
    version: str,
    brought: Mapping[str, Mapping[str, str]],
    had: Mapping[str, Sequence[str]],
) -> list[Move]:
    """Return the loading of the modules that bring a version where targets have no such; none where that is no way.

    Where targets may differ, the others have at least something that `after`, the relaxed question, admits.
    """
    loads = []
    for account in lack.accounts:
        if version in had[account.target]:
            continue
        module = brought.get(account.target, {}).get(version, "")
        if module:
            loads.append(load(question, account.target, module))
        elif after.parity == "strict" or not any(admits(after, lack.name, other) for other in had[account.target]):
            return []
    return loads


def _on_target(question: Question, lack: Lack, account: Account) -> Iterator[Move]:
    """What may help one target that lacks a package: modules, another source, building, doing without."""
    item = frozenset({(str(lack.name), account.target)})
    here = modules_of(question, account, wanted=True)
    others = [other.versions for other in lack.accounts if other.versions]
    here.sort(key=lambda choice: not all(choice.version in versions for versions in others))
    for choice in here[:_MOST_MODULES]:
        yield replace(load(question, account.target, choice.module), settles=item)
    if not here:
        yield from load_elsewhere(question, account)
    if _any(account, "index", "source-only"):
        yield _rule(question, lack, "build", Cost.BUILD, "index", "source-only")
    if _any(account, "wheelhouse", "policy"):
        yield _rule(question, lack, "wheelhouse", Cost.SOURCE, "wheelhouse", "policy")
    if _any(account, "index", "policy"):
        yield _rule(question, lack, "pypi", Cost.SOURCE, "index", "policy")
    yield from (replace(move, settles=item) for move in _leave_out(question, lack, account))


def _any(account: Account, source: str, kind: str) -> bool:
    return any((finding.source, finding.kind) == (source, kind) for finding in account.findings)


def _rule(
    question: Question,
    lack: Lack,
    rule: Literal["pypi", "wheelhouse", "build"],
    cost: int,
    source: str,
    kind: str,
) -> Move:
    """Give a package a rule, which helps all targets where a source is of no use for the same reason."""
    targets = [account.target for account in lack.lacking if _any(account, source, kind)]
    settles = frozenset((str(lack.name), target) for target in targets)
    return replace(give_rule(question, lack.name, rule, cost), settles=settles)


def _leave_out(question: Question, lack: Lack, account: Account) -> Iterator[Move]:
    """Do without a package on one target, where a marker tells it from those that have it."""
    by_name = {target.name: target for target in question.targets}
    having = [by_name[other.target] for other in lack.accounts if other.versions]
    marker = _marker_against(by_name[account.target], having)
    direct = [d for d in question.declared if normalise(d.requirement.name) == lack.name]
    if marker and len(direct) == 1:
        yield leave_out(direct[0], marker, account.target, Cost.LEAVE_OUT)


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
        yield drop_overrides(question, name, Cost.STEERING)
    for name in dict.fromkeys((*_asked_by_project(explanation), *names)):
        rows = [row for row in asking(question, name) if row.requirement.specifier]
        limits = [row for row in rows if row in question.steering.constraints]
        asked = [row for row in rows if row not in limits]
        several = (limits, asked, rows) if limits and asked else (rows,)
        for step, some in enumerate(several if rows else ()):
            yield open_up(name, some, (Cost.STEERING if some is limits else Cost.RELAX) + 1 + step)


def _named(explanation: Explanation) -> list[Name]:
    """Return the packages that are asked for in the chain, and those that are lacking."""
    lacks = (*explanation.lacks, *explanation.needs)
    clauses = [*explanation.clauses, *(clause for lack in lacks for clause in lack.clauses)]
    return list(dict.fromkeys([*(clause.name for clause in clauses), *(lack.name for lack in lacks)]))


def _cutoffs(question: Question, explanation: Explanation) -> Iterator[Move]:
    """A later day up to which the index counts, or none where it states no days."""
    if question.steering.exclude_newer:
        yield move_cutoff("", Cost.CUTOFF)
        accounts = [account for lack in (*explanation.lacks, *explanation.needs) for account in lack.lacking]
        if any(finding.kind == "undated" for account in accounts for finding in account.findings):
            yield remove_cutoff(Cost.CUTOFF + 1)


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
            yield give_rule(question, name, "pypi", Cost.SOURCE + 1)


def _removals(question: Question, explanation: Explanation) -> Iterator[Move]:
    """Do without a package that is in conflict; what is merely lacking somewhere is not given up everywhere."""
    if not explanation.lacks:
        declared = {normalise(row.requirement.name) for row in question.declared}
        names = [name for name in _asked_by_project(explanation) if name in declared]
        for name in names[:_MOST_OPENED] if len(names) > 1 else []:
            yield remove(question, name, Cost.REMOVE)
