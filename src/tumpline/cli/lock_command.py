"""``tumpline lock``: resolve for all targets together and write ``tumpline.lock``."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import (
    add_index_options,
    add_project_option,
    find_project,
    open_index,
    open_sources,
    open_targets,
)
from tumpline.cli.words import change_rows, change_words
from tumpline.errors import InputError, NotSo, Problem
from tumpline.lock.file import LOCK_NAME, read_lock, render_lock, write_lock
from tumpline.project.read import read_project
from tumpline.values import normalise, parse_version, public_version

if TYPE_CHECKING:
    from tumpline.index import IndexFile
    from tumpline.lock import Lock, LockedPackage
    from tumpline.lock.changes import Change
    from tumpline.project import Project
    from tumpline.resolve.model import Statistics

__all__ = ["configure", "execute"]

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
class _Outcome:
    lock: Lock
    changes: tuple[Change, ...]
    statistics: Statistics
    seconds: float
    written: bool


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_project_option(parser)
    add_index_options(parser)
    parser.add_argument("--check", action="store_true", help="only say whether the lock is current (exit status 1: no)")
    parser.add_argument("--dry-run", action="store_true", help="resolve and show the changes, write nothing")
    parser.add_argument(
        "--upgrade",
        nargs="*",
        metavar="NAME",
        help="choose anew for these packages, or without names for all; what still holds is kept otherwise",
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the lock, or check it; return 1 where ``--check`` finds it out of date."""
    root = find_project(options)
    project = read_project(root)
    for note in project.notes:
        terminal.note(note)
    path = root / LOCK_NAME
    if options.check:
        return _check(project, path, options, terminal)
    outcome = _make(project, path, options, terminal)
    if terminal.json:
        terminal.data(json.dumps(_data(outcome), indent=2))
    else:
        _tell(outcome, options, terminal)
    return 0


def _make(project: Project, path: Path, options: argparse.Namespace, terminal: Terminal) -> _Outcome:
    from tumpline.lock.build import build_lock
    from tumpline.lock.changes import lock_changes
    from tumpline.resolve.resolution import resolve

    before = _lock_before(path, terminal)
    kept = list(_kept(before, options.upgrade))
    artefacts = {package.name: [pin.artefact for pin in package.pins] for package in kept}
    started = time.perf_counter()
    with (
        LiveLine(terminal) as live,
        open_index(options) as index,
        open_sources(project, options, index, artefacts, live) as sources,
    ):
        live("reading the catalogues")
        targets, catalogues = open_targets(project, options)
        live(f"resolving for {', '.join(target.name for target in targets)}")
        resolution = resolve(
            project.requirements,
            targets,
            catalogues,
            index,
            rules=project.settings.packages,
            preferred={
                (pin.target, package.name): public_version(parse_version(pin.version))
                for package in kept
                for pin in package.pins
            },
            parity=project.settings.parity,
            sources=sources,
            progress=live,
        )
        seconds = time.perf_counter() - started

        def with_hash(file: IndexFile) -> IndexFile:
            live(f"reading {file.file}, for which the index states no hash")
            return index.with_hash(file)

        lock = build_lock(project, resolution, catalogues, with_hash=with_hash)
    same = before is not None and render_lock(before) == render_lock(lock)
    if not (same or options.dry_run):
        write_lock(path, lock)
    return _Outcome(
        lock, lock_changes(before, lock), resolution.statistics, seconds, written=not (same or options.dry_run)
    )


def _lock_before(path: Path, terminal: Terminal) -> Lock | None:
    """Return the lock to start from; one that is damaged or was edited is made anew, one from a newer tool is not."""
    try:
        return read_lock(path)
    except InputError as error:
        if error.code == "no-lock":
            return None
        if error.code == "lock-too-new":
            raise
        terminal.note(error.problems[0])
        terminal.say("the lock is made anew")
        return None


