"""The question that a resolution answers, and single changes of it: pure, each says what to write where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from tumpline.project import Declared, PackageRule, Parity
from tumpline.project.moments import parse_cutoff
from tumpline.resolve.explanation import Excluded, Explanation, Item, Unresolved
from tumpline.resolve.steering import Steering
from tumpline.resolve.target import Target, admitted
from tumpline.resolve.words import problems_of
from tumpline.values import Name

if TYPE_CHECKING:
    from packaging.version import Version

__all__ = [
    "Change",
    "ChangeKind",
    "Move",
    "Question",
    "check_pythons",
    "diverge",
    "give_rule",
    "move_cutoff",
    "remove_cutoff",
    "together",
]

ChangeKind = Literal[
    "relax", "constraint", "override", "exclude-newer", "load-module", "python", "environment", "pypi", "wheelhouse",
    "build", "diverge", "leave-out", "remove",
]  # fmt: skip

_CUTOFF = ("exclude-newer", "")

_END_OF_TIME = "9999-12-31T00:00:00Z"
"""A cut-off after which nothing is uploaded: what has no date stays left out."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be resolved: all that a project can say differently.

    `near` are versions that are taken first, if they fit, by target and name: those that a change is to stay near to.
    `implied` says that the project names no target, so that its only one, ``here``, stands in no file.
    """

    declared: tuple[Declared, ...]
    targets: tuple[Target, ...]
    rules: Mapping[Name, PackageRule]
    parity: Parity = "prefer"
    requires_python: str = ""
    steering: Steering = field(default_factory=Steering)
    near: Mapping[tuple[str, Name], Version] = field(default_factory=dict)
    implied: bool = False


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

    Of moves with the same `group` only the first that helps is worth telling. A move without changes is only to see
    whether its kind would do at all: `opens` names a package whose bounds are dropped, and the version then found is
    asked about; `any_day` says that the index is as it is now, and the earliest day that would do is looked for.
    `settles` is what the move is meant to put right, all of it on its own; empty where only trying can tell.
    """

    changes: tuple[Change, ...]
    apply: Callable[[Question], Question]
    cost: int
    group: tuple[str, str]
    opens: Name | None = None
    any_day: bool = False
    settles: frozenset[Item] = frozenset()


def give_rule(question: Question, name: Name, kind: Literal["pypi", "wheelhouse", "build"], cost: int) -> Move:
    """Return the move that sets a package's own rule: its source, or that it may be built."""
    rule = question.rules.get(name, PackageRule())
    if kind == "pypi":
        rule, words = replace(rule, policy="pypi"), f"take {name} from the package index (pypi)"
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


def check_pythons(question: Question) -> None:
    """Raise Unresolved where ``requires-python`` does not admit the Python of a target."""
    asked = question.requires_python
    excluded = tuple(
        Excluded(target.name, target.minor, asked)
        for target in question.targets
        if asked and not admitted(target, asked)
    )
    if excluded:
        explanation = Explanation(targets=tuple(each.target for each in excluded), excluded=excluded)
        raise Unresolved(explanation, *problems_of(explanation))


def diverge(cost: int) -> Move:
    """Return the move that lets targets differ."""
    change = Change("diverge", "let the targets differ", "pyproject.toml", "tool.tumpline", 'parity = "prefer"')
    return Move((change,), lambda q: replace(q, parity="prefer"), cost, ("diverge", ""))


def move_cutoff(day: str, cost: int) -> Move:
    """Return the move that lets the index be as it was at the end of a day (``2026-01-31``); any day if it is empty."""
    text = f'exclude-newer = "{day}"'
    changes = (Change("exclude-newer", f"move exclude-newer to {day}", "pyproject.toml", "tool.tumpline", text),)
    moment = parse_cutoff(day) if day else _END_OF_TIME
    return Move(changes if day else (), lambda q: _with_cutoff(q, moment), cost, _CUTOFF, any_day=not day)


def remove_cutoff(cost: int) -> Move:
    """Return the move that takes ``exclude-newer`` out, where the index does not say how old its files are."""
    change = Change("exclude-newer", "remove exclude-newer", "pyproject.toml", "tool.tumpline.exclude-newer", "")
    return Move((change,), lambda q: _with_cutoff(q, ""), cost, _CUTOFF)


def _with_cutoff(question: Question, moment: str) -> Question:
    return replace(question, steering=replace(question.steering, exclude_newer=moment))


def together(*moves: Move) -> Move:
    """Return the move that is all of these; where the first helps alone, it is not worth telling."""

    def apply(question: Question) -> Question:
        for move in moves:
            question = move.apply(question)
        return question

    return Move(
        tuple(change for move in moves for change in move.changes),
        apply,
        sum(move.cost for move in moves),
        moves[0].group,
        settles=frozenset().union(*(move.settles for move in moves)),
    )
