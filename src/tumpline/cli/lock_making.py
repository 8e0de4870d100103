"""Making a lock: resolve for all targets together, and write what came out of it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.live import LiveLine
from tumpline.cli.lock_report import Outcome
from tumpline.cli.project_edit import ProjectEdit
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import open_index, open_sources, open_targets
from tumpline.errors import InputError, Problem
from tumpline.lock.file import LOCK_NAME, read_lock, render_lock, write_lock
from tumpline.lock.kept import kept_artefacts, kept_versions
from tumpline.values import Name, normalise

if TYPE_CHECKING:
    from tumpline.index import IndexFile
    from tumpline.lock import Lock, LockedPackage
    from tumpline.project import Project
    from tumpline.resolve.model import Resolution
    from tumpline.resolve.target import Target

__all__ = ["make_lock"]


def make_lock(
    project: Project,
    edit: ProjectEdit | None,
    options: argparse.Namespace,
    terminal: Terminal,
    upgrade: Sequence[str] | None = None,
) -> Outcome:
    """Resolve for all targets and write the lock, and the edited project file with it: both, or neither.

    With an `edit`, modules are added to targets that lack them. `upgrade` are the packages to be chosen anew, none for
    all of them; None keeps what still holds (R13). Raises what resolving and writing raises.
    """
    from tumpline.cli.lock_progress import LockProgress
    from tumpline.lock.build import build_lock
    from tumpline.lock.changes import lock_changes
    from tumpline.resolve.loading import resolve_with_modules
    from tumpline.resolve.remarks import remarks_on
    from tumpline.resolve.resolution import resolve
    from tumpline.resolve.steering import Steering

    settings = project.settings
    path = project.root / LOCK_NAME
    before = _lock_before(path, terminal)
    kept = tuple(_kept(before, upgrade))
    if before is not None and before.resolution != settings.resolution:
        terminal.say(f"the lock was made for the {before.resolution} versions: all are chosen anew")
        kept = ()
    started = time.perf_counter()
    with (
        LiveLine(terminal, alone=True) as live,
        open_index(options) as index,
        open_sources(project, options, index, kept_artefacts(kept), live) as sources,
    ):
        live("reading the catalogues")
        targets, catalogues = open_targets(project, options)
        live(f"resolving for {', '.join(target.name for target in targets)}")
        preferred = kept_versions(kept)

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
            edit.settle(resolution, targets, loaded)
        seconds = time.perf_counter() - started
        for note in remarks_on(project.requirements, resolution):
            terminal.note(note)

        def with_hash(file: IndexFile) -> IndexFile:
            live(f"reading {file.file}, for which the index states no hash")
            return index.with_hash(file)

        inputs = edit.inputs(project) if edit is not None else project.inputs
        lock = build_lock(replace(project, inputs=inputs), resolution, catalogues, with_hash=with_hash)
    same = before is not None and render_lock(before) == render_lock(lock)
    # The lock may be that of the edited file already: of another checkout, or of before the file was put back.
    edited = edit is not None and edit.changed
    written = not options.dry_run and (edited or not same)
    if written:
        with edit.written() if edit is not None else nullcontext():
            if not same:
                write_lock(path, lock)
    added = edit.added if edit is not None else {}
    return Outcome(
        lock, lock_changes(before, lock), added, resolution.left_out, resolution.statistics, seconds, written, same
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


def _kept(before: Lock | None, upgrade: Sequence[str] | None) -> Iterator[LockedPackage]:
    """Yield the packages of the lock before whose version is to be kept if it still fits (R13)."""
    if before is None or (upgrade is not None and not upgrade):
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
