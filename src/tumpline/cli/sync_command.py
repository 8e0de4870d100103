"""``tumpline sync``: make the environment what the lock says."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tumpline.cli.surroundings import surroundings_here
from tumpline.cli.sync_progress import SyncProgress, tell_footprint
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import (
    add_index_options,
    add_project_option,
    cache,
    choose_target,
    load_site_of,
    open_index,
    read_lock_of,
)
from tumpline.environment.sync import Change, SyncReport, SyncSettings, default_place, sync
from tumpline.errors import Problem
from tumpline.host import variables
from tumpline.project.read import read_project

__all__ = ["configure", "execute", "sync_data"]

_MOST_CHANGES = 15
"""Changes shown without ``-v``; the first environment is all changes."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_project_option(parser)
    parser.add_argument("--target", metavar="NAME", help="install for this target (default: the one for this machine)")
    parser.add_argument(
        "--env", type=Path, metavar="DIR", help="where the environment is (default: .tumpline/env/TARGET)"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument(
        "--jobs", type=_count, metavar="N", help="processes that install (default: one a CPU, at most 4)"
    )
    parser.add_argument("--compile", action="store_true", help="write bytecode too, so that the first import is fast")
    parser.add_argument(
        "--with",
        dest="installer",
        choices=("tumpline", "pip", "uv"),
        default="tumpline",
        help="what puts the wheels into place: tumpline itself (the default), the environment's own pip, a uv on PATH",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_index_options(parser)


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Make the environment and tell what changed."""
    root, lock = read_lock_of(options)
    target = choose_target(lock, options)
    project = read_project(root)
    if lock.inputs != project.inputs:
        terminal.note(
            Problem(
                "lock-outdated",
                "the project asks for something else since the lock was made",
                where="pyproject.toml",
                hint="bring the lock up to date: tumpline lock",
            )
        )
    site = load_site_of(target)
    environ = variables()
    settings = SyncSettings(options.offline, options.dry_run, options.jobs, options.compile, options.installer)
    with open_index(options) as index:
        report = sync(
            lock,
            target.name,
            options.env or default_place(root, target.name),
            project=project,
            wheelhouse=Path(site.wheelhouse) if site.wheelhouse else None,
            index=index,
            environ=environ,
            here=surroundings_here(environ),
            settings=settings,
            reporter=SyncProgress(terminal),
            cache=cache() / "built",
        )
    if terminal.json:
        terminal.data(json.dumps(sync_data(report), indent=2))
    else:
        _tell(report, options, terminal)
    return 0


def sync_data(report: SyncReport) -> dict[str, object]:
    """Return the report as plain data; its form is documented in ``docs/reference/environments.md``."""
    return {
        "schema": "tumpline.sync/1",
        "environment": str(report.place),
        "target": report.target,
        "python": report.python,
        "changed": report.changed,
        "dry_run": report.dry_run,
        "packages": report.packages,
        "project": report.project or None,
        "compiled": report.compiled,
        "files": report.files,
        "bytes": report.size,
        "footprint": report.footprint
        and {"files": report.footprint.files, "bytes": report.footprint.size, "exact": report.footprint.exact},
        "too_small": [{"room": room.of, "files": room.files, "bytes": room.space} for room in report.rooms],
        "changes": [
            {
                "name": change.name,
                "before": change.before or None,
                "after": change.after or None,
                "source": change.source or None,
            }
            for change in report.changes
        ],
        "kept": [{"name": kept.name, "version": kept.after, "source": kept.source} for kept in report.kept],
        "modules": [
            {"name": package.name, "version": package.version, "module": package.module} for package in report.expected
        ],
        "overlaps": [{"path": overlap.path, "winner": overlap.winner} for overlap in report.overlaps],
    }


def _tell(report: SyncReport, options: argparse.Namespace, terminal: Terminal) -> None:
    shown = report.changes if terminal.verbosity > 0 else report.changes[:_MOST_CHANGES]
    for change in shown:
        terminal.say(f"  {_change_words(change)}")
    if len(shown) < len(report.changes):
        terminal.say(f"  … and {len(report.changes) - len(shown)} more (-v shows all)")
    for overlap in report.overlaps:
        terminal.say(f"  {overlap.path} is in several packages; it is now that of {overlap.winner}", level=1)
    for package in report.expected:
        terminal.say(f"  {package.name} {package.version} is not installed: the module {package.module} brings it")
    place = _shown_place(report.place)
    if not report.changed:
        terminal.say(f"{place} is what the lock says: Python {report.python}, {report.packages} packages")
    elif report.dry_run:
        if report.footprint is not None:
            tell_footprint(report.footprint, report.rooms, terminal)
        if report.kept:
            terminal.say(f"{len(report.kept)} packages stay as they are")
        terminal.say("dry run: nothing was changed")
    else:
        size = report.size / 2**20
        terminal.say(
            f"{place} is ready: Python {report.python}, {report.packages} packages, "
            f"{report.files} files, {size:.0f} MiB"
        )
        chosen = f" --target {options.target}" if options.target else ""
        elsewhere = f" --env {options.env}" if options.env else ""
        terminal.say(f"use it: tumpline run{chosen}{elsewhere} -- python …, or: source {place}/bin/activate")


def _change_words(change: Change) -> str:
    if not change.after:
        return f"- {change.name} {change.before}"
    if not change.before:
        return f"+ {change.name} {change.after} ({change.source})"
    if change.before == change.after:
        return f"~ {change.name} {change.after} ({change.source}, another file)"
    return f"~ {change.name} {change.before} -> {change.after} ({change.source})"


def _shown_place(place: Path) -> str:
    try:
        return str(place.relative_to(Path.cwd()))
    except ValueError:
        return str(place)


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 64:
        raise argparse.ArgumentTypeError("a number from 1 to 64 is needed")
    return value
