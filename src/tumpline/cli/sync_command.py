"""``tumpline sync``: make the environment what the lock says."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.amounts import counted
from tumpline.cli.chosen_environment import ask, seen_environment
from tumpline.cli.stage_place import add_stage_option
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_index_options, add_project_option
from tumpline.environment.generations import is_whole
from tumpline.environment.record import Expected, read_record

if TYPE_CHECKING:
    from tumpline.environment.sync import Change, SyncReport

__all__ = ["configure", "execute", "job_count", "shown_place", "sync_data"]

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
        "--jobs", type=job_count, metavar="N", help="processes that install (default: one a CPU, at most 4)"
    )
    parser.add_argument("--compile", action="store_true", help="write bytecode too, so that the first import is fast")
    parser.add_argument("--renew", action="store_true", help="make it anew, also where it is what the lock says")
    parser.add_argument(
        "--with",
        dest="installer",
        choices=("tumpline", "pip", "uv"),
        default="tumpline",
        help="what puts the wheels into place: tumpline itself (the default), the environment's own pip, a uv on PATH",
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="make the environment of a run anew, from the record that its job left, in a folder of its own",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_stage_option(parser)
    add_index_options(parser)


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Make the environment and tell what changed."""
    question = ask(options)
    if _may_be_answered_at_once(options, terminal) and (seen := seen_environment(question, options)) is not None:
        record = read_record(seen.folder)
        if record is not None and is_whole(seen.place, seen.folder, record):
            _tell_unchanged(seen.place, record.python, len(record.packages), record.expected, terminal)
            return 0
    # Imported only now: all this takes four times as long as the answer above.
    from tumpline.cli.sync_making import make

    report = make(options, terminal, question)
    if terminal.json:
        terminal.data(json.dumps(sync_data(report), indent=2))
    elif report.changed:
        _tell(report, options, terminal)
    else:
        _tell_unchanged(report.place, report.python, report.packages, report.expected, terminal)
    return 0


def _may_be_answered_at_once(options: argparse.Namespace, terminal: Terminal) -> bool:
    return not (terminal.json or options.dry_run or options.compile or options.renew or options.record)


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
        "quota": report.quota and {"of": report.quota.of, "files": report.quota.files, "bytes": report.quota.space},
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
    _tell_expected(report.expected, terminal)
    place = shown_place(report.place)
    if report.dry_run:
        if report.footprint is not None:
            from tumpline.cli.sync_progress import tell_footprint

            tell_footprint(report.footprint, report.rooms, report.quota, terminal)
        if report.kept:
            terminal.say(f"kept as they are: {counted(len(report.kept), 'package')}")
        terminal.say("dry run: nothing was changed")
    else:
        size = report.size / 2**20
        terminal.say(
            f"{place} is ready: Python {report.python}, {report.packages} packages, "
            f"{report.files} files, {size:.0f} MiB"
        )
        if options.record is not None:
            terminal.say(f"use it: source {place}/bin/activate")
            return
        chosen = f" --target {options.target}" if options.target else ""
        elsewhere = f" --env {options.env}" if options.env else ""
        terminal.say(f"use it: tumpline run{chosen}{elsewhere} -- python …, or: source {place}/bin/activate")


def _tell_unchanged(
    place: Path, python: str, packages: int, expected: tuple[Expected, ...], terminal: Terminal
) -> None:
    _tell_expected(expected, terminal)
    terminal.say(f"{shown_place(place)} is what the lock says: Python {python}, {packages} packages")


def _tell_expected(expected: tuple[Expected, ...], terminal: Terminal) -> None:
    for package in expected:
        terminal.say(f"  {package.name} {package.version} is not installed: the module {package.module} brings it")


def _change_words(change: Change) -> str:
    if not change.after:
        return f"- {change.name} {change.before}"
    if not change.before:
        return f"+ {change.name} {change.after} ({change.source})"
    if change.before == change.after:
        return f"~ {change.name} {change.after} ({change.source}, another file)"
    return f"~ {change.name} {change.before} -> {change.after} ({change.source})"


def shown_place(place: Path) -> str:
    """Return a path as a person would write it here: relative where it lies below."""
    try:
        return str(place.relative_to(Path.cwd()))
    except ValueError:
        return str(place)


def job_count(text: str) -> int:
    """Read a number of processes; raises ArgumentTypeError or ValueError."""
    value = int(text)
    if not 1 <= value <= 64:
        raise argparse.ArgumentTypeError("a number from 1 to 64 is needed")
    return value