def _kept(before: Lock | None, upgrade: list[str] | None) -> Iterator[LockedPackage]:
    """Yield the packages of the lock before whose version is to be kept if it still fits (R13)."""
    if before is None or upgrade == []:
        return
    names = {normalise(name) for name in upgrade or ()}
    unknown = sorted(names - {package.name for package in before.packages})
    if unknown:
        raise InputError.of(
            "not-in-lock",
            f"the lock has no package {unknown[0]}",
            where="--upgrade",
            hint="check the spelling, or run tumpline lock without --upgrade to add what is new",
        )
    yield from (package for package in before.packages if package.name not in names)


def _check(project: Project, path: Path, options: argparse.Namespace, terminal: Terminal) -> int:
    from tumpline.lock.check import check_lock

    lock = read_lock(path)
    targets, catalogues = open_targets(project, options)
    known = {
        target.name: catalogue.info if catalogue is not None else None
        for target, catalogue in zip(targets, catalogues, strict=True)
    }
    found = check_lock(lock, project, known)
    outdated = [change for change in found if change.outdated]
    if terminal.json:
        rows = [
            {"code": c.code, "message": c.message, "target": c.target or None, "outdated": c.outdated} for c in found
        ]
        terminal.data(
            json.dumps({"schema": "tumpline.lock-check/1", "current": not outdated, "changes": rows}, indent=2)
        )
        return 1 if outdated else 0
    for change in found:
        if not change.outdated:
            terminal.say(f"note: {f'{change.target}: ' if change.target else ''}{change.message}")
    if outdated:
        raise NotSo(
            *(
                Problem(
                    "lock-outdated",
                    change.message,
                    where=f"target {change.target}" if change.target else path.name,
                    hint="bring it up to date: tumpline lock" if change is outdated[-1] else "",
                )
                for change in outdated
            )
        )
    terminal.say(f"{path.name} is current: {_extent(lock)}")
    return 0


def _tell(outcome: _Outcome, options: argparse.Namespace, terminal: Terminal) -> None:
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
        terminal.say(f"{target.name}: Python {target.python}, {len(pins)} packages ({sources})")
        if built := [package.name for package in lock.packages if (pin := package.pin(target.name)) and pin.build]:
            terminal.say(f"  to be built from source: {', '.join(built)}")
        if uncertain := sum(bool(pin.approximate) and pin.source == "wheelhouse" for pin in pins):
            terminal.say(
                f"  approximate: the catalogue is a public list of {target.catalogue_date}, so the dependencies of "
                f"{uncertain} packages are the index's; to be certain, on {target.site}: "
                "tumpline catalogue scan, then tumpline lock"
            )
    for package in lock.packages:
        if package.divergence:
            terminal.say(f"{package.name} differs: {_versions_by_target(package)}\n  {package.divergence}", level=-1)
    terminal.say(
        f"resolved in {outcome.seconds:.1f} s: {outcome.statistics.decisions} decisions, "
        f"{outcome.statistics.conflicts} conflicts, {outcome.statistics.searches} searches",
        level=1,
    )
    if outcome.written:
        terminal.say(f"wrote {LOCK_NAME}: {_extent(lock)}")
    elif options.dry_run:
        terminal.say("dry run: nothing was written")
    else:
        terminal.say(f"{LOCK_NAME} is unchanged")


def _versions_by_target(package: LockedPackage) -> str:
    targets: dict[str, list[str]] = {}
    for pin in package.pins:
        targets.setdefault(str(public_version(parse_version(pin.version))), []).append(pin.target)
    return "; ".join(f"{version} on {', '.join(names)}" for version, names in targets.items())


def _extent(lock: Lock) -> str:
    packages, targets = len(lock.packages), len(lock.targets)
    return f"{packages} package{'' if packages == 1 else 's'} for {targets} target{'' if targets == 1 else 's'}"


def _data(outcome: _Outcome) -> dict[str, object]:
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
        "search": {
            "decisions": outcome.statistics.decisions,
            "conflicts": outcome.statistics.conflicts,
            "searches": outcome.statistics.searches,
        },
    }
