"""``tumpline job``: the script of a job, and its submission."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.late import LateParser
from tumpline.cli.stage_place import add_stage_option
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_project_option
from tumpline.project.job import JOB_FIELDS, WAYS, wrong_value

if TYPE_CHECKING:
    from tumpline.cli.job_making import Job

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the two actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=LateParser)
    for name, purpose, declare in (
        ("script", "write the script of a job", _declare_script),
        ("submit", "check all that a job needs, and submit it", _declare_submit),
    ):
        actions.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.", declare=declare)


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the script, or submit it."""
    from tumpline.cli.job_making import describe

    if options.action == "submit":
        from tumpline.cli.job_submitting import submit

        return submit(options, terminal)
    from tumpline.cli.outdated import remark_outdated
    from tumpline.jobs.rules import refusals, remarks
    from tumpline.jobs.script import job_script

    job = describe(options)
    remark_outdated(job.lock, job.project, terminal)
    request = job.description.request
    # Who writes a script may mean to complete it by hand: nothing is refused.
    for problem in (*refusals(request, job.site, account_known=job.account_known), *remarks(request, job.site)):
        terminal.note(problem)
    text = job_script(job.description)
    if terminal.json:
        terminal.data(json.dumps(_data(job, text), indent=2))
    elif options.file is not None:
        from tumpline.host.files import write_atomically

        write_atomically(options.file, text.encode("utf-8", "surrogateescape"))
        terminal.say(f"{options.file} is written; to run it: sbatch {options.file}")
    else:
        terminal.data(text.rstrip("\n"))
    return 0


def _data(job: Job, text: str) -> dict[str, object]:
    """Return the answer as plain data; its form is documented in ``docs/reference/jobs.md``."""
    description = job.description
    return {
        "schema": "tumpline.job-script/1",
        "target": description.target,
        "way": description.way,
        "flavour": description.flavour,
        "modules": list(description.modules),
        "options": [f"--{option}={value}" for option, value in description.request.directives()],
        "script": text,
    }


def _declare_script(parser: argparse.ArgumentParser) -> None:
    _declare(parser)
    parser.add_argument("-o", "--file", type=Path, metavar="FILE", help="write to this file instead of stdout")


def _declare_submit(parser: argparse.ArgumentParser) -> None:
    _declare(parser)
    parser.add_argument("--dry-run", action="store_true", help="check and show, and submit nothing")


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [options] -- CMD ..."
    add_project_option(parser)
    parser.add_argument("--target", metavar="NAME", help="the target to run on (default: the one for this machine)")
    flavours = parser.add_mutually_exclusive_group()
    flavours.add_argument(
        "--with",
        dest="flavour",
        choices=("tumpline",),
        default="tumpline",
        help="the script uses tumpline on the nodes (the default)",
    )
    flavours.add_argument(
        "--plain",
        dest="flavour",
        action="store_const",
        const="plain",
        help="the script needs only bash, modules, virtualenv and pip, for people who have no tumpline",
    )
    parser.add_argument(
        "--environment",
        choices=WAYS,
        help="how the environment comes to the nodes: made on each of them, unpacked on each of them from an image, "
        "or made before on a login node (default: what fits the site, with an image where there is one)",
    )
    parser.add_argument(
        "--image", type=Path, metavar="FILE", help="the image to unpack (default: that of the target in the project)"
    )
    add_stage_option(parser)
    for key, field in JOB_FIELDS.items():
        parser.add_argument(
            f"--{key}",
            type=_value_of(key),
            default=None,
            metavar=key.upper(),
            # A percent sign is for argparse to fill in.
            help=f"{field.words} (sbatch --{field.option})".replace("%", "%%"),
        )
    parser.add_argument(
        "--output",
        type=_value_of("output"),
        default=None,
        metavar="DIR",
        help="the folder for what the job says and for the record of the run (default: where it is submitted)",
    )
    parser.add_argument(
        "--option",
        action="append",
        type=_value_of("options"),
        default=[],
        metavar="OPTION",
        help="a further option of sbatch, written as --option=--exclusive; can be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="CMD", help="the command and its arguments")


class _value_of:  # noqa: N801 - used as a function
    """Reads a value of a job; raises ArgumentTypeError where it is none."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, text: str) -> str:
        if words := wrong_value(self._key, text):
            raise argparse.ArgumentTypeError(f"{text[:60]!r} is not {words}")
        return text
