"""``tumpline unpack``: make an environment of an image, or say what an image is."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from tumpline.cli.chosen_environment import job_folder
from tumpline.cli.image_words import head_data, made_for
from tumpline.cli.surroundings import surroundings_here
from tumpline.cli.sync_command import job_count, shown_place
from tumpline.cli.sync_progress import SyncProgress
from tumpline.cli.terminal import Terminal
from tumpline.environment.image import read_image
from tumpline.environment.unpack import UnpackReport, unpack
from tumpline.host import variables

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("image", type=Path, metavar="FILE", help="what tumpline pack wrote")
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="DIR",
        help="where the environment will be (default: a folder named like the target, in a job in $SLURM_TMPDIR, "
        "elsewhere here)",
    )
    parser.add_argument(
        "--renew", action="store_true", help="unpack it anew, also where this very image was unpacked before"
    )
    parser.add_argument("--show", action="store_true", help="say what the image is, and unpack nothing")
    parser.add_argument(
        "--jobs", type=job_count, metavar="N", help="processes that unpack (default: one a CPU, 4 at most)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Unpack the image and tell where."""
    if options.show:
        _show(options, terminal)
        return 0
    environ = variables()
    report = unpack(
        options.image,
        options.folder or _usual_place(read_image(options.image).head.record.target, environ),
        environ=environ,
        here=surroundings_here(environ),
        jobs=options.jobs,
        reporter=SyncProgress(terminal),
        renew=options.renew,
    )
    if terminal.json:
        data = {"schema": "tumpline.unpack/1", "environment": str(report.place), "changed": report.changed}
        terminal.data(json.dumps({**data, **head_data(report.head), "python": report.python}, indent=2))
    else:
        _tell(report, terminal)
    return 0


def _usual_place(target: str, environ: Mapping[str, str]) -> Path:
    return (job_folder(environ) or Path()) / target


def _show(options: argparse.Namespace, terminal: Terminal) -> None:
    head = read_image(options.image).head
    if terminal.json:
        data = {"schema": "tumpline.image/1", "image": str(options.image), **head_data(head)}
        terminal.data(json.dumps(data, indent=2))
        return
    terminal.data(made_for(head))
    bytecode = "with bytecode" if head.bytecode else "without bytecode"
    terminal.data(
        f"{len(head.record.packages)} packages, {head.files} files, {head.size / 2**20:.0f} MiB, {bytecode}, "
        f"compression {head.compression}"
    )
    terminal.data(f"content {head.content}")
    for name, version in head.record.packages:
        terminal.data(f"  {name} {version}")


def _tell(report: UnpackReport, terminal: Terminal) -> None:
    place, head = shown_place(report.place), report.head
    if report.changed:
        terminal.say(
            f"{place} is ready: Python {report.python}, {len(head.record.packages)} packages, {report.files} files, "
            f"{report.size / 2**20:.0f} MiB"
        )
    else:
        terminal.say(f"{place} is this image already: Python {report.python}, {len(head.record.packages)} packages")
    terminal.say(made_for(head))
    terminal.say(f"use it: source {shlex.quote(place)}/bin/activate")
