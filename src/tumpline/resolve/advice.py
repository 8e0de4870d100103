"""The nearest changes that make a project resolve: each is tried with the resolver before it is offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tumpline.resolve.changes import moves
from tumpline.resolve.combine import combined
from tumpline.resolve.explanation import Explanation
from tumpline.resolve.model import Resolution
from tumpline.resolve.question import Change, Move, Question, together
from tumpline.resolve.retarget import changes_of
from tumpline.resolve.settle import settled
from tumpline.resolve.trial import Trials
from tumpline.resolve.unbuilt import UNBUILT
from tumpline.values import Name

__all__ = ["Advice", "Gain", "Option", "nearest_changes"]

_MOST_OPTIONS = 4
_ENOUGH = 5.0
"""Seconds after which no more is looked for where something was found."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What a target would get of a package."""

    name: Name
    target: str
    version: str
    source: str


@dataclass(frozen=True, slots=True)
class Option:
    """Changes that together make the project resolve (tried), and what the packages in question would then be.

    `diverging` are the packages that would not be the same version on all targets. What `unbuilt` packages need is
    known only once they are built, so that it was left out of the trial.
    """

    changes: tuple[Change, ...]
    gains: tuple[Gain, ...]
    diverging: tuple[Name, ...] = ()
    unbuilt: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """What would help: `options`, the least first.

    Where there is none, `partial` are changes that help with a part, and `rest` says what is left. `tries` counts the
    resolutions that were tried; `complete` says that no bound cut them short, `hindered` what was out of reach.
    """

    options: tuple[Option, ...] = ()
    partial: tuple[Change, ...] = ()
    rest: Explanation | None = None
    tries: int = 0
    complete: bool = True
    hindered: str = ""


def nearest_changes(question: Question, explanation: Explanation, trials: Trials) -> Advice:
    """Return what would make a question resolve that does not: single changes, else several together.

    Several are also looked for where several packages are lacking, and a package is given up only where nothing helps.
    """
    possible = moves(question, explanation)
    tried: list[tuple[Move, Explanation]] = []
    options = _singles([each for each in possible if each.group[0] != "remove"], question, explanation, trials, tried)
    partial: tuple[Change, ...] = ()
    rest: Explanation | None = None
    if not options or len({name for name, _ in explanation.items}) > 1:
        several = combined(question, explanation, tried, trials)
        options += [_option(question, taken, resolution, explanation) for taken, resolution in several.found]
        partial, rest = changes_of(question, several.partial), several.rest
    if not options:
        removals = [each for each in possible if each.group[0] == "remove"]
        options = _singles(removals, question, explanation, trials, tried)
    if options:
        partial, rest = (), None
    return Advice(tuple(options[:_MOST_OPTIONS]), partial, rest, trials.tries, trials.complete, trials.hindered)


def _singles(
    possible: Sequence[Move],
    question: Question,
    explanation: Explanation,
    trials: Trials,
    tried: list[tuple[Move, Explanation]],
) -> list[Option]:
    """Return the options of one move each; moves that do not help are added to `tried`, with what they lead to."""
    options: list[Option] = []
    helped: set[tuple[str, str]] = set()
    for move in possible:
        if len(options) == _MOST_OPTIONS:
            break
        if options and trials.seconds > _ENOUGH:
            trials.complete = False
            break
        if move.group in helped or _needless(move, helped) or _only_a_part(move, explanation):
            continue
        outcome = trials.outcome(move.apply(question))
        if isinstance(outcome, Explanation) and move.group[0] == "load-module":
            move, outcome = _also_elsewhere(move, outcome, question, trials)
        if isinstance(outcome, Resolution):
            found = settled(move, question, outcome, trials.outcome)
            if found is not None:
                options.append(_option(question, [found[0]], found[1], explanation))
                helped.add(move.group)
        elif outcome is not None:
            tried.append((move, outcome))
    return options


def _only_a_part(move: Move, explanation: Explanation) -> bool:
    """Say whether a move is meant for a part of what is lacking, so that it can not be the answer alone."""
    return bool(explanation.lacks and move.settles) and not move.settles >= explanation.items


def _also_elsewhere(
    move: Move, outcome: Resolution | Explanation | None, question: Question, trials: Trials
) -> tuple[Move, Resolution | Explanation | None]:
    """Where a module is loaded on one target and another turns out to lack the same package, load one there as well."""
    names = {name for name, _ in move.settles}
    for _ in question.targets:
        if not isinstance(outcome, Explanation) or {name for name, _ in outcome.items} != names:
            break
        after = move.apply(question)
        loads = [each for each in moves(after, outcome) if each.group[0] == "load-module"]
        if not loads:
            break
        move = together(move, loads[0])
        outcome = trials.outcome(move.apply(question))
    return move, outcome


def _needless(move: Move, helped: set[tuple[str, str]]) -> bool:
    """Say whether a move is no answer beside those that help, since it changes more targets than need be."""
    kind, what = move.group
    return kind == "python" and "," in what and any(group[0] == "python" for group in helped)


def _option(question: Question, taken: Sequence[Move], resolution: Resolution, why: Explanation) -> Option:
    diverging = tuple(package.name for package in resolution.diverging)
    relaxed = {move.group[1] for move in taken if move.group[0] == "relax"}
    unbuilt = tuple(
        package.name
        for package in resolution.packages
        if any(choice.approximate.startswith(UNBUILT) for choice in package.choices)
    )
    return Option(changes_of(question, taken), _gains(resolution, why, relaxed), diverging, unbuilt)


def _gains(resolution: Resolution, why: Explanation, relaxed: set[str]) -> tuple[Gain, ...]:
    """Return what the targets would get of the packages that were in question, and of those whose bounds changed."""
    names = [*relaxed, *(lack.name for lack in (*why.lacks, *why.needs))]
    names += [] if why.lacks else [clause.name for clause in why.clauses if not clause.asker]
    return tuple(
        Gain(package.name, choice.target, str(choice.offer.version), choice.offer.source)
        for package in resolution.packages
        if package.name in names
        for choice in package.choices
    )
