"""Finding the file of every wheel of a plan: in the wheelhouse, in the cache, or on an index."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from tumpline.environment.install import WheelJob
from tumpline.environment.plan import Plan, WheelStep
from tumpline.environment.reporting import SyncReporter
from tumpline.errors import EnvironmentFailure, Problem, TumplineError
from tumpline.index import IndexFile
from tumpline.index.background import Workers
from tumpline.lock import IndexArtefact, WheelhouseArtefact
from tumpline.values import Name

__all__ = ["WheelIndex", "locate_wheels"]

_DOWNLOADS = 4
"""At once; more is unkind to the index and, past the width of the line, no faster."""


class WheelIndex(Protocol):
    """What is needed of an index: finding and fetching locked files. `download` is called from several threads."""

    def cached(self, sha256: str, file: str) -> Path | None:
        """Return where the file of that hash and name is kept, or None."""
        ...

    def locate(self, name: Name, file: str, sha256: str) -> IndexFile:
        """Return where a locked file is now; raises EnvironmentFailure."""
        ...

    def download(self, file: IndexFile, *, progress: Callable[[int], None] | None = None) -> Path:
        """Return the path of the file's bytes, fetched if need be; raises EnvironmentFailure."""
        ...

    def prefetch(self, names: list[Name]) -> None:
        """Start fetching the pages of projects; never raises."""
        ...


def locate_wheels(
    plan: Plan, wheelhouse: Path | None, index: WheelIndex, reporter: SyncReporter
) -> tuple[WheelJob, ...]:
    """Return where each wheel of the plan is, in the plan's order, after fetching those that are not here.

    `wheelhouse` is the root folder of the site's layers, None where the site has none. Everything that can not be had
    is told at once: raises EnvironmentFailure ``no-wheelhouse`` and ``wheel-gone``, and what the index raises.
    """
    _check_wheelhouse(plan, wheelhouse)
    found: dict[Name, WheelJob] = {}
    problems: list[Problem] = []
    wanted: list[tuple[WheelStep, IndexArtefact]] = []
    for step in plan.wheels:
        match step.artefact:
            case WheelhouseArtefact() as artefact:
                path = (wheelhouse or Path()) / artefact.layer / artefact.file
                size = _size(path)
                if size is None:
                    problems.append(_gone(plan, step, path))
                else:
                    found[step.name] = WheelJob(path, record=artefact.record, requested=step.requested, size=size)
            case IndexArtefact() as artefact:
                if (path_or_none := index.cached(artefact.sha256, artefact.file)) is None:
                    wanted.append((step, artefact))
                else:
                    found[step.name] = _indexed(step, artefact, path_or_none)
    if wanted and not problems:
        found.update(_fetch(wanted, index, reporter, problems))
    if problems:
        raise EnvironmentFailure(*problems)
    return tuple(found[step.name] for step in plan.wheels)


def _fetch(
    wanted: list[tuple[WheelStep, IndexArtefact]], index: WheelIndex, reporter: SyncReporter, problems: list[Problem]
) -> dict[Name, WheelJob]:
    index.prefetch([step.name for step, _ in wanted])
    located: list[tuple[WheelStep, IndexArtefact, IndexFile]] = []
    for step, artefact in wanted:
        try:
            located.append((step, artefact, index.locate(step.name, artefact.file, artefact.sha256)))
        except TumplineError as error:
            problems.extend(error.problems)
    if problems:
        return {}
    sizes = [artefact.size for _, artefact, _ in located]
    reporter.start("download", len(located), sum(size for size in sizes if size is not None))

    found: dict[Name, WheelJob] = {}
    # Not the standard library's executor: an interrupted command would wait for its threads, and they for the index.
    workers = Workers(_DOWNLOADS)
    try:
        tasks = [
            (step, artefact, workers.submit(partial(index.download, file, progress=reporter.advance)))
            for step, artefact, file in located
        ]
        for step, artefact, task in tasks:
            assert task is not None  # noqa: S101 - the workers are open
            try:
                found[step.name] = _indexed(step, artefact, task.result())
            except TumplineError as error:
                problems.extend(error.problems)
    finally:
        workers.close()
    return found


def _indexed(step: WheelStep, artefact: IndexArtefact, path: Path) -> WheelJob:
    return WheelJob(path, sha256=artefact.sha256, requested=step.requested, size=_size(path) or 0)


def _check_wheelhouse(plan: Plan, wheelhouse: Path | None) -> None:
    if not any(isinstance(step.artefact, WheelhouseArtefact) for step in plan.wheels):
        return
    if wheelhouse is None or not wheelhouse.is_dir():
        raise EnvironmentFailure.of(
            "no-wheelhouse",
            f"the wheelhouse of {plan.target.site} is not on this machine",
            where=f"target {plan.target.name}",
            why=f"there is no folder {wheelhouse}" if wheelhouse else f"the site {plan.target.site} has no wheelhouse",
            hint=f"run this on {plan.target.site}, or choose a target for this machine with --target",
        )


def _gone(plan: Plan, step: WheelStep, path: Path) -> Problem:
    return Problem(
        "wheel-gone",
        f"the wheel of {step.name} {step.version} is no longer in the wheelhouse",
        where=f"target {plan.target.name}",
        why=f"there is no file {path}",
        hint="scan the wheelhouse and lock again: tumpline catalogue scan, then tumpline lock",
    )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
