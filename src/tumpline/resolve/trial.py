"""The nearest changes that make a project resolve: each is tried with the resolver before it is offered.

Pure but for the resolver and the clock that it is given. The number of tries and their time are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.resolve.changes import moves
from tumpline.resolve.explanation import Explanation, Unresolved
from tumpline.resolve.model import Resolution
from tumpline.resolve.question import Change, Move, Question
from tumpline.resolve.retarget import changes_of
from tumpline.resolve.settle import settled
from tumpline.values import Name

__all__ = ["Advice", "Gain", "Option", "Trials", "nearest_changes"]

_MOST_OPTIONS = 4
_MOST_ROUNDS = 5
_MOST_TRIES = 60
_SECONDS = 20.0

_Item = tuple[str, str]
"""Something that is wrong: a package and the target that lacks it, or empty where they have none in common."""


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

    `diverging` are the packages that would not be the same version on all targets.
    """

    changes: tuple[Change, ...]
    gains: tuple[Gain, ...]
    diverging: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """What would help: `options`, the least first.

    Where there is none, `partial` are changes that help with a part, and `rest` says what is left. `tries` counts the
    resolutions that were tried; `complete` says that no bound cut them short.
    """

    options: tuple[Option, ...] = ()
    partial: tuple[Change, ...] = ()
    rest: Explanation | None = None
    tries: int = 0
    complete: bool = True


class _TimeIsOver(Exception):  # ends a try, and is no error
    """The time of all tries together is over."""


class Trials:
    """Tries questions, so many and so long; what was tried is remembered.

    `resolve` answers a question or raises Unresolved; now and then it calls the function that it is given, which raises
    where the time is over. `clock` counts seconds.
    """

    def __init__(
        self,
        resolve: Callable[[Question, Callable[[], None]], Resolution],
        clock: Callable[[], float],
        *,
        most: int = _MOST_TRIES,
        seconds: float = _SECONDS,
    ) -> None:
        self._resolve = resolve
        self._clock = clock
        self._most = most
        self._end = clock() + seconds
        self.tries = 0
        self.complete = True

    def outcome(self, question: Question) -> Resolution | Explanation | None:
        """Return the resolution, or why there is none; None where that can not be told or a bound is hit."""
        if self.tries >= self._most or self._clock() > self._end:
            self.complete = False
            return None
        self.tries += 1
        try:
            return self._resolve(question, self._look_at_clock)
        except Unresolved as failure:
            return failure.explanation
        except _TimeIsOver:
            self.complete = False
            return None
        except (InputError, EnvironmentFailure):
            # What was changed can not be asked about: metadata that must be built first, an index out of reach.
            return None

    def _look_at_clock(self) -> None:
        if self._clock() > self._end:
            raise _TimeIsOver


def nearest_changes(question: Question, explanation: Explanation, trials: Trials) -> Advice:
    """Return what would make a question resolve that does not: single changes, else several together."""
    tried: list[tuple[Move, Explanation]] = []
    options: list[Option] = []
    helped: set[tuple[str, str]] = set()
    for move in moves(question, explanation):
        if len(options) == _MOST_OPTIONS:
            break
        if move.group in helped or _needless(move, helped):
            continue
        outcome = trials.outcome(move.apply(question))
        if isinstance(outcome, Resolution):
            found = settled(move, question, outcome, trials.outcome)
            if found is not None:
                options.append(_option(question, [found[0]], found[1], explanation))
                helped.add(move.group)
        elif outcome is not None:
            tried.append((move, outcome))
    if options:
        return Advice(tuple(options), tries=trials.tries, complete=trials.complete)
    return _combined(question, explanation, tried, trials)


def _needless(move: Move, helped: set[tuple[str, str]]) -> bool:
    """Say whether a move is no answer beside those that help: giving a package up, more targets than need be."""
    kind, what = move.group
    if kind == "remove":
        return any(group[0] != "remove" for group in helped)
    return kind == "python" and "," in what and any(group[0] == "python" for group in helped)


