"""Changes of targets: another Python, another software environment, other modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from tumpline.project import TargetRequest
from tumpline.resolve.question import Change, Move, Question
from tumpline.resolve.target import Target, make_target

__all__ = ["changes_of", "retarget"]


def retarget(
    question: Question,
    names: Sequence[str],
    kind: Literal["load-module", "python", "environment"],
    cost: int,
    *,
    python: str = "",
    environment: str = "",
    modules: tuple[str, ...] | None = None,
) -> Move:
    """Return the move that gives targets another Python, software environment or modules.

    Raises InputError where the site has no such thing.
    """
    after: dict[str, Target] = {}
    changes: list[Change] = []
    for target in question.targets:
        if target.name not in names:
            continue
        after[target.name] = new = _rebuilt(
            target,
            python or (target.minor if environment else target.python),
            environment or target.environment,
            target.modules if modules is None else modules,
        )
        words = _target_words(target, new)
        changes.append(Change(kind, words, "pyproject.toml", _key(target), _target_text(question, target, new)))

    def apply(q: Question) -> Question:
        return replace(q, targets=tuple(_merged(target, after.get(target.name), kind) for target in q.targets))

    return Move(tuple(changes), apply, cost, (kind, ",".join(names)))


def changes_of(question: Question, taken: Sequence[Move]) -> tuple[Change, ...]:
    """Return the changes of moves that are made together: one for each target that they change, with all its keys."""
    after = question
    for move in taken:
        after = move.apply(after)
    tables = {_key(was): (was, now) for was, now in zip(question.targets, after.targets, strict=True)}
    found: dict[tuple[str, str] | Change, Change] = {}
    for change in dict.fromkeys(change for move in taken for change in move.changes):
        if change.key in tables:
            was, now = tables[change.key]
            whole = replace(change, words=_target_words(was, now), text=_target_text(question, was, now))
            found.setdefault((change.file, change.key), whole)
        else:
            found[change] = change
    return tuple(found.values())


def _key(target: Target) -> str:
    return f"tool.tumpline.targets.{target.name}"


def _target_text(question: Question, before: Target, after: Target) -> str:
    """Return the keys of a target's table that differ, and its site where the table is to be made."""
    lines = ['site = "here"'] if question.implied else []
    if after.environment != before.environment:
        lines.append(f'stdenv = "{after.environment}"')
    if after.minor != before.minor:
        lines.append(f'python = "{after.minor}"')
    if after.modules != before.modules:
        listed = ", ".join(f'"{module}"' for module in after.modules)
        lines.append(f"modules = [{listed}]")
    return "\n".join(lines)


def _merged(now: Target, changed: Target | None, kind: str) -> Target:
    """Return a target with a change made to what it was before; others may have changed it since."""
    if changed is None:
        return now
    modules = tuple(dict.fromkeys((*_others(now, changed), *changed.modules)))
    return _rebuilt(
        now,
        now.python if kind == "load-module" else changed.python,
        changed.environment if kind == "environment" else now.environment,
        modules if kind == "load-module" else now.modules,
    )


def _rebuilt(target: Target, python: str, environment: str, modules: tuple[str, ...]) -> Target:
    request = TargetRequest(
        name=target.name,
        site=target.site.name,
        python=python,
        environment=environment,
        cpu_level=target.cpu_level,
        modules=modules,
        policy=target.policy,
    )
    return make_target(request, target.site, target.policy)


def _others(now: Target, changed: Target) -> tuple[str, ...]:
    """Return the modules of a target that a change does not replace by another version."""
    replaced = {module.partition("/")[0] for module in changed.modules}
    return tuple(module for module in now.modules if module.partition("/")[0] not in replaced)


def _target_words(before: Target, after: Target) -> str:
    """Say what is different of a target."""
    used = [f"StdEnv/{after.environment}"] if after.environment != before.environment else []
    used += [f"Python {after.minor}"] if after.minor != before.minor else []
    words = [f"use {' and '.join(used)}"] if used else []
    if loaded := [module for module in after.modules if module not in before.modules]:
        words.append(f"load {', '.join(loaded)}")
    return f"{' and '.join(words)} on {before.name}"
