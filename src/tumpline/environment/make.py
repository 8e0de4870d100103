"""Filling the folder of a new generation: an empty environment, the wheels, the project, bytecode."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tumpline.environment.bytecode import compile_environment
from tumpline.environment.create import check_starts, create_environment
from tumpline.environment.crew import Crew, usual_jobs
from tumpline.environment.editable import install_project
from tumpline.environment.install import Installed, Overlap, WheelJob, current_umask, install_wheel, settle_overlaps
from tumpline.environment.layout import Layout
from tumpline.environment.other_installers import check_wheels, find_uv, install_by_pip, install_by_uv
from tumpline.environment.plan import Plan
from tumpline.environment.reporting import SyncReporter
from tumpline.host.pythons import Interpreter

__all__ = ["InstallerName", "SyncSettings", "make_environment"]

InstallerName = Literal["tumpline", "pip", "uv"]
"""What puts the wheels into the environment: our own installer, the environment's pip, or a uv on PATH."""


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """How to sync.

    `jobs` is the number of worker processes, None for the usual one; `compile` also writes bytecode; `installer` is
    what puts the wheels into place; `renew` makes a new environment also where the one that is there says that it is
    what the lock says.
    """

    offline: bool = False
    dry_run: bool = False
    jobs: int | None = None
    compile: bool = False
    installer: InstallerName = "tumpline"
    renew: bool = False


def make_environment(
    plan: Plan,
    jobs: tuple[WheelJob, ...],
    layout: Layout,
    interpreter: Interpreter,
    environ: Mapping[str, str],
    settings: SyncSettings,
    reporter: SyncReporter,
    earlier: Path | None = None,
    project: WheelJob | None = None,
) -> tuple[tuple[Installed, ...], tuple[Overlap, ...]]:
    """Fill the folder of a new generation, and return what was written for each wheel and which files several bring.

    `earlier` is the generation before, whose files are taken over where they are the same. `project` is the project's
    own wheel, where that was built ahead; otherwise it is built.

    Raises what `create_environment`, `install_wheel`, `install_by_pip`, `install_by_uv` and `install_project` raise;
    EnvironmentFailure ``environment-broken`` where its Python does not start.
    """
    by_name = {step.name for step in plan.wheels}
    workers = settings.jobs or usual_jobs()
    # First, since it is soon told that there is no uv.
    uv = find_uv(environ) if settings.installer == "uv" else None
    # The workers start, and import what they need, while virtualenv is at work.
    own = len(jobs) if settings.installer == "tumpline" else 0
    with Crew(max(1, min(workers, own)), environ) as crew:
        reporter.start("create", 0, 0)
        pip = create_environment(Path(layout.root), interpreter, plan.target.name, environ)
        seed = () if "pip" in by_name and settings.installer != "pip" else (WheelJob(pip, size=pip.stat().st_size),)
        reporter.start("install", len(jobs) + len(seed), sum(job.size for job in (*jobs, *seed)))

        def done(job: WheelJob, _: Installed) -> None:
            reporter.advance(job.size)

        if settings.installer == "tumpline":
            jobs = (*jobs, *seed)
            # Windows has links, and none of what tells that a file is one's own.
            linked = str(earlier) if earlier is not None and os.name == "posix" else ""
            results = crew.install(jobs, layout, done, linked)
            overlaps = settle_overlaps(jobs, results, layout)
        else:
            seeded = crew.install(seed, layout, done)
            check_wheels(jobs)
            if uv is not None:
                written = install_by_uv(uv, jobs, layout, environ)
            else:
                written = install_by_pip(jobs, layout, environ)
            results, overlaps = (*seeded, written), ()
    if plan.project is not None:
        reporter.start("project", 0, 0)
        if project is not None:
            install_wheel(project, layout, current_umask())
        else:
            install_project(plan.project, layout, environ, offline=settings.offline)
    if settings.compile:
        reporter.start("compile", 0, 0)
        compile_environment(layout, environ, workers, earlier)
    check_starts(layout, interpreter, environ)
    return results, overlaps
