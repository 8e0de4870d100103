"""Several changes together, for what no single one puts right.

Of what is lacking everything is put right at once: modules are loaded, building is allowed, and where bounds stand in
the way, all of them are dropped, and the resolver takes what is nearest to them. What then is in conflict loses its
bounds as well, until there is an answer; and bounds that admit that answer are what is offered. So the number of trials
depends on how deep the conflicts are, not on how many packages there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tumpline.resolve.bounds import asking, nearest_to, open_up, relax
from tumpline.resolve.changes import moves, moves_for
from tumpline.resolve.costs import Cost
from tumpline.resolve.explanation import Explanation, Item, Lack
from tumpline.resolve.model import Resolution
from tumpline.resolve.question import Move, Question, together
from tumpline.resolve.settle import settled, versions_of
from tumpline.resolve.trial import Trials
from tumpline.values import Name, parse_version, public_version

__all__ = ["Combined", "combined"]

_MOST_ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Combined:
    """The sets of moves that help, with their resolutions, the least first; else moves that help with a part."""

    found: tuple[tuple[Sequence[Move], Resolution], ...] = ()
    partial: Sequence[Move] = ()
    rest: Explanation | None = None


def combined(
    question: Question, explanation: Explanation, tried: Sequence[tuple[Move, Explanation]], trials: Trials
) -> Combined:
    """Look for moves that help together: with the targets as they are, and with the Pythons that help the most.

    `tried` are single moves that did not help, and what they led to.
    """
    found: list[tuple[Sequence[Move], Resolution]] = []
    partial: tuple[Sequence[Move], Explanation] = (), explanation
    for start, why in [([], explanation), *_pythons(question, explanation, tried, trials)]:
        for eager in (False, True):
            attempt = _Attempt(question, start, trials, eager=eager)
            outcome = attempt.run(why)
            if isinstance(outcome, Explanation):
                taken = attempt.partial()
                if taken and len(outcome.items) < len(partial[1].items) + (not partial[0]):
                    partial = taken, outcome
            elif (least := attempt.least(outcome)) is not None:
                found.append(least)
            if not attempt.gave_way:
                break
    found.sort(key=lambda each: sum(move.cost for move in each[0]))
    return Combined(tuple(_smallest(found)), *partial)


def _smallest(found: Sequence[tuple[Sequence[Move], Resolution]]) -> Iterator[tuple[Sequence[Move], Resolution]]:
    """Yield each set of moves that makes no more changes than another one, once."""
    changes = [{change for move in taken for change in move.changes} for taken, _ in found]
    for place, (each, mine) in enumerate(zip(found, changes, strict=True)):
        if not any(other < mine or (other == mine and earlier < place) for earlier, other in enumerate(changes)):
            yield each


def _pythons(
    question: Question, explanation: Explanation, tried: Sequence[tuple[Move, Explanation]], trials: Trials
) -> list[tuple[list[Move], Explanation]]:
    """Return the choices of Pythons with which the least is lacking, if it is less than now: for all or one by one."""
    best: dict[str, tuple[tuple[int, int, int], Move, Explanation]] = {}
    for move, outcome in tried:
        kind, targets = move.group
        if kind == "python" and _what_is_wrong(outcome) < _what_is_wrong(explanation):
            key = (*_what_is_wrong(outcome), move.cost)
            if targets not in best or key < best[targets][0]:
                best[targets] = key, move, outcome
    single = [row for targets, row in best.items() if "," not in targets]
    candidates = [([move], outcome) for _, move, outcome in best.values()]
    if len(single) > 1:
        several = together(*(move for _, move, _ in single))
        together_outcome = trials.outcome(several.apply(question))
        if isinstance(together_outcome, Explanation):
            candidates.append(([move for _, move, _ in single], together_outcome))
    candidates.sort(key=lambda each: (*_what_is_wrong(each[1]), sum(move.cost for move in each[0])))
    return candidates[:2]


def _what_is_wrong(why: Explanation) -> tuple[int, int]:
    """Return how many targets have a Python that is no choice at all, and how much else is wrong."""
    return len(why.excluded), len(why.items)


class _Attempt:
    """Goes from one explanation to the next, each time with what it asks for put right.

    `taken` are the moves so far, `opened` the packages whose bounds are dropped. Where what a version needs is lacking,
    its package can give way to another version; an eager attempt puts that right instead, by allowing to build it say.
    """

    def __init__(self, question: Question, start: Sequence[Move], trials: Trials, *, eager: bool) -> None:
        self._question = question
        self._trials = trials
        self._taken: list[Move] = list(start)
        self._opened: dict[Name, str] = {}
        self._lacking: set[Name] = set()
        self._eager = eager
        self.gave_way = False

    def run(self, why: Explanation) -> Resolution | Explanation:
        """Return the resolution, or why there is none where nothing more can be done."""
        for _ in range(_MOST_ROUNDS):
            if not (self._put_right(why.lacks) if why.lacks else self._loosen(why)):
                break
            outcome = self._trials.outcome(self._current())
            if isinstance(outcome, Resolution):
                return outcome
            if outcome is None:
                break
            why = outcome
        return why

    def least(self, resolution: Resolution) -> tuple[Sequence[Move], Resolution] | None:
        """Return the moves that lead to a resolution, bounds being relaxed only as far as it needs, if they do."""
        taken = [*self._taken, *self._relaxed({name: versions_of(resolution, name) for name in self._opened})]
        outcome = self._outcome(taken)
        if not taken or not isinstance(outcome, Resolution):
            return None
        # Leave out what is not needed beside the others, the costliest first.
        least = outcome
        for move in sorted(taken, key=lambda move: -move.cost):
            if move.group[0] == "relax" and Name(move.group[1]) in self._lacking:
                continue  # nothing that the project asks for is there
            if len(taken) == 1 or not self._trials.left:
                break
            rest = [each for each in taken if each is not move]
            shorter = self._outcome(rest)
            if isinstance(shorter, Resolution):
                taken, least = rest, shorter
        return taken, least

    def partial(self) -> Sequence[Move]:
        """Return the moves that were taken, bounds being relaxed to what is near to them."""
        return [*self._taken, *self._relaxed({name: (near,) if near else () for name, near in self._opened.items()})]

    def _relaxed(self, versions: dict[Name, tuple[str, ...]]) -> Iterable[Move]:
        base = self._base(self._taken)
        for name, found in versions.items():
            cost = max((_cost(base, name, version) for version in found), default=Cost.RELAX)
            if found and (move := relax(base, name, found, cost)) is not None:
                yield move

    def _base(self, taken: Iterable[Move]) -> Question:
        question = self._question
        for move in taken:
            question = move.apply(question)
        return question

    def _outcome(self, taken: Iterable[Move]) -> Resolution | Explanation | None:
        return self._trials.outcome(self._base(taken))

    def _current(self) -> Question:
        base = question = self._base(self._taken)
        for name in self._opened:
            question = open_up(name, asking(base, name), Cost.RELAX).apply(question)
        near = {
            (target.name, name): public_version(parse_version(version))
            for name, version in self._opened.items()
            if version
            for target in question.targets
        }
        return replace(question, near={**question.near, **near})

    def _put_right(self, lacks: Sequence[Lack], *, needed: bool = False) -> bool:
        """Take what puts right that targets lack packages; return whether there was anything.

        What is only `needed` by some version is not asked for by the project, which has no bounds of it to relax.
        """
        base = self._base(self._taken)
        progress = False
        for lack in lacks:
            ways = self._ways(base, lack)
            if not needed and self._may_open(base, lack):
                ways.append(replace(open_up(lack.name, (), Cost.RELAX), settles=lack.items))
            for move in _cover(lack.items, ways):
                progress = True
                if move.opens is not None:
                    self._open(base, lack)
                else:
                    self._taken.append(move)
        return progress

    def _ways(self, base: Question, lack: Lack) -> list[Move]:
        """Return the moves that may put right a lack, but for relaxing bounds alone: the resolver chooses better."""
        known = {move.changes for move in self._taken}
        return [
            move
            for move in moves_for(base, lack)
            if move.settles and move.changes not in known and (len(move.changes) > 1 or move.group[0] != "relax")
        ]

    def _may_open(self, base: Question, lack: Lack) -> bool:
        bounded = any(row.requirement.specifier for row in asking(base, lack.name))
        return bounded and lack.name not in self._opened and all(account.others for account in lack.lacking)

    def _open(self, base: Question, lack: Lack) -> None:
        had = [(*account.versions, *account.others) for account in lack.accounts]
        common = [version for version in had[0] if all(version in versions for versions in had)]
        specifiers = [str(row.requirement.specifier) for row in asking(base, lack.name)]
        near = nearest_to(common, specifiers)
        self._opened[lack.name] = near[0] if near else ""
        self._lacking.add(lack.name)

    def _loosen(self, why: Explanation) -> bool:
        """Drop the bounds of what is in conflict, or put right what it needs; return whether there was anything."""
        if self._loaded(why.needs) or (self._eager and self._put_right(why.needs, needed=True)):
            return True
        base = self._base(self._taken)
        names = [clause.name for clause in why.clauses if not clause.asker and clause.name not in self._opened]
        bounded = [name for name in names if any(row.requirement.specifier for row in asking(base, name))]
        self._opened |= {name: _pin(base, name) for name in bounded}
        if bounded:
            self.gave_way |= any(self._ways(base, need) for need in why.needs)
            return True
        return self._put_right(why.needs, needed=True) or self._any_single(why)

    def _loaded(self, needs: Sequence[Lack]) -> bool:
        base = self._base(self._taken)
        found = 0
        for need in needs:
            loads = [move for move in moves_for(base, need) if move.group[0] == "load-module"]
            cover = _cover(need.items, loads)
            self._taken += cover
            found += len(cover)
        return found > 0

    def _any_single(self, why: Explanation) -> bool:
        """Take a single move that leads to an answer, if there is one."""
        if not (self._taken or self._opened):
            return False  # these were tried before
        current = self._current()
        for move in moves(current, why):
            outcome = self._trials.outcome(move.apply(current))
            if isinstance(outcome, Resolution) and (found := settled(move, current, outcome, self._trials.outcome)):
                self._taken.append(found[0])
                return True
        return False


def _cover(items: frozenset[Item], ways: Sequence[Move]) -> list[Move]:
    """Return moves that settle all items that can be, each time the one that costs least for what it settles."""
    cover: list[Move] = []
    left = set(items)
    while useful := [move for move in ways if move.settles & left]:
        move = min(useful, key=lambda move: move.cost / len(move.settles & left))
        cover.append(move)
        left -= move.settles
    return cover


def _pin(question: Question, name: Name) -> str:
    """Return the version that the project asks for of a package, if it names one."""
    for row in asking(question, name):
        for clause in row.requirement.specifier:
            if clause.operator in ("==", "~=") and not clause.version.endswith(".*"):
                return clause.version
    return ""


def _cost(question: Question, name: Name, version: str) -> int:
    """Return what it counts to have a version: by how much it differs from the nearest that the project names."""
    release = (*parse_version(version).release, 0, 0)
    costs = [Cost.OTHER_MAJOR]
    for row in asking(question, name):
        for clause in row.requirement.specifier:
            if clause.operator not in ("!=", "==="):
                other = (*parse_version(clause.version.removesuffix(".*")).release, 0, 0)
                if release[0] == other[0]:
                    costs.append(Cost.RELAX if release[1] == other[1] else Cost.OTHER_MINOR)
    return min(costs)
