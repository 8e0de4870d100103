"""From a kind of change that would do to the smallest of that kind: which version, from which day on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from tumpline.index import IndexFile
from tumpline.resolve.bounds import relax
from tumpline.resolve.explanation import Explanation
from tumpline.resolve.model import Resolution
from tumpline.resolve.question import Move, Question, move_cutoff
from tumpline.values import Name, public_version

__all__ = ["Outcome", "settled", "versions_of"]

_DAY = len("2026-01-31")
_ONE_DAY = timedelta(days=1)

Outcome = Callable[[Question], Resolution | Explanation | None]


def settled(move: Move, question: Question, resolution: Resolution, outcome: Outcome) -> tuple[Move, Resolution] | None:
    """Return a move that says what to write, and what it leads to; None where there is none.

    `resolution` is what the move itself led to, and `outcome` tries questions.
    """
    if move.opens is not None:
        return _bounded(move, move.opens, question, resolution, outcome)
    if move.any_day:
        return _earliest(move, question, resolution, outcome)
    return move, resolution


def _bounded(
    move: Move, name: Name, question: Question, resolution: Resolution, outcome: Outcome
) -> tuple[Move, Resolution] | None:
    """Where bounds were dropped, ask for the version that was found."""
    versions = versions_of(resolution, name)
    if not versions or (precise := relax(question, name, versions, move.cost)) is None:
        return None
    found = outcome(precise.apply(question))
    return (precise, found) if isinstance(found, Resolution) else None


def versions_of(resolution: Resolution, name: Name) -> tuple[str, ...]:
    """Return the public versions that targets get of a package; none where it is not needed any more."""
    return tuple(
        str(version)
        for package in resolution.packages
        if package.name == name
        for version in dict.fromkeys(public_version(choice.offer.version) for choice in package.choices)
    )


def _earliest(
    move: Move, question: Question, resolution: Resolution, outcome: Outcome
) -> tuple[Move, Resolution] | None:
    """Find the earliest day by halving: what resolves on one day does so on all later ones, with the same files.

    The last upload among the files of a resolution is a day that would do as well, and often much earlier.
    """
    first = date.fromisoformat(question.steering.exclude_newer[:_DAY])
    latest = _last_upload(resolution)
    best: tuple[Move, Resolution] | None = None
    low, high, day = first, latest, latest
    while low <= high:
        later = move_cutoff(day.isoformat(), move.cost)
        found = outcome(later.apply(question))
        if isinstance(found, Resolution):
            best = later, found
            high = min(day - _ONE_DAY, max(_last_upload(found), first))
        elif found is None or best is None:
            break
        else:
            low = day + _ONE_DAY
        day = low + (high - low) // 2
    return best


def _last_upload(resolution: Resolution) -> date:
    """Return the day of the last upload among the files that come from an index; the first of all days for none."""
    days = [
        artefact.uploaded[:_DAY]
        for package in resolution.packages
        for choice in package.choices
        if isinstance(artefact := choice.offer.artefact, IndexFile) and artefact.uploaded
    ]
    return date.fromisoformat(max(days)) if days else date.min
