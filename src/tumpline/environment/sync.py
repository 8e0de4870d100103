"""Making an environment what the lock says: all of it, or nothing (R16)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tumpline import __version__
from tumpline.environment.building import BuildSettings, WheelMaker
from tumpline.environment.check import Surroundings, check_target
from tumpline.environment.footprint import Footprint, footprint_of, too_small
from tumpline.environment.generations import Generation, current_generation, default_place, leftovers, remove, starts
from tumpline.environment.install import Overlap
from tumpline.environment.layout import layout_of
from tumpline.environment.make import SyncSettings, compile_environment, make_environment
from tumpline.environment.plan import Plan, plan_environment
from tumpline.environment.project_wheel import project_job
from tumpline.environment.record import EnvironmentRecord, Expected, read_record, write_record
from tumpline.environment.reporting import Quiet, SyncReporter
from tumpline.environment.sources import WheelIndex, locate_wheels, wheels_here
from tumpline.environment.storage import storage_failure
from tumpline.environment.wheelstore import WheelStore
from tumpline.errors import InputError, NotSo
from tumpline.host.caches import CacheUse
from tumpline.host.pythons import Interpreter, find_python
from tumpline.host.room import Room, room_in
from tumpline.lock import Lock, LockedTarget
from tumpline.project import Project
from tumpline.values import normalise

__all__ = ["Change", "SyncReport", "SyncSettings", "build_settings", "check_machine", "default_place", "sync"]

_USUAL = SyncSettings()
_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}


@dataclass(frozen=True, slots=True)
class Change:
    """A package and what becomes of it: `before` and `after` are versions, empty where it is not there.

    `source` is where it comes from (a `Source`), empty for what goes. Where both versions are the same, it is kept, or,
    if `differs`, it is another file, another build or from elsewhere.
    """

    name: str
    before: str
    after: str
    source: str = ""
    differs: bool = True


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, or with `dry_run` would do.

    `changed` is False where the environment already was what the lock says. `changes` are what became different,
    `kept` the rest. `files` and `size` (bytes) are those of the wheels written; `footprint` is what the whole
    environment has, or would have, and `rooms` those that are too small for it: both only where one was to be made.
    `expected` are packages that modules must bring. `overlaps` are files that several packages bring with different
    contents. `compiled` says whether there is bytecode.
    """

    place: Path
    target: str
    python: str
    changed: bool
    dry_run: bool
    packages: int
    changes: tuple[Change, ...]
    kept: tuple[Change, ...]
    expected: tuple[Expected, ...]
    project: str
    compiled: bool = False
    files: int = 0
    size: int = 0
    overlaps: tuple[Overlap, ...] = ()
    footprint: Footprint | None = None
    rooms: tuple[Room, ...] = ()


def sync(
    lock: Lock,
    target: str,
    place: Path,
    *,
    project: Project | None,
    wheelhouse: Path | None,
    index: WheelIndex,
    environ: Mapping[str, str],
    here: Surroundings | None = None,
    settings: SyncSettings = _USUAL,
    reporter: SyncReporter | None = None,
    cache: Path | None = None,
    stage: WheelStore | None = None,
    use: CacheUse | None = None,
) -> SyncReport:
    """Make the environment at `place` what the lock says for a target, and return what changed.

    A new environment is built beside the old one, checked, and put in its place in one step; a failure, a kill or a
    full disk before that step leaves the old one as it is. What earlier syncs left behind is removed at the end, or,
    where room is short, first. `here` is where this runs, where that is to be held against the target. `cache` is where
    built wheels are kept for the next time, any number of processes at once; None keeps none; `use` keeps it within its
    size. `stage` has what was fetched and built ahead, which is taken first.

    Raises NotSo as `check_target` says; what `plan_environment`, `find_python`, `locate_wheels` and `make_environment`
    raise; InputError ``not-our-environment``, ``wrong-machine``; EnvironmentFailure ``disk-full``, ``cannot-write``,
    ``no-symlinks``.
    """
    place = Path(os.path.abspath(place))  # noqa: PTH100 - resolve() would follow the environment's own link
    reporter = reporter or Quiet()
    plan = plan_environment(lock, target, project)
    current = current_generation(place)
    before = _record_of(current)
    fits = before is not None and before.key == plan.key and not settings.renew
    if current is not None and before is not None and fits and starts(current, before):
        if not settings.dry_run:
            remove(leftovers(place))
            if settings.compile and not before.compiled:
                before = _compiled(plan, current, before, environ, settings, reporter)
        report = _report(plan, place, before, before.python, changed=False, dry_run=settings.dry_run)
        return replace(report, compiled=before.compiled)
    if here is not None and (problems := check_target(plan.target, here)):
        raise NotSo(*problems)
    interpreter = find_python(plan.target.python, environ)
    check_machine(plan.target, interpreter)
    if settings.dry_run:
        footprint = footprint_of(plan, wheels_here(plan, wheelhouse, index, stage))
        report = _report(plan, place, before, interpreter.version, changed=True, dry_run=True)
        return replace(report, footprint=footprint, rooms=too_small(footprint, room_in(place.parent, environ)))
    left = leftovers(place)
    try:
        builds = build_settings(plan, project, wheelhouse, environ, settings, cache, stage, use)
        with WheelMaker(builds, plan.target, interpreter) as maker:
            jobs = locate_wheels(plan, wheelhouse, index, reporter, maker, stage=stage, offline=settings.offline)
            own = project_job(plan, stage, maker.scratch) if settings.offline and stage is not None else None
            paths = {step.name: job.path for step, job in zip(plan.wheels, jobs, strict=True)}
            footprint = footprint_of(plan, paths)
            rooms = too_small(footprint, room_in(place.parent, environ))
            reporter.expect(footprint, rooms)
            if rooms:
                remove(left)
            with Generation(place, plan.key) as generation:
                _keep_out_of_version_control(place, project)
                layout = layout_of(generation.folder, interpreter)
                results, overlaps = make_environment(
                    plan, jobs, layout, interpreter, environ, settings, reporter, current, own
                )
                write_record(generation.folder, _new_record(plan, interpreter, compiled=settings.compile))
                generation.publish()
    finally:
        # Not before: where files were just removed, ext4 takes several times as long to make new ones.
        remove(left)
        reporter.finish()
    return replace(
        _report(plan, place, before, interpreter.version, changed=True, dry_run=False),
        compiled=settings.compile,
        files=sum(result.files for result in results),
        size=sum(result.size for result in results),
        overlaps=overlaps,
        footprint=footprint,
        rooms=rooms,
    )


