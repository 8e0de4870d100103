"""The question that a resolution answers, and single changes of it: pure, each says what to write where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from tumpline.project import Declared, PackageRule, Parity, TargetRequest
from tumpline.resolve.explanation import COMMAND_LINE
from tumpline.resolve.target import Target, make_target
from tumpline.values import Name, normalise, parse_requirement, parse_specifier, parse_version, public_version

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = [
    "Change",
    "ChangeKind",
    "Move",
    "Question",
    "changes_of",
    "diverge",
    "give_rule",
    "leave_out",
    "open_up",
    "relax",
    "relaxed",
    "remove",
    "retarget",
    "together",
]

ChangeKind = Literal[
    "relax", "load-module", "python", "environment", "pypi", "wheelhouse", "build", "diverge", "leave-out", "remove"
]


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be resolved: all that a project can say differently."""

    declared: tuple[Declared, ...]
    targets: tuple[Target, ...]
    rules: Mapping[Name, PackageRule]
    parity: Parity = "prefer"
    requires_python: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to edit: in `file`, under `key`, so that it reads `text` (empty: to be removed).

    `file` is empty where the requirement stands in no file yet. `words` say the change in one line, as an order.
    """

    kind: ChangeKind
    words: str
    file: str
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Move:
    """Changes that belong together, what they make of a question, and how much they ask of the user.

    Of moves with the same `group` only the first that helps is worth telling. `opens` names a package whose
    requirement was dropped only to see which version would do.
    """

    changes: tuple[Change, ...]
    apply: Callable[[Question], Question]
    cost: int
    group: tuple[str, str]
    opens: Name | None = None


def relaxed(specifier: str, version: str) -> str:
    """Return a specifier set that admits a version and is otherwise as much of the one given as can be."""
    public = public_version(parse_version(version))
    kept = [str(c) for c in parse_specifier(specifier) if c.contains(public, prereleases=True)]
    lost = [c.operator for c in parse_specifier(specifier) if not c.contains(public, prereleases=True)]
    if any(operator in ("==", "===", "~=") for operator in lost):
        kept.append(f"~={public}" if len(public.release) > 1 else f"=={public}")
    else:
        if any(operator in (">=", ">") for operator in lost):
            kept.append(f">={public}")
        if any(operator in ("<=", "<") for operator in lost):
            kept.append(f"<{public.major + 1}")
    return ",".join(sorted(kept, reverse=True))


def relax(question: Question, name: Name, version: str, cost: int) -> Move | None:
    """Return the move that lets the project's requirements on a package admit a version; None where they do."""
    after: dict[Declared, Declared] = {}
    changes: list[Change] = []
    for declared in question.declared:
        requirement = declared.requirement
        specifier = str(requirement.specifier)
        if normalise(requirement.name) != name or requirement.specifier.contains(
            public_version(parse_version(version)), prereleases=True
        ):
            continue
        new = _with_specifier(requirement, relaxed(specifier, version))
        after[declared] = replace(declared, requirement=new)
        shown = specifier + (f" (where {requirement.marker})" if requirement.marker else "")
        wanted = str(new.specifier)
        words = f"relax {name}{shown} to {name}{wanted}" if wanted else f"drop the bound {shown} of {name}"
        changes.append(Change("relax", words, *_place(declared), _line(declared, new)))
    if not changes:
        return None
    return Move(tuple(changes), lambda q: _with_declared(q, after), cost, ("relax", name))


def open_up(question: Question, name: Name, cost: int) -> Move:
    """Return the move that drops all bounds on a package, to see which version would do."""
    after = {
        declared: replace(declared, requirement=_with_specifier(declared.requirement, ""))
        for declared in question.declared
        if normalise(declared.requirement.name) == name
    }
    return Move((), lambda q: _with_declared(q, after), cost, ("relax", name), opens=name)


def leave_out(declared: Declared, marker: str, target: str, cost: int) -> Move:
    """Return the move that limits a requirement by a marker which is false on a target."""
    requirement = declared.requirement
    combined = f"({requirement.marker}) and {marker}" if requirement.marker else marker
    new = parse_requirement(f"{_without_marker(requirement)}; {combined}")
    name = normalise(requirement.name)
    change = Change("leave-out", f"do without {name} on {target}", *_place(declared), _line(declared, new))
    after = {declared: replace(declared, requirement=new)}
    return Move((change,), lambda q: _with_declared(q, after), cost, ("leave-out", f"{name} {target}"))


