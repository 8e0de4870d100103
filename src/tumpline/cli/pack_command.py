"""``tumpline pack``: write the environment as one file."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path

from tumpline.cli.environment_choice import add_environment_options, choose_environment
from tumpline.cli.image_words import head_data, made_for
from tumpline.cli.sync_command import job_count, shown_place
from tumpline.cli.sync_progress import SyncProgress
from tumpline.cli.terminal import Terminal
from tumpline.environment.check import open_environment
from tumpline.environment.pack import PackReport, PackSettings, pack
from tumpline.environment.record import EnvironmentRecord
from tumpline.environment.verify import difference_words, verify
from tumpline.errors import NotSo, Problem
from tumpline.host import variables

__all__ = ["configure", "execute"]

_MOST = 5
"""Differences named; `tumpline verify` names all."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_environment_options(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        default=Path(),
        help="write this file, whose ending says how it is compressed (.tar.zst, .tar.gz, .tar); or into this folder, "
        "named by target and content (default: here)",
    )
    parser.add_argument("--no-compile", action="store_true", help="put no bytecode into the image")
    parser.add_argument("--no-check", action="store_true", help="pack the environment as it is, whatever changed in it")
    parser.add_argument(
        "--jobs", type=job_count, metavar="N", help="processes that pack (default: one a CPU, 4 at most)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Pack the environment and tell where."""
    choice = choose_environment(options)
    folder, record = open_environment(choice.place)
    environ = variables()
    progress = SyncProgress(terminal)
    if not options.no_check:
        if choice.plan is not None and choice.plan.key != record.key:
            raise NotSo.of(
                "environment-stale",
                "the environment is not what the lock says any more",
                where=f"target {record.target}",
                hint="bring it up to date: tumpline sync; or pack it as it is: tumpline pack --no-check",
            )
        _check(choice.place, folder, record, options.jobs, progress)
    settings = PackSettings(options.output, not options.no_compile, options.jobs)
    report = pack(folder, record, settings, environ=environ, reporter=progress)
    for path in report.holding:
        terminal.note(
            Problem(
                "path-not-moved",
                "a file holds the path of the environment and will hold it elsewhere too",
                where=path,
                hint="if a program reads it, make the file anew after unpacking",
            )
        )
    if terminal.json:
        data = {"schema": "tumpline.pack/1", "image": str(report.path), "stored": report.stored}
        terminal.data(json.dumps({**data, **head_data(report.head), "paths": list(report.holding)}, indent=2))
    else:
        _tell(report, terminal)
    return 0


def _check(place: Path, folder: Path, record: EnvironmentRecord, jobs: int | None, progress: SyncProgress) -> None:
    found = verify(folder, record, environ=variables(), jobs=jobs, reporter=progress).differences
    if found:
        more = [f"and {len(found) - _MOST} more"] if len(found) > _MOST else []
        raise NotSo.of(
            "environment-differs",
            "the environment was changed since it was made",
            where=str(place),
            why="\n".join([*map(difference_words, found[:_MOST]), *more]),
            hint="make it right: tumpline verify --fix; or pack it as it is: tumpline pack --no-check",
        )


def _tell(report: PackReport, terminal: Terminal) -> None:
    head = report.head
    bytecode = "with bytecode" if head.bytecode else "without bytecode"
    terminal.say(
        f"{shown_place(report.path)} is ready: {report.stored / 2**20:.0f} MiB for {head.files} files of "
        f"{head.size / 2**20:.0f} MiB, {bytecode}"
    )
    terminal.say(made_for(head))
    if head.record.project:
        terminal.say(
            f"the project itself, {head.record.project}, is in it as a link to its folder: it has to be in the same "
            "place where the image is unpacked"
        )
    terminal.say(f"use it: tumpline unpack {shlex.quote(shown_place(report.path))} DIR")
