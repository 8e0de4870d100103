"""Making an environment what the lock says: all of it, or nothing (R16)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tumpline import __version__
from tumpline.environment.building import BuildSettings, WheelMaker
from tumpline.environment.check import Surroundings, check_target
from tumpline.environment.create import create_environment
from tumpline.environment.crew import Crew, usual_jobs
from tumpline.environment.editable import install_project
from tumpline.environment.generations import Generation, current_generation, prune
from tumpline.environment.install import Installed, Overlap, WheelJob, settle_overlaps
from tumpline.environment.layout import Layout, layout_of
from tumpline.environment.plan import Plan, plan_environment
from tumpline.environment.record import EnvironmentRecord, Expected, read_record, write_record
from tumpline.environment.reporting import Quiet, SyncReporter
from tumpline.environment.sources import WheelIndex, locate_wheels
from tumpline.environment.storage import storage_failure
from tumpline.errors import EnvironmentFailure, InputError, NotSo
from tumpline.host.process import run
from tumpline.host.pythons import Interpreter, find_python, without_python_variables
from tumpline.lock import Lock, LockedTarget
from tumpline.project import Project
from tumpline.values import normalise

__all__ = ["Change", "SyncReport", "SyncSettings", "default_place", "sync"]

_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_COMPILE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """How to sync. `jobs` is the number of worker processes, None for the usual one; `compile` also writes bytecode."""

    offline: bool = False
    dry_run: bool = False
    jobs: int | None = None
    compile: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A package that the environment gets, loses (`after` is empty) or gets in another version."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, or with `dry_run` would do.

    `changed` is False where the environment already was what the lock says. `files` and `size` (bytes) are those of the
    wheels written. `expected` are packages that modules must bring. `overlaps` are files that several packages bring
    with different contents.
    """

    place: Path
    target: str
    python: str
    changed: bool
    dry_run: bool
    packages: int
    changes: tuple[Change, ...]
    expected: tuple[Expected, ...]
    project: str
    files: int = 0
    size: int = 0
    overlaps: tuple[Overlap, ...] = ()


def default_place(root: Path, target: str) -> Path:
    """Return where the environment of a target is unless another place is asked for."""
    return root / ".tumpline" / "env" / target


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
    settings: SyncSettings = SyncSettings(),
    reporter: SyncReporter | None = None,
    cache: Path | None = None,
) -> SyncReport:
    """Make the environment at `place` what the lock says for a target, and return what changed.

    A new environment is built beside the old one, checked, and put in its place in one step; a failure, a kill or a
    full disk before that step leaves the old one as it is. What earlier syncs left behind is removed first. `here` is
    where this runs, where that is to be held against the target. `cache` is where built wheels are kept for the next
    time, any number of processes at once; None keeps none.

    Raises NotSo as `check_target` says; what `plan_environment`, `find_python`, `locate_wheels`, `create_environment`,
    `install_wheel` and `install_project` raise; InputError ``not-our-environment``, ``wrong-machine``;
    EnvironmentFailure ``disk-full``, ``cannot-write``, ``no-symlinks``, ``environment-broken``.
    """
    place = Path(os.path.abspath(place))  # noqa: PTH100 - resolve() would follow the environment's own link
    reporter = reporter or Quiet()
    plan = plan_environment(lock, target, project)
    current = current_generation(place)
    before = _record_of(current)
    if current is not None and before is not None and before.key == plan.key and _starts(current, before):
        if not settings.dry_run:
            prune(place)
        return _report(plan, place, before, before.python, changed=False, dry_run=settings.dry_run)
    if here is not None and (problems := check_target(plan.target, here)):
        raise NotSo(*problems)
    interpreter = find_python(plan.target.python, environ)
    _check_machine(plan.target, interpreter)
    if settings.dry_run:
        return _report(plan, place, before, interpreter.version, changed=True, dry_run=True)
    prune(place)
    try:
        builds = _build_settings(plan, project, wheelhouse, environ, settings, cache)
        with WheelMaker(builds, plan.target, interpreter) as maker:
            jobs = locate_wheels(plan, wheelhouse, index, reporter, maker)
            with Generation(place, plan.key) as generation:
                _keep_out_of_version_control(place, project)
                layout = layout_of(generation.folder, interpreter)
                results, overlaps = _build(plan, jobs, layout, interpreter, environ, settings, reporter)
                write_record(generation.folder, _new_record(plan, interpreter))
                generation.publish()
    finally:
        reporter.finish()
    return replace(
        _report(plan, place, before, interpreter.version, changed=True, dry_run=False),
        files=sum(result.files for result in results),
        size=sum(result.size for result in results),
        overlaps=overlaps,
    )


