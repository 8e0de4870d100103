"""From the options, the project and its lock to the description of a job."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tumpline.cli.stage_place import find_stage
from tumpline.cli.wiring import choose_target, find_project, here, load_site_of
from tumpline.environment.generations import default_place
from tumpline.environment.image import compression_of, read_image
from tumpline.environment.plan import Plan, plan_environment
from tumpline.environment.stage import Survey, survey_stage
from tumpline.environment.wheelstore import WheelStore
from tumpline.errors import EnvironmentFailure, InputError, NotSo
from tumpline.host import variables
from tumpline.host.git import state_of
from tumpline.jobs.description import JobDescription
from tumpline.jobs.record import Version, known_record
from tumpline.lock import Lock, PathArtefact, WheelhouseArtefact
from tumpline.lock.file import LOCK_NAME, read_lock
from tumpline.project import Project
from tumpline.project.job import JOB_FIELDS, JobRequest, Way, with_values
from tumpline.project.read import read_project
from tumpline.sites import Site

__all__ = ["Job", "describe"]

_ACCOUNT_VARIABLES = ("SBATCH_ACCOUNT", "SLURM_ACCOUNT")


class Job(NamedTuple):
    """A description, and what it was made from. `at_home` says that this machine is of the target's site.

    `survey` is what there is in the stage, where the job needs it; `lock_file` is the content of the lock.
    """

    description: JobDescription
    project: Project
    lock: Lock
    lock_file: bytes
    plan: Plan
    site: Site
    at_home: bool
    account_known: bool
    stage: WheelStore | None
    survey: Survey | None


def describe(options: argparse.Namespace) -> Job:
    """Make the description; raises what reading project and lock raises.

    Further InputError ``no-command``, ``not-for-plain``, ``no-image``; NotSo ``not-staged``.
    """
    root = find_project(options)
    path = root / LOCK_NAME
    lock = read_lock(path)
    content = path.read_bytes()
    project = read_project(root)
    target = choose_target(lock, options)
    site = load_site_of(target)
    plan = plan_environment(lock, target.name, project)
    at_home = here().site_name == target.site
    command = _command(options)
    request = _request(options, project, root)
    image = _image(options, root, plan, request) if options.flavour == "tumpline" else ""
    way = _way(request, site, image, options)
    folder = find_stage(options) if at_home else options.stage
    stage = WheelStore(folder) if folder is not None else None
    wheelhouse = Path(site.wheelhouse) if site.wheelhouse else None
    survey = survey_stage(plan, stage or WheelStore(root / ".tumpline" / "no-stage"), wheelhouse)
    version = state_of(root)
    description = JobDescription(
        request=request,
        target=target.name,
        title=project.name or root.name,
        key=plan.key,
        way=way,
        flavour=options.flavour,
        command=command,
        modules=_modules(plan),
        tumpline=(sys.executable, "-P", "-m", "tumpline") if at_home else ("tumpline",),
        project=str(root) if at_home else ".",
        stage=str(folder) if folder is not None and (folder.is_dir() or not at_home) else "",
        image=image,
        ready=str(default_place(root if at_home else Path(), target.name)),
        shared_folder=site.jobs.shared_folder,
        record=known_record(
            plan,
            hashlib.sha256(content).hexdigest(),
            command,
            way,
            Version(*version) if version is not None else None,
        ),
    )
    if options.flavour == "plain" and way == "build":
        description = replace(description, wheels=tuple(_wheels(plan, survey, site)))
    known = bool(request.account) or any(variables().get(name) for name in _ACCOUNT_VARIABLES)
    return Job(description, project, lock, content, plan, site, at_home, known, stage, survey)


def _command(options: argparse.Namespace) -> tuple[str, ...]:
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        raise InputError.of(
            "no-command",
            "there is no command to run",
            hint=f"write it behind two dashes: tumpline job {options.action} -- python x.py",
        )
    return tuple(words)


def _request(options: argparse.Namespace, project: Project, root: Path) -> JobRequest:
    given = {key: getattr(options, key.replace("-", "_")) or "" for key in JOB_FIELDS}
    given |= {"output": options.output or "", "environment": options.environment or ""}
    request = with_values(project.settings.job, given, tuple(options.option))
    if not request.name:
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", project.name or root.name).strip(".-_") or "job"
        request = replace(request, name=name[:100])
    return replace(request, output=os.path.abspath(request.output)) if request.output else request  # noqa: PTH100 - links as they were given


def _way(request: JobRequest, site: Site, image: str, options: argparse.Namespace) -> Way:
    way: Way
    match request.environment:
        case "build" | "login-node" as asked:
            return asked
        case "image":
            if options.flavour == "plain":
                raise InputError.of(
                    "not-for-plain",
                    "an image needs tumpline on the nodes",
                    where="--environment image",
                    hint="leave out --plain, or use --environment build",
                )
            if not image:
                raise InputError.of(
                    "no-image",
                    "there is no image of this environment",
                    why="none in the project's folder is of what the lock says now",
                    hint="make one: tumpline sync and tumpline pack; or name one with --image",
                )
            return "image"
        case _:
            ready = site.kind == "cluster" and site.build_in == "login-node"
            way = "image" if image else "login-node" if ready else "build"
            return way


def _image(options: argparse.Namespace, root: Path, plan: Plan, request: JobRequest) -> str:
    """Return the image to use: the one that is named, or one in the project's folder that is what the lock says."""
    if request.environment not in ("", "image"):
        return ""
    if options.image is not None:
        named: Path = options.image
        head = read_image(named).head
        if head.record.key != plan.key:
            raise NotSo.of(
                "image-stale",
                "the image is not what the lock says any more",
                where=str(named),
                hint="bring the environment up to date and pack it again: tumpline sync, tumpline pack",
            )
        return os.path.abspath(named)  # noqa: PTH100 - links as they were given
    for path in sorted(root.glob(f"{plan.target.name}-*")):
        if compression_of(path) is None or not path.is_file():
            continue
        try:
            head = read_image(path).head
        except (InputError, EnvironmentFailure):
            continue  # something else of that name
        if head.record.key == plan.key and head.record.cpu_level == plan.target.cpu_level:
            return str(path)
    return ""


