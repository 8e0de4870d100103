"""``tumpline import FILE…``: what people and other tools have written down, as requirements of the project."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.import_making import judge_lists, read_list, with_import
from tumpline.cli.import_report import outcome_data, tell_outcome
from tumpline.cli.live import LiveLine
from tumpline.cli.project_edit import ProjectEdit
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import (
    add_index_options,
    add_project_option,
    find_project,
)
from tumpline.errors import InputError
from tumpline.project.pins import PIN_STYLES

if TYPE_CHECKING:
    from tumpline.project import Project

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="a requirements file, what pip freeze or pip list printed, an environment.yml, a uv.lock, poetry.lock or "
        "pylock.toml",
    )
    add_project_option(parser)
    add_index_options(parser)
    parser.add_argument(
        "--pins",
        choices=PIN_STYLES,
        default="tilde",
        help="what becomes of exact versions: tilde: that release and its later patches (the default); exact; none",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="keep the exact versions of what others need as well, as constraints under [tool.tumpline]",
    )
    parser.add_argument(
        "--as",
        dest="made_by",
        choices=("list", "freeze"),
        help="how to take the files: list: all that they name is asked for; freeze: they name all that was installed, "
        "and what others in them need is left out (default: as they look)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be added, write nothing")
    parser.add_argument("--json", action="store_true", help="print the account of every line as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Import, and account for every line; return 1 where a line was refused."""
    project = _project(options)
    edit = ProjectEdit.start(project.root) if project is not None else None
    lists = [read_list(path) for path in options.files]
    with LiveLine(terminal) as live:
        outcome = judge_lists(lists, project, options, live)
    if edit is not None and outcome.whole and not options.dry_run:
        edit.after = with_import(edit.before, outcome, str(edit.path))
        with edit.written():
            outcome = replace(outcome, written=edit.changed)
    if terminal.json:
        terminal.data(json.dumps(outcome_data(outcome), indent=2))
    else:
        tell_outcome(outcome, terminal)
    return 1 if any(found.problems for found in lists) else 0


def _project(options: argparse.Namespace) -> Project | None:
    """Return the project; with ``--dry-run`` there need not be one."""
    from tumpline.project.read import read_project

    try:
        root = find_project(options)
    except InputError:
        if options.dry_run and options.project is None:
            return None
        raise
    return read_project(root)