def _build(
    plan: Plan,
    jobs: tuple[WheelJob, ...],
    layout: Layout,
    interpreter: Interpreter,
    environ: Mapping[str, str],
    settings: SyncSettings,
    reporter: SyncReporter,
) -> tuple[tuple[Installed, ...], tuple[Overlap, ...]]:
    """Fill the folder of a new generation."""
    size = max(1, min(settings.jobs or usual_jobs(), len(jobs)))
    # The workers start, and import what they need, while virtualenv is at work.
    with Crew(size, environ) as crew:
        reporter.start("create", 0, 0)
        pip = create_environment(Path(layout.root), interpreter, plan.target.name, environ)
        if all(step.name != "pip" for step in plan.wheels):
            jobs = (*jobs, WheelJob(pip, size=pip.stat().st_size))
        reporter.start("install", len(jobs), sum(job.size for job in jobs))
        results = crew.install(jobs, layout, lambda job, _: reporter.advance(job.size))
    overlaps = settle_overlaps(jobs, results, layout)
    if plan.project is not None:
        reporter.start("project", 0, 0)
        install_project(plan.project, layout, environ, offline=settings.offline)
    if settings.compile:
        reporter.start("compile", 0, 0)
        _compile(layout, environ, settings.jobs or usual_jobs())
    _check_starts(layout, interpreter, environ)
    return results, overlaps


def _compile(layout: Layout, environ: Mapping[str, str], jobs: int) -> None:
    """Write bytecode; files that are not valid Python are no failure, as with pip."""
    folders = sorted({layout.purelib, layout.platlib})
    command = [layout.python, "-I", "-m", "compileall", "-qq", "-j", str(jobs), *folders]
    run(command, environment=without_python_variables(environ), timeout=_COMPILE_SECONDS)


def _check_starts(layout: Layout, interpreter: Interpreter, environ: Mapping[str, str]) -> None:
    command = [layout.python, "-I", "-c", "import sys; print(sys.prefix)"]
    done = run(command, environment=without_python_variables(environ), timeout=60.0)
    if done.status == 0 and os.path.realpath(done.stdout.strip()) == os.path.realpath(layout.root):
        return
    raise EnvironmentFailure.of(
        "environment-broken",
        "the new environment's Python does not start as it should",
        where=layout.python,
        why=done.stderr.strip()[-1000:] or f"it says its folder is {done.stdout.strip()!r}",
        hint=f"check that {interpreter.path} itself works",
    )


def _build_settings(
    plan: Plan,
    project: Project | None,
    wheelhouse: Path | None,
    environ: Mapping[str, str],
    settings: SyncSettings,
    cache: Path | None,
) -> BuildSettings:
    requirements = [each.requirement for each in project.requirements] if project is not None else []
    return BuildSettings(
        root=project.root if project is not None else Path(),
        environ=environ,
        cache=cache,
        addresses={normalise(each.name): each.url for each in requirements if each.url},
        layers=tuple(wheelhouse / layer for layer in plan.target.layers) if wheelhouse is not None else (),
        offline=settings.offline,
    )


def _check_machine(target: LockedTarget, interpreter: Interpreter) -> None:
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


def _starts(folder: Path, record: EnvironmentRecord) -> bool:
    """Whether the Python that the environment stands on is still there: modules and machines are upgraded."""
    return Path(record.interpreter).exists() and any(
        (folder / name).exists() for name in ("bin/python", "Scripts/python.exe")
    )


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


def _new_record(plan: Plan, interpreter: Interpreter) -> EnvironmentRecord:
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
    )


def _report(
    plan: Plan, place: Path, before: EnvironmentRecord | None, python: str, *, changed: bool, dry_run: bool
) -> SyncReport:
    old = dict(before.packages) if before is not None else {}
    new = {str(step.name): step.version for step in plan.wheels}
    return SyncReport(
        place=place,
        target=plan.target.name,
        python=python,
        changed=changed,
        dry_run=dry_run,
        packages=len(new),
        changes=tuple(
            Change(name, old.get(name, ""), new.get(name, ""))
            for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name)
        ),
        expected=plan.expected,
        project=plan.project_name,
    )
