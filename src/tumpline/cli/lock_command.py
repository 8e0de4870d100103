"""``tumpline lock``: resolve for all targets together and write ``tumpline.lock``."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from tumpline.cli.lock_making import make_lock
from tumpline.cli.lock_report import outcome_data, tell_outcome
from tumpline.cli.project_edit import ProjectEdit
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import (
    add_index_options,
    add_project_option,
    find_project,
)
from tumpline.errors import InputError
from tumpline.lock.file import LOCK_NAME
from tumpline.project.moments import parse_cutoff
from tumpline.project.read import read_project

if TYPE_CHECKING:
    from tumpline.project import Project

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_project_option(parser)
    add_index_options(parser)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--check", action="store_true", help="only say whether the lock is current (exit status 1: no)")
    either.add_argument(
        "--add-modules",
        action="store_true",
        help="where a package is lacking that a module brings, add the newest module that fits to the target in "
        "pyproject.toml; both files are written, or none",
    )
    parser.add_argument("--dry-run", action="store_true", help="resolve and show the changes, write nothing")
    parser.add_argument(
        "--upgrade",
        nargs="*",
        action="extend",
        metavar="NAME",
        help="choose anew for these packages, or without names for all; what still holds is kept otherwise",
    )
    parser.add_argument(
        "--resolution",
        choices=("highest", "lowest", "lowest-direct"),
        help="which version to choose of those that fit; lowest-direct: the lowest of what the project itself names "
        "(default: the project's resolution, else highest)",
    )
    parser.add_argument(
        "--exclude-newer",
        metavar="DATE",
        help="leave out what is on the index since later than that day (2026-01-31) or moment (2026-01-31T12:00:00Z)",
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the lock, or check it; return 1 where ``--check`` finds it out of date."""
    root = find_project(options)
    edit = ProjectEdit.start(root) if options.add_modules else None
    project = _steered(read_project(root), options)
    for note in project.notes:
        terminal.note(note)
    path = root / LOCK_NAME
    if options.check:
        from tumpline.cli.lock_check import check

        return check(project, path, options, terminal)
    outcome = make_lock(project, edit, options, terminal, options.upgrade)
    if terminal.json:
        terminal.data(json.dumps(outcome_data(outcome), indent=2))
    else:
        tell_outcome(outcome, options, terminal)
    return 0


def _steered(project: Project, options: argparse.Namespace) -> Project:
    """Return the project with what the command says in place of its settings."""
    settings = project.settings
    if options.resolution is not None:
        settings = replace(settings, resolution=options.resolution)
    if options.exclude_newer is not None:
        try:
            settings = replace(settings, exclude_newer=parse_cutoff(options.exclude_newer))
        except InputError as error:
            raise InputError(*(problem._replace(where="--exclude-newer") for problem in error.problems)) from error
    return replace(project, settings=settings)