def _combined(
    question: Question, explanation: Explanation, tried: Sequence[tuple[Move, Explanation]], trials: Trials
) -> Advice:
    """Take moves that help with a part together, the cheapest for what they settle, until all is settled."""
    taken: list[Move] = []
    now, why = question, explanation
    for _ in range(_MOST_ROUNDS):
        cover, outcome = _take(now, why, _cover(why, tried), trials)
        for move in cover:
            taken.append(move)
            now = move.apply(now)
        if isinstance(outcome, Explanation):
            why = outcome
            outcome, last, tried = _try_each(now, why, trials)
            taken += last
        elif not cover:
            break
        if isinstance(outcome, Resolution):
            taken, outcome = _without_needless(question, taken, outcome, trials)
            option = _option(question, taken, outcome, explanation)
            return Advice((option,), tries=trials.tries, complete=trials.complete)
    return Advice(partial=changes_of(question, taken), rest=why, tries=trials.tries, complete=trials.complete)


def _take(
    question: Question, why: Explanation, cover: Sequence[Move], trials: Trials
) -> tuple[Sequence[Move], Resolution | Explanation | None]:
    """Return the moves that are taken, with their outcome: all of the cover, or where they do not agree its first."""
    for some in (cover, cover[:1]) if len(cover) > 1 else (cover,):
        after = question
        for move in some:
            after = move.apply(after)
        outcome = trials.outcome(after) if some else None
        if isinstance(outcome, Resolution) or (outcome is not None and _items(why) - _items(outcome)):
            return some, outcome
    return (), None


def _try_each(
    question: Question, why: Explanation, trials: Trials
) -> tuple[Resolution | None, list[Move], list[tuple[Move, Explanation]]]:
    """Try every single move: return the resolution and the move that leads to it, else what the others led to."""
    tried: list[tuple[Move, Explanation]] = []
    for move in moves(question, why):
        outcome = trials.outcome(move.apply(question))
        if isinstance(outcome, Resolution):
            found = settled(move, question, outcome, trials.outcome)
            if found is not None:
                return found[1], [found[0]], []
        elif outcome is not None and move.changes:
            tried.append((move, outcome))
    return None, [], tried


def _cover(why: Explanation, tried: Sequence[tuple[Move, Explanation]]) -> list[Move]:
    """Return moves that settle as much as single ones can, each time the one that costs least for what it settles."""
    settles = [(move, _items(why) - _items(outcome)) for move, outcome in tried if move.changes]
    cover: list[Move] = []
    left = set(_items(why))
    while left:
        useful = [(move, gone & left) for move, gone in settles if gone & left]
        if not useful:
            break
        move, gone = min(useful, key=lambda row: row[0].cost / len(row[1]))
        cover.append(move)
        left -= gone
    return cover


def _without_needless(
    question: Question, taken: Sequence[Move], resolution: Resolution, trials: Trials
) -> tuple[list[Move], Resolution]:
    """Leave out the moves that turn out not to be needed beside the others, the costliest first."""
    kept = list(taken)
    for move in sorted(taken, key=lambda move: -move.cost):
        if len(kept) == 1:
            break
        rest = [each for each in kept if each is not move]
        after = question
        for each in rest:
            after = each.apply(after)
        outcome = trials.outcome(after)
        if isinstance(outcome, Resolution):
            kept, resolution = rest, outcome
    return kept, resolution


def _items(why: Explanation) -> frozenset[_Item]:
    """Return what is wrong: what each target lacks, else the conflict, known by what the project asks for in it."""
    if why.lacks:
        return frozenset(
            (lack.name, target) for lack in why.lacks for target in [a.target for a in lack.lacking] or [""]
        )
    return frozenset({("conflict", " ".join(sorted({clause.name for clause in why.clauses if not clause.asker})))})


def _option(question: Question, taken: Sequence[Move], resolution: Resolution, why: Explanation) -> Option:
    diverging = tuple(package.name for package in resolution.diverging)
    relaxed = {move.group[1] for move in taken if move.group[0] == "relax"}
    return Option(changes_of(question, taken), _gains(resolution, why, relaxed), diverging)


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