def _modules(plan: Plan) -> tuple[str, ...]:
    """Return the full names of the modules to load, in their order; the software environment and Python come first."""
    target = plan.target
    first = [f"StdEnv/{target.environment}", f"python/{target.python}"] if target.environment else []
    return tuple(dict.fromkeys([*first, *target.modules, *(package.module for package in plan.expected)]))


def _wheels(plan: Plan, survey: Survey, site: Site) -> Iterator[str]:
    """Yield the files that the plain script installs, in the order of the plan."""
    if survey.lacking:
        raise NotSo.of(
            "not-staged",
            "a plain script takes from the stage what is not in the wheelhouse, and that is not there",
            where=f"target {plan.target.name}",
            why="\n".join(f"{need}: {need.what}" for need in survey.lacking),
            hint=f"where there is internet, run: tumpline stage --target {plan.target.name}; or leave out --plain",
        )
    staged = {need.name: wheel for need, wheel in survey.here}
    for step in plan.wheels:
        if step.name in staged:
            yield str(staged[step.name].path)
        elif isinstance(step.artefact, WheelhouseArtefact):
            yield os.path.join(site.wheelhouse or "", step.artefact.layer, step.artefact.file)  # noqa: PTH118 - of another machine
        elif isinstance(step.artefact, PathArtefact):
            yield str(plan.root / step.artefact.path)
    for need, wheel in survey.here:
        if need.kind != "project":
            continue
        if plan.project is None or wheel.origin != os.path.realpath(plan.project):
            raise InputError.of(
                "not-for-plain",
                "the project was staged in another folder than this one",
                where=wheel.origin,
                hint="stage it here: tumpline stage; or leave out --plain",
            )
        yield str(wheel.path)
