"""What ``tumpline lock`` says of its outcome, in words and as data."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tumpline.cli.terminal import Terminal
from tumpline.cli.words import change_rows, change_words
from tumpline.lock.file import LOCK_NAME
from tumpline.sites.companions import optional_companions
from tumpline.values import parse_version, public_version

if TYPE_CHECKING:
    from tumpline.lock import Lock, LockedPackage, Pin
    from tumpline.lock.changes import Change
    from tumpline.resolve.model import Statistics

__all__ = ["Outcome", "extent", "outcome_data", "tell_outcome"]

_MOST_CHANGES = 15
"""Changes shown without ``-v``; a first lock is all changes."""

_SOURCES = {
    "wheelhouse": "the wheelhouse",
    "module": "modules",
    "pypi": "the index",
    "path": "paths",
    "url": "addresses",
    "vcs": "repositories",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of the command has made, and what it took.

    `modules` are those added to targets of the project, `left_out` is `Resolution.left_out`. `written` says whether
    anything was written, `unchanged` that the lock is the one that was there.
    """

    lock: Lock
    changes: tuple[Change, ...]
    modules: Mapping[str, tuple[str, ...]]
    left_out: tuple[tuple[str, str], ...]
    statistics: Statistics
    seconds: float
    written: bool
    unchanged: bool


def tell_outcome(outcome: Outcome, options: argparse.Namespace, terminal: Terminal) -> None:
    """Tell what was locked: changes, then target by target where packages come from, then what differs."""
    lock = outcome.lock
    if outcome.changes:
        shown = outcome.changes if terminal.verbosity > 0 else outcome.changes[:_MOST_CHANGES]
        for change in shown:
            terminal.say(f"  {change_words(change)}")
        if len(shown) < len(outcome.changes):
            terminal.say(f"  … and {len(outcome.changes) - len(shown)} more (-v shows all)")
    for target in lock.targets:
        pins = [pin for package in lock.packages if (pin := package.pin(target.name)) is not None]
        counts = Counter(str(pin.source) for pin in pins)
        sources = ", ".join(f"{counts[source]} from {words}" for source, words in _SOURCES.items() if counts[source])
        terminal.say(f"{target.name}: Python {target.python}, {len(pins)} packages{f' ({sources})' if sources else ''}")
        if built := [package.name for package in lock.packages if (pin := package.pin(target.name)) and pin.build]:
            terminal.say(f"  to be built from source: {', '.join(built)}")
        uncertain = [pin for pin in pins if pin.approximate]
        borrowed = sum(target.grade == "listed" and pin.source == "wheelhouse" for pin in uncertain)
        if others := len(uncertain) - borrowed:
            packages = "1 package" if others == 1 else f"{others} packages"
            terminal.say(f'  approximate: dependencies of {packages}, see "approximate" in {LOCK_NAME}')
        if borrowed:
            terminal.say(
                f"  approximate: the catalogue is a public list of {target.catalogue_date}, so the dependencies of "
                f"{borrowed} packages are the index's; to be certain, on {target.site}: "
                "tumpline catalogue scan, then tumpline lock"
            )
        for left_out in (requirement for name, requirement in outcome.left_out if name == target.name):
            terminal.say(f"  {left_out} is left out: the site's CUDA stands for it")
        for optional in _missed(pins, lock, target.name):
            terminal.say(f"  {optional}")
    dateless = [target.name for target in lock.targets if target.catalogue and target.policy != "pypi"]
    if lock.exclude_newer and dateless:
        terminal.say(
            f"exclude-newer does not concern the wheelhouse of {', '.join(dateless)}: its wheels have no upload time"
        )
    for package in lock.packages:
        if package.divergence:
            terminal.say(f"{package.name} differs: {_versions_by_target(package)}\n  {package.divergence}", level=-1)
    terminal.say(
        f"resolved in {outcome.seconds:.1f} s: {outcome.statistics.decisions} decisions, "
        f"{outcome.statistics.conflicts} conflicts, {outcome.statistics.searches} searches",
        level=1,
    )
    for name, modules in outcome.modules.items():
        verb = "added" if outcome.written else "would add"
        terminal.say(f"{verb} {', '.join(modules)} to the modules of target {name} in pyproject.toml")
    if options.dry_run:
        terminal.say("dry run: nothing was written")
    elif not outcome.unchanged:
        terminal.say(f"wrote {LOCK_NAME}: {extent(lock)}")
    else:
        terminal.say(f"{LOCK_NAME} is unchanged")


def _missed(pins: Sequence[Pin], lock: Lock, target: str) -> Iterator[str]:
    """Say what packages of a wheelhouse do less than people expect, since nothing asks for what they need for it."""
    if all(pin.source != "wheelhouse" for pin in pins):
        return
    here = {package.name: pin for package in lock.packages if (pin := package.pin(target)) is not None}
    for one in optional_companions():
        if one.name in here and here[one.name].source == "wheelhouse" and not here.keys() & set(one.others):
            others = " or ".join(one.others)
            yield f"{one.name} comes without {others}: {one.without}; ask for one of them to change that"


def _versions_by_target(package: LockedPackage) -> str:
    targets: dict[str, list[str]] = {}
    for pin in package.pins:
        targets.setdefault(str(public_version(parse_version(pin.version))), []).append(pin.target)
    return "; ".join(f"{version} on {', '.join(names)}" for version, names in targets.items())


def extent(lock: Lock) -> str:
    """Say how much is locked."""
    packages, targets = len(lock.packages), len(lock.targets)
    return f"{packages} package{'' if packages == 1 else 's'} for {targets} target{'' if targets == 1 else 's'}"


def outcome_data(outcome: Outcome) -> dict[str, object]:
    """Return the outcome as plain data; its form is documented in ``docs/reference/lock.md``."""
    lock = outcome.lock
    return {
        "schema": "tumpline.lock/1",
        "written": outcome.written,
        "seconds": round(outcome.seconds, 3),
        "targets": [target.name for target in lock.targets],
        "packages": len(lock.packages),
        "approximate": sorted(
            package.name for package in lock.packages if any(pin.approximate for pin in package.pins)
        ),
        "diverging": {package.name: package.divergence for package in lock.packages if package.divergence},
        "changes": change_rows(outcome.changes),
        "left-out": [{"target": target, "requirement": requirement} for target, requirement in outcome.left_out],
        "modules": {name: list(modules) for name, modules in outcome.modules.items()},
        "search": {
            "decisions": outcome.statistics.decisions,
            "conflicts": outcome.statistics.conflicts,
            "searches": outcome.statistics.searches,
        },
    }
