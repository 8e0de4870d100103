"""``tumpline stage prune``: remove what no lock needs any more."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from tumpline.cli.amounts import amount, counted, days
from tumpline.cli.stage_place import open_stage
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import find_project
from tumpline.environment.stage_prune import needed_files, unneeded_files
from tumpline.errors import InputError
from tumpline.host.caches import remove_files
from tumpline.lock.file import LOCK_NAME, read_lock
from tumpline.project.read import read_project

__all__ = ["configure", "execute"]

_DAY = 86400.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the action."""
    parser.add_argument(
        "--also",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="keep what the lock in this folder needs, besides that of the project; can be repeated",
    )
    parser.add_argument(
        "--older-than",
        type=days,
        default=30.0,
        metavar="DAYS",
        help="remove only what was not staged or installed for so many days (default: 30)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")
    # Also behind the action, where a person writes them; without a default, so that those before it count.
    parser.add_argument(
        "--stage",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="the stage's folder",
    )
    parser.add_argument(
        "--project",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="the project's folder",
    )
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print the report as JSON")
    parser.add_argument("-v", "--verbose", action="count", default=argparse.SUPPRESS, help="say more")
    parser.add_argument("-q", "--quiet", action="count", default=argparse.SUPPRESS, help="say less")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Remove, and say what is free by that."""
    stage = open_stage(options)
    roots = list(options.also)
    try:
        roots.append(find_project(options))
    except InputError:
        # A stage is of many projects; where none is at hand, what is used stays for its age alone.
        if options.project is not None:
            raise
    needed = frozenset(
        file for root in roots for file in needed_files(read_lock(root / LOCK_NAME), read_project(root), stage)
    )
    files = unneeded_files(stage, needed, time.time() - options.older_than * _DAY)
    size = sum(file.size for file in files)
    for file in files:
        terminal.say(f"  {file.path.name}", level=1)
    freed = size if options.dry_run else remove_files(files)
    if terminal.json:
        data = {
            "schema": "tumpline.stage-prune/1",
            "stage": str(stage.folder),
            "dry_run": options.dry_run,
            "files": [{"path": file.path.relative_to(stage.folder).as_posix(), "bytes": file.size} for file in files],
            "bytes": freed,
        }
        terminal.data(json.dumps(data, indent=2))
    else:
        would = "would free" if options.dry_run else "freed"
        terminal.say(f"{would} {amount(freed)} in {counted(len(files), 'file')} of {stage.folder}")
    return 0
