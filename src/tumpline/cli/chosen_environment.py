"""Which environment a command is about, and whether it is known to be what the lock says.

The answer is remembered in the environment (`tumpline.environment.seen`): a command that runs a hundred times in a job
reads the lock and the project once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tumpline import __version__
from tumpline.cli.wiring import choose_target, find_project, here, read_lock_of
from tumpline.environment.record import read_record
from tumpline.environment.seen import is_seen, remember, stamp_of
from tumpline.errors import NotSo
from tumpline.host import variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tumpline.environment.check import Surroundings
    from tumpline.environment.record import EnvironmentRecord
    from tumpline.errors import Problem
    from tumpline.lock import Lock, LockedTarget
    from tumpline.project import Project

__all__ = [
    "Question",
    "Seen",
    "Usable",
    "add_environment_options",
    "ask",
    "job_folder",
    "note_current",
    "seen_environment",
    "usable_environment",
]

_FOLDER = Path(".tumpline") / "env"


class Question(NamedTuple):
    """What decides which environment is meant and whether it is current.

    `stamp` stands for all that: the lock, the project's pyproject.toml, the options, the site; it is empty where that
    is not all.
    """

    root: Path
    stamp: str


class Seen(NamedTuple):
    """An environment that is what the lock says: `place` is its link, `folder` its current generation."""

    place: Path
    folder: Path


class Usable(NamedTuple):
    """An environment to use, its record, and what speaks against using it here and now."""

    place: Path
    folder: Path
    record: EnvironmentRecord
    problems: tuple[Problem, ...]


def add_environment_options(parser: argparse.ArgumentParser) -> None:
    """Declare which environment is meant."""
    parser.add_argument("--target", metavar="NAME", help="use the environment of this target (default: this machine's)")
    parser.add_argument("--env", type=Path, metavar="DIR", help="where the environment is (default: as for sync)")
    parser.add_argument(
        "--no-check", action="store_true", help="do not look whether machine, modules and lock fit the environment"
    )


def ask(options: argparse.Namespace) -> Question:
    """Read what decides; raises InputError ``no-project``."""
    root = find_project(options)
    try:
        contents = [(root / name).read_bytes() for name in ("pyproject.toml", "tumpline.lock")]
    except OSError:
        return Question(root, "")
    if b"dynamic" in contents[0]:
        # Other files may belong to the project's requirements.
        return Question(root, "")
    words = [__version__, str(root), options.target or "", here().site_name]
    return Question(root, stamp_of(contents, words))


def seen_environment(question: Question, options: argparse.Namespace) -> Seen | None:
    """Return the environment that was found to be the answer before; None where it has to be looked for again."""
    if not question.stamp:
        return None
    for place in _places(question.root, options):
        try:
            target = os.readlink(place)  # noqa: PTH115 - the link's text is wanted, not a path made of it
        except OSError:
            continue
        folder = place.with_name(os.path.basename(target))  # noqa: PTH119 - as above
        if target.startswith(f".{place.name}.tumpline-") and is_seen(folder, question.stamp):
            return Seen(place, folder)
    return None


def usable_environment(options: argparse.Namespace, here: Surroundings) -> Usable:
    """Return the environment that the options mean, held against the lock and against where this runs (R15).

    With ``--no-check`` nothing is found to speak against it. Raises NotSo ``no-environment``, what reading the lock and
    the project raises, and what `open_environment` raises.
    """
    from tumpline.environment.check import check_environment, open_environment

    question = ask(options)
    if (seen := seen_environment(question, options)) is not None and (record := read_record(seen.folder)) is not None:
        problems = () if options.no_check else check_environment(record, here, None, seen.folder)
        return Usable(seen.place, seen.folder, record, problems)
    root, lock = read_lock_of(options)
    target = choose_target(lock, options)
    place = _place(options, root, target.name)
    try:
        folder, record = open_environment(place)
    except NotSo as error:
        raise NotSo(
            *(problem._replace(hint=f"make it: {_sync_words(options)}") for problem in error.problems)
        ) from error
    if options.no_check:
        return Usable(place, folder, record, ())
    from tumpline.environment.plan import plan_environment
    from tumpline.project.read import read_project

    project = read_project(root)
    plan = plan_environment(lock, target.name, project)
    if plan.key == record.key:
        note_current(question, lock, target, project, folder)
    return Usable(place, folder, record, check_environment(record, here, plan.key, folder))


def job_folder(environ: Mapping[str, str]) -> Path | None:
    """Return the folder on the node's own disk that belongs to the job; None outside of a job."""
    folder = environ.get("SLURM_TMPDIR", "")
    return Path(folder) if environ.get("SLURM_JOB_ID") and folder.startswith("/") else None


def _place(options: argparse.Namespace, root: Path, target: str) -> Path:
    """Return where a target's environment is: where the options say, in a job the job's own, else the project's."""
    if options.env is not None:
        return Path(os.path.abspath(options.env))  # noqa: PTH100 - keeps the link
    job = job_folder(variables())
    if job is not None and os.path.islink(job / target):  # noqa: PTH114 - says no where it may not look
        return job / target
    return root / _FOLDER / target


def _sync_words(options: argparse.Namespace) -> str:
    """Return the command that makes the environment that was asked for."""
    import shlex

    given = (("--project", options.project), ("--target", options.target), ("--env", options.env))
    return shlex.join(["tumpline", "sync", *(word for name, value in given if value for word in (name, str(value)))])


def note_current(question: Question, lock: Lock, target: LockedTarget, project: Project, folder: Path) -> None:
    """Remember that a generation is the answer to a question, where nothing else could make it another."""
    from tumpline.lock import PathArtefact

    if not question.stamp or lock.inputs != project.inputs:
        return
    for package in lock.packages:
        pin = package.pin(target.name)
        if pin is not None and isinstance(pin.artefact, PathArtefact) and not pin.artefact.sha256:
            return  # the files of a folder count as well
    remember(folder, question.stamp)


def _places(root: Path, options: argparse.Namespace) -> list[Path]:
    """Return where the environment may be; without a target named, in any place of the job or the project."""
    if options.env is not None:
        return [Path(os.path.abspath(options.env))]  # noqa: PTH100 - keeps the link
    job = job_folder(variables())
    folders = [root / _FOLDER] if job is None else [job, root / _FOLDER]
    if options.target:
        return [folder / options.target for folder in folders]
    places: list[Path] = []
    for folder in folders:
        with contextlib.suppress(OSError):
            places += [folder / name for name in sorted(os.listdir(folder)) if not name.startswith(".")]  # noqa: PTH208
    return places
