"""Which environment a command is about: that of a target of the project, or the one in a folder."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tumpline.cli.wiring import add_project_option, choose_target, read_lock_of
from tumpline.environment.generations import default_place
from tumpline.environment.record import read_record
from tumpline.errors import InputError

if TYPE_CHECKING:
    from tumpline.environment.plan import Plan
    from tumpline.lock import Lock, LockedTarget

__all__ = ["Choice", "add_environment_options", "choose_environment"]


class Choice(NamedTuple):
    """The place of an environment, and the plan that the lock gives for it; None where there is no project at hand."""

    place: Path
    plan: Plan | None


def add_environment_options(parser: argparse.ArgumentParser) -> None:
    """Declare which environment is meant."""
    add_project_option(parser)
    parser.add_argument("--target", metavar="NAME", help="the environment of this target (default: this machine's)")
    parser.add_argument("--env", type=Path, metavar="DIR", help="where the environment is (default: as for sync)")


def choose_environment(options: argparse.Namespace) -> Choice:
    """Return the environment that the options mean.

    One that is named by its folder alone knows itself for which target it is; where there is no project around, or its
    lock does not have that target, it belongs to another. Raises what reading project and lock raises.
    """
    from tumpline.environment.plan import plan_environment
    from tumpline.project.read import read_project

    alone = options.env is not None and options.project is None and options.target is None
    try:
        root, lock = read_lock_of(options)
    except InputError as error:
        if alone and error.code in ("no-project", "no-lock"):
            return Choice(_absolute(options.env), None)
        raise
    target = _target_of(options.env, lock) if alone else choose_target(lock, options)
    if target is None:
        return Choice(_absolute(options.env), None)
    plan = plan_environment(lock, target.name, read_project(root))
    return Choice(_absolute(options.env or default_place(root, target.name)), plan)


def _target_of(place: Path, lock: Lock) -> LockedTarget | None:
    """Return the target that an environment says it was made for, where the lock has it."""
    try:
        record = read_record(place)
    except InputError:
        # What is wrong with it is told by who uses it.
        return None
    return lock.target(record.target) if record is not None else None


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the environment's own link
