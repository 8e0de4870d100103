"""``tumpline lock``: resolve for all targets together and write ``tumpline.lock``."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.live import LiveLine
from tumpline.cli.lock_modules import ProjectEdit
from tumpline.cli.lock_report import Outcome, outcome_data, tell_outcome
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import (
    add_index_options,
    add_project_option,
    find_project,
    open_index,
    open_sources,
    open_targets,
)
from tumpline.errors import InputError, Problem
from tumpline.lock.file import LOCK_NAME, read_lock, render_lock, write_lock
from tumpline.project.moments import parse_cutoff
from tumpline.project.read import read_project
from tumpline.values import Name, normalise, parse_version, public_version

if TYPE_CHECKING:
    from tumpline.index import IndexFile
    from tumpline.lock import Lock, LockedPackage
    from tumpline.project import Project
    from tumpline.resolve.model import Resolution
    from tumpline.resolve.target import Target

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_project_option(parser)
    add_index_options(parser)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--check", action="store_true", help="only say whether the lock is current (exit status 1: no)")
    either.add_argument(
        "--add-modules",
        action="store_true",
        help="where a package is lacking that a module brings, add the newest module that fits to the target in "
        "pyproject.toml; both files are written, or none",
    )
    parser.add_argument("--dry-run", action="store_true", help="resolve and show the changes, write nothing")
    parser.add_argument(
        "--upgrade",
        nargs="*",
        action="extend",
        metavar="NAME",
        help="choose anew for these packages, or without names for all; what still holds is kept otherwise",
    )
    parser.add_argument(
        "--resolution",
        choices=("highest", "lowest", "lowest-direct"),
        help="which version to choose of those that fit; lowest-direct: the lowest of what the project itself names "
        "(default: the project's resolution, else highest)",
    )
    parser.add_argument(
        "--exclude-newer",
        metavar="DATE",
        help="leave out what is on the index since later than that day (2026-01-31) or moment (2026-01-31T12:00:00Z)",
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the lock, or check it; return 1 where ``--check`` finds it out of date."""
    root = find_project(options)
    edit = ProjectEdit.start(root) if options.add_modules else None
    project = _steered(read_project(root), options)
    for note in project.notes:
        terminal.note(note)
    path = root / LOCK_NAME
    if options.check:
        from tumpline.cli.lock_check import check

        return check(project, path, options, terminal)
    outcome = _make(project, path, edit, options, terminal)
    if terminal.json:
        terminal.data(json.dumps(outcome_data(outcome), indent=2))
    else:
        tell_outcome(outcome, options, terminal)
    return 0


def _steered(project: Project, options: argparse.Namespace) -> Project:
    """Return the project with what the command says in place of its settings."""
    settings = project.settings
    if options.resolution is not None:
        settings = replace(settings, resolution=options.resolution)
    if options.exclude_newer is not None:
        try:
            settings = replace(settings, exclude_newer=parse_cutoff(options.exclude_newer))
        except InputError as error:
            raise InputError(*(problem._replace(where="--exclude-newer") for problem in error.problems)) from error
    return replace(project, settings=settings)


def _make(
    project: Project, path: Path, edit: ProjectEdit | None, options: argparse.Namespace, terminal: Terminal
) -> Outcome:
    from tumpline.cli.lock_progress import LockProgress
    from tumpline.lock.build import build_lock
    from tumpline.lock.changes import lock_changes
    from tumpline.resolve.loading import resolve_with_modules
    from tumpline.resolve.resolution import resolve
    from tumpline.resolve.steering import Steering

    settings = project.settings
    before = _lock_before(path, terminal)
    kept = tuple(_kept(before, options.upgrade))
    if before is not None and before.resolution != settings.resolution:
        terminal.say(f"the lock was made for the {before.resolution} versions: all are chosen anew")
        kept = ()
    artefacts = {package.name: [pin.artefact for pin in package.pins] for package in kept}
    started = time.perf_counter()
    with (
        LiveLine(terminal, alone=True) as live,
        open_index(options) as index,
        open_sources(project, options, index, artefacts, live) as sources,
    ):
        live("reading the catalogues")
        targets, catalogues = open_targets(project, options)
        live(f"resolving for {', '.join(target.name for target in targets)}")
        preferred = {
            (pin.target, package.name): public_version(parse_version(pin.version))
            for package in kept
            for pin in package.pins
        }

        def attempt(targets: tuple[Target, ...]) -> Resolution:
            return resolve(
                project.requirements,
                targets,
                catalogues,
                index,
                rules=settings.packages,
                preferred=preferred,
                parity=settings.parity,
                steering=Steering.of(settings),
                sources=sources,
                reporter=LockProgress(terminal, live),
            )

        if edit is None:
            resolution = attempt(targets)
        else:
            resolution, loaded = resolve_with_modules(attempt, targets)
            edit.add(targets, loaded)
        seconds = time.perf_counter() - started

        def with_hash(file: IndexFile) -> IndexFile:
            live(f"reading {file.file}, for which the index states no hash")
            return index.with_hash(file)

        inputs = edit.inputs(project) if edit is not None else project.inputs
        lock = build_lock(replace(project, inputs=inputs), resolution, catalogues, with_hash=with_hash)
    same = before is not None and render_lock(before) == render_lock(lock)
    written = not (same or options.dry_run)
    if written:
        with edit.written() if edit is not None else nullcontext():
            write_lock(path, lock)
    added = edit.added if edit is not None else {}
    return Outcome(
        lock, lock_changes(before, lock), added, resolution.left_out, resolution.statistics, seconds, written
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
    known = {package.name for package in before.packages}
    if unknown := sorted(names - known):
        raise InputError(*(_not_in_lock(name, known) for name in unknown))
    yield from (package for package in before.packages if package.name not in names)


def _not_in_lock(name: Name, known: set[Name]) -> Problem:
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), n=3)
    return Problem(
        "not-in-lock",
        f"the lock has no package {name}",
        where="--upgrade",
        hint=f"did you mean {' or '.join(near)}?"
        if near
        else "check the spelling, or run tumpline lock without --upgrade to add what is new",
    )
