"""Making an environment what the lock says: all of it, or nothing (R16)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tumpline import __version__
from tumpline.environment.building import BuildSettings, WheelMaker
from tumpline.environment.bytecode import compile_environment
from tumpline.environment.check import Surroundings, check_target
from tumpline.environment.crew import usual_jobs
from tumpline.environment.footprint import Footprint, footprint_of, too_small
from tumpline.environment.generations import Generation, current_generation, default_place, leftovers, remove, starts
from tumpline.environment.layout import layout_of
from tumpline.environment.make import SyncSettings, make_environment
from tumpline.environment.plan import Plan, plan_environment
from tumpline.environment.project_wheel import project_job
from tumpline.environment.record import EnvironmentRecord, read_record, write_record
from tumpline.environment.reporting import Quiet, SyncReporter
from tumpline.environment.sources import WheelIndex, drop_damaged, locate_wheels, wheels_here
from tumpline.environment.storage import storage_failure
from tumpline.environment.sync_report import Change, SyncReport, report_of
from tumpline.environment.wheelstore import WheelStore
from tumpline.errors import EnvironmentFailure, InputError, NotSo
from tumpline.host.caches import CacheUse
from tumpline.host.pythons import Interpreter, find_python
from tumpline.host.room import Room, room_in
from tumpline.lock import Lock, LockedTarget
from tumpline.project import Project
from tumpline.values import normalise

__all__ = ["Change", "SyncReport", "SyncSettings", "build_settings", "check_machine", "default_place", "sync"]

_USUAL = SyncSettings()
_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}


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
    quota: Room | None = None,
) -> SyncReport:
    """Make the environment at `place` what the lock says for a target, and return what changed.

    A new environment is built beside the old one, checked, and put in its place in one step; a failure, a kill or a
    full disk before that step leaves the old one as it is. What earlier syncs left behind is removed at the end, or,
    where room is short, first. `here` is where this runs, where that is to be held against the target. `cache` is where
    built wheels are kept for the next time, any number of processes at once; None keeps none; `use` keeps it within its
    size. A file that was kept of an index and is found damaged is fetched again. `stage` has what was fetched and built
    ahead, which is taken first. `quota` is what may be at `place` in all, where that is known.

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
        report = report_of(plan, place, before, before.python, changed=False, dry_run=settings.dry_run)
        return replace(report, compiled=before.compiled)
    if here is not None and (problems := check_target(plan.target, here)):
        raise NotSo(*problems)
    interpreter = find_python(plan.target.python, environ)
    check_machine(plan.target, interpreter)
    if settings.dry_run:
        expected = footprint_of(plan, wheels_here(plan, wheelhouse, index, stage))
        report = report_of(plan, place, before, interpreter.version, changed=True, dry_run=True)
        return replace(report, footprint=expected, rooms=_too_small(expected, place, environ, quota), quota=quota)
    left = leftovers(place)
    footprint: Footprint | None = None
    try:
        builds = build_settings(plan, project, wheelhouse, environ, settings, cache, stage, use)
        with WheelMaker(builds, plan.target, interpreter) as maker:
            jobs = locate_wheels(plan, wheelhouse, index, reporter, maker, stage=stage, offline=settings.offline)
            own = project_job(plan, stage, maker.scratch) if settings.offline and stage is not None else None
            paths = {step.name: job.path for step, job in zip(plan.wheels, jobs, strict=True)}
            footprint = footprint_of(plan, paths)
            rooms = _too_small(footprint, place, environ, quota)
            reporter.expect(footprint, rooms, quota)
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
    except EnvironmentFailure as error:
        raise _with_need(error, footprint) from error
    except InputError as error:
        if settings.offline or not _may_be_mended(error) or not drop_damaged(plan, index):
            raise
        # What was kept is removed, so that this ends: what is fetched is checked before it is kept.
        return sync(
            lock,
            target,
            place,
            project=project,
            wheelhouse=wheelhouse,
            index=index,
            environ=environ,
            here=here,
            settings=settings,
            reporter=reporter,
            cache=cache,
            stage=stage,
            use=use,
            quota=quota,
        )
    finally:
        # Not before: where files were just removed, ext4 takes several times as long to make new ones.
        remove(left)
        reporter.finish()
    return replace(
        report_of(plan, place, before, interpreter.version, changed=True, dry_run=False),
        compiled=settings.compile,
        files=sum(result.files for result in results),
        size=sum(result.size for result in results),
        overlaps=overlaps,
        footprint=footprint,
        rooms=rooms,
        quota=quota,
    )


def _with_need(error: EnvironmentFailure, footprint: Footprint | None) -> EnvironmentFailure:
    """Return the error; where there was no space, with what the environment needs."""
    if footprint is None or error.code != "disk-full":
        return error
    about = "" if footprint.exact else "about "
    need = f"it needs {about}{footprint.size / 1e6:,.1f} MB in {footprint.files:,} files and folders"
    return EnvironmentFailure(*(problem._replace(why=f"{problem.why}; {need}") for problem in error.problems))


def _may_be_mended(error: InputError) -> bool:
    return any(problem.code == "wrong-hash" for problem in error.problems)


def _too_small(footprint: Footprint, place: Path, environ: Mapping[str, str], quota: Room | None) -> tuple[Room, ...]:
    rooms = room_in(place.parent, environ)
    return too_small(footprint, (*rooms, quota) if quota is not None else rooms)


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
        layout = layout_of(folder, find_python(plan.target.python, environ))
        compile_environment(layout, environ, settings.jobs or usual_jobs())
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
