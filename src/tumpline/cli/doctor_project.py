"""What there is of the project at hand, for ``tumpline doctor``: nothing is fetched, and nothing written."""

from __future__ import annotations

import argparse
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.wiring import cache, choose_target, find_project
from tumpline.doctor import ProjectSeen
from tumpline.errors import InputError, Problem, TumplineError
from tumpline.host import variables

if TYPE_CHECKING:
    from tumpline.environment.check import Surroundings
    from tumpline.environment.record import EnvironmentRecord
    from tumpline.lock import Lock, LockedTarget
    from tumpline.project import Project
    from tumpline.sites import Site

__all__ = ["catalogue_problems", "project_seen"]

_TOLD = ("unknown-target",)
"""What is wrong with the command line, rather than with what is looked at."""


def project_seen(options: argparse.Namespace, here: Surroundings) -> tuple[ProjectSeen | None, tuple[Problem, ...]]:
    """Return the project at hand, None where there is none, and what is wrong with it.

    Raises InputError ``no-project`` where the folder that was named is no project, ``unknown-target``.
    """
    from tumpline.environment.generations import default_place
    from tumpline.lock.file import LOCK_NAME, read_lock
    from tumpline.project.read import read_project

    try:
        root = find_project(options)
    except InputError:
        if options.project is not None:
            raise
        return None, ()
    seen = ProjectSeen(str(root))
    try:
        project = read_project(root)
        lock = read_lock(root / LOCK_NAME)
        problems = _outdated(lock, project)
        target = choose_target(lock, options)
    except TumplineError as error:
        if error.code in _TOLD:
            raise
        return seen, error.problems
    place = Path(os.path.abspath(options.env or default_place(root, target.name)))  # noqa: PTH100 - keeps the link
    return _with_environment(seen._replace(target=target, place=str(place)), lock, project, target, here, problems)


def _outdated(lock: Lock, project: Project) -> tuple[Problem, ...]:
    from tumpline.cli.outdated import outdated_problems
    from tumpline.lock.check import check_lock
    from tumpline.lock.file import LOCK_NAME

    return outdated_problems(check_lock(lock, project, {}), LOCK_NAME)


def _with_environment(
    seen: ProjectSeen,
    lock: Lock,
    project: Project,
    target: LockedTarget,
    here: Surroundings,
    problems: tuple[Problem, ...],
) -> tuple[ProjectSeen, tuple[Problem, ...]]:
    """Add the environment, and what speaks against using it here and now (R15)."""
    from tumpline.environment.check import check_environment, open_environment
    from tumpline.environment.plan import plan_environment

    try:
        key: str | None = plan_environment(lock, target.name, project).key
    except TumplineError as error:
        key, problems = None, (*problems, *error.problems)
    if (elsewhere := _active_elsewhere(Path(seen.place), key)) is not None:
        active, record = elsewhere
        seen = seen._replace(place=active, folder=active, record=record)
        return seen, (*problems, *check_environment(record, here, key, Path(active)))
    try:
        folder, record = open_environment(Path(seen.place))
    except TumplineError as error:
        return seen, (*problems, *error.problems)
    return (
        seen._replace(folder=str(folder), record=record),
        (*problems, *check_environment(record, here, key, folder)),
    )


def _active_elsewhere(place: Path, key: str | None) -> tuple[str, EnvironmentRecord] | None:
    """Return the active environment where it is the very one that the lock asks for, made or unpacked at another place,
    as on a node's own disk.
    """
    from tumpline.environment.record import read_record

    active = variables().get("VIRTUAL_ENV", "")
    if not active or Path(active).parent == place.parent:
        return None
    try:
        record = read_record(Path(active))
    except InputError:
        return None
    return (active, record) if record is not None and record.key == key else None


def catalogue_problems(site: Site | None, today: date) -> tuple[Problem, ...]:
    """Return what is wrong with the catalogue of the site that this is; nothing elsewhere."""
    if site is None or site.catalogue is None or not site.environments:
        return ()
    from tumpline.catalogue.age import age_remark
    from tumpline.catalogue.find import catalogue_path
    from tumpline.catalogue.store import open_catalogue

    try:
        path = catalogue_path(site, cache())
        if path.exists():
            with open_catalogue(path) as catalogue:
                remark = age_remark(catalogue.info, today, on_site=True)
            return () if remark is None else (remark,)
    except TumplineError as error:
        return error.problems
    return (
        Problem(
            "catalogue-not-scanned",
            "the wheelhouse here was never scanned: resolving uses a list, which knows no dependencies, or nothing",
            where=site.name,
            hint="scan it, in seconds: tumpline catalogue scan",
        ),
    )