def _compiled(
    plan: Plan,
    folder: Path,
    record: EnvironmentRecord,
    environ: Mapping[str, str],
    settings: SyncSettings,
    reporter: SyncReporter,
) -> EnvironmentRecord:
    """Add bytecode to an environment that is there, and return its new record; what uses it is not disturbed."""
    try:
        reporter.start("compile", 0, 0)
        compile_environment(layout_of(folder, find_python(plan.target.python, environ)), environ, settings)
    finally:
        reporter.finish()
    record = record._replace(compiled=True)
    write_record(folder, record)
    return record


def build_settings(
    plan: Plan,
    project: Project | None,
    wheelhouse: Path | None,
    environ: Mapping[str, str],
    settings: SyncSettings,
    cache: Path | None,
    stage: WheelStore | None,
    use: CacheUse | None,
) -> BuildSettings:
    """Return what `WheelMaker` needs; parameters as for `sync`."""
    requirements = [each.requirement for each in project.requirements] if project is not None else []
    return BuildSettings(
        root=project.root if project is not None else Path(),
        environ=environ,
        cache=cache,
        addresses={normalise(each.name): each.url for each in requirements if each.url},
        layers=tuple(wheelhouse / layer for layer in plan.target.layers) if wheelhouse is not None else (),
        offline=settings.offline,
        use=use,
        stage=stage,
    )


def check_machine(target: LockedTarget, interpreter: Interpreter) -> None:
    """Raise InputError ``wrong-machine`` where an interpreter is not for the target's system and architecture."""
    system = _SYSTEMS.get(interpreter.platform, interpreter.platform)
    machine = {"AMD64": "x86_64", "aarch64": "arm64"}.get(interpreter.machine, interpreter.machine)
    wanted = {"AMD64": "x86_64", "aarch64": "arm64"}.get(target.machine, target.machine)
    if (system, machine) != (target.os, wanted):
        raise InputError.of(
            "wrong-machine",
            f"the target is for {target.os} on {target.machine}, this machine is {system} on {interpreter.machine}",
            where=f"target {target.name}",
            hint="choose a target for this machine with --target, or add one to pyproject.toml and run: tumpline lock",
        )


def _record_of(folder: Path | None) -> EnvironmentRecord | None:
    if folder is None:
        return None
    try:
        return read_record(folder)
    except InputError:
        # Whatever it was made from, it is to be made anew.
        return None


def _keep_out_of_version_control(place: Path, project: Project | None) -> None:
    """Give the project's ``.tumpline`` folder the file that keeps git from looking into it."""
    if project is None or place.parent != default_place(project.root, place.name).parent:
        return
    ignore = project.root / ".tumpline" / ".gitignore"
    if not ignore.exists():
        try:
            ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise storage_failure(error, ignore) from error


def _new_record(plan: Plan, interpreter: Interpreter, *, compiled: bool) -> EnvironmentRecord:
    target = plan.target
    return EnvironmentRecord(
        target=target.name,
        site=target.site,
        environment=target.environment,
        cpu_level=target.cpu_level,
        python=interpreter.version,
        interpreter=str(interpreter.path),
        modules=target.modules,
        expected=plan.expected,
        key=plan.key,
        packages=tuple((step.name, step.version) for step in plan.wheels),
        project=plan.project_name,
        tool=__version__,
        marks=tuple(step.mark for step in plan.wheels),
        compiled=compiled,
    )


def _report(
    plan: Plan, place: Path, before: EnvironmentRecord | None, python: str, *, changed: bool, dry_run: bool
) -> SyncReport:
    rows = _compared(plan, before)
    return SyncReport(
        place=place,
        target=plan.target.name,
        python=python,
        changed=changed,
        dry_run=dry_run,
        packages=len(plan.wheels),
        changes=tuple(row for row in rows if row.differs),
        kept=tuple(row for row in rows if not row.differs),
        expected=plan.expected,
        project=plan.project_name,
    )


def _compared(plan: Plan, before: EnvironmentRecord | None) -> list[Change]:
    """Return what becomes of each package, sorted by name."""
    old = dict(before.packages) if before is not None else {}
    marks = {name: mark for (name, _), mark in zip(before.packages, before.marks)} if before is not None else {}  # noqa: B905 - older records have none
    rows = [
        Change(
            step.name,
            old.get(step.name, ""),
            step.version,
            step.source,
            old.get(step.name) != step.version or marks.get(step.name, step.mark) != step.mark,
        )
        for step in plan.wheels
    ]
    new = {step.name for step in plan.wheels}
    rows += [Change(name, version, "") for name, version in old.items() if name not in new]
    return sorted(rows, key=lambda row: row.name)