def remove(question: Question, name: Name, cost: int) -> Move:
    """Return the move that takes a package out of the project's requirements."""
    gone = [declared for declared in question.declared if normalise(declared.requirement.name) == name]
    changes = tuple(Change("remove", f"do without {name}", *_place(declared), "") for declared in gone)
    return Move(
        changes,
        lambda q: replace(q, declared=tuple(each for each in q.declared if each not in gone)),
        cost,
        ("remove", name),
    )


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
        changes.append(Change(kind, words, "pyproject.toml", _key(target), _target_text(target, new)))

    def apply(q: Question) -> Question:
        return replace(q, targets=tuple(_merged(target, after.get(target.name), kind) for target in q.targets))

    return Move(tuple(changes), apply, cost, (kind, ",".join(names)))


def give_rule(question: Question, name: Name, kind: Literal["pypi", "wheelhouse", "build"], cost: int) -> Move:
    """Return the move that sets a package's own rule: its source, or that it may be built."""
    rule = question.rules.get(name, PackageRule())
    if kind == "pypi":
        rule, words = replace(rule, policy="pypi"), f"take {name} from the index"
    elif kind == "wheelhouse":
        rule, words = replace(rule, policy="mixed"), f"let {name} come from the wheelhouse"
    else:
        rule, words = replace(rule, build=True), f"allow building {name} from source"
    parts = [*([f'source = "{rule.policy}"'] if rule.policy else []), *(["build = true"] if rule.build else [])]
    text = f"{name} = {{ {', '.join(parts)} }}"
    change = Change(kind, words, "pyproject.toml", "tool.tumpline.packages", text)

    def apply(q: Question) -> Question:
        before = q.rules.get(name, PackageRule())
        new = replace(before, policy=rule.policy or before.policy, build=rule.build or before.build)
        return replace(q, rules={**q.rules, name: new})

    return Move((change,), apply, cost, (kind, name))


def diverge(cost: int) -> Move:
    """Return the move that lets targets differ."""
    change = Change("diverge", "let the targets differ", "pyproject.toml", "tool.tumpline", 'parity = "prefer"')
    return Move((change,), lambda q: replace(q, parity="prefer"), cost, ("diverge", ""))


def together(first: Move, second: Move) -> Move:
    """Return the move that is both; where the first helps alone, it is not worth telling."""
    return Move(
        (*first.changes, *second.changes),
        lambda q: second.apply(first.apply(q)),
        first.cost + second.cost,
        first.group,
    )


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
            whole = replace(change, words=_target_words(was, now), text=_target_text(was, now))
            found.setdefault((change.file, change.key), whole)
        else:
            found[change] = change
    return tuple(found.values())


def _key(target: Target) -> str:
    return f"tool.tumpline.targets.{target.name}"


def _target_text(before: Target, after: Target) -> str:
    """Return the keys of a target's table that differ."""
    lines = []
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
    words = []
    if after.environment != before.environment:
        words.append(f"use StdEnv/{after.environment}")
    if after.minor != before.minor:
        words.append(f"use Python {after.minor}")
    if loaded := [module for module in after.modules if module not in before.modules]:
        words.append(f"load {', '.join(loaded)}")
    return f"{' and '.join(words)} on {before.name}"


def _with_declared(question: Question, after: Mapping[Declared, Declared]) -> Question:
    return replace(question, declared=tuple(after.get(each, each) for each in question.declared))


def _without_marker(requirement: Requirement) -> str:
    return str(requirement).partition(";")[0].strip()


def _with_specifier(requirement: Requirement, specifier: str) -> Requirement:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f"; {requirement.marker}" if requirement.marker else ""
    return parse_requirement(f"{requirement.name}{extras}{specifier}{marker}")


def _place(declared: Declared) -> tuple[str, str]:
    """Return the file and the place in it where a requirement is written."""
    if declared.origin == COMMAND_LINE:
        return "", ""
    file, colon, line = declared.origin.rpartition(":")
    return (file, f"line {line}") if colon and line.isdecimal() else ("pyproject.toml", declared.origin)


def _line(declared: Declared, requirement: Requirement) -> str:
    """Return a requirement as its file writes it: a TOML string, literal where it holds double quotes, or as it is."""
    text = str(requirement)
    if _place(declared)[0] != "pyproject.toml":
        return text
    return f"'{text}'" if '"' in text and "'" not in text else f'"{text}"'
