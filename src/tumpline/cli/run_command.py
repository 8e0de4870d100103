"""``tumpline run``: run a command in the environment, after a look at whether that fits (R15)."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tumpline.cli.surroundings import surroundings_here
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_project_option, choose_target, read_lock_of
from tumpline.environment.check import check_environment, open_environment
from tumpline.environment.plan import plan_environment
from tumpline.environment.sync import default_place
from tumpline.errors import EnvironmentFailure, InputError, NotSo
from tumpline.host import variables
from tumpline.project.read import read_project

__all__ = ["command_variables", "configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_project_option(parser)
    parser.usage = "%(prog)s [options] -- CMD ..."
    parser.add_argument("--target", metavar="NAME", help="use the environment of this target (default: this machine's)")
    parser.add_argument("--env", type=Path, metavar="DIR", help="where the environment is (default: as for sync)")
    parser.add_argument(
        "--no-check", action="store_true", help="do not look whether machine, modules and lock fit the environment"
    )
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="CMD", help="the command and its arguments")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Replace this process by the command; its exit status is the command's."""
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        raise InputError.of(
            "no-command", "there is no command to run", hint="write it behind two dashes: tumpline run -- python x.py"
        )
    root, lock = read_lock_of(options)
    target = choose_target(lock, options)
    place = Path(os.path.abspath(options.env or default_place(root, target.name)))  # noqa: PTH100 - keeps the link
    try:
        folder, record = open_environment(place)
    except NotSo as error:
        raise NotSo(
            *(problem._replace(hint=f"make it: {_sync_words(options)}") for problem in error.problems)
        ) from error
    environ = variables()
    if not options.no_check:
        plan = plan_environment(lock, target.name, read_project(root))
        if problems := check_environment(record, surroundings_here(environ), plan.key):
            raise NotSo(*problems)
    wanted = command_variables(folder, environ)
    program = shutil.which(words[0], path=wanted["PATH"])
    if program is None:
        raise EnvironmentFailure.of(
            "command-not-found",
            f"there is no command {words[0]!r}",
            where=str(place),
            why="it is neither in the environment nor on PATH",
            hint="check the spelling; if a package brings it, add the package, then: tumpline lock and tumpline sync",
        )
    terminal.out.flush()
    if sys.platform == "win32":
        return subprocess.run([program, *words[1:]], env=wanted, check=False).returncode
    try:
        os.execve(program, words, wanted)  # noqa: S606 - the command is the person's own
    except OSError as error:
        raise EnvironmentFailure.of(
            "command-not-started",
            f"{words[0]} can not be started",
            where=program,
            why=error.strerror or str(error),
            hint="check that it is a program for this machine and that its interpreter exists",
        ) from error


def _sync_words(options: argparse.Namespace) -> str:
    """Return the command that makes the environment that was asked for."""
    given = (("--project", options.project), ("--target", options.target), ("--env", options.env))
    return shlex.join(["tumpline", "sync", *(word for name, value in given if value for word in (name, str(value)))])


def command_variables(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a command: what ``activate`` sets, and packages in the home folder out of sight.

    `folder` is the generation itself, so that a command goes on with what it started with when a sync comes in between.
    PYTHONPATH stays, since that is how modules bring their packages.
    """
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    kept = {name: value for name, value in environ.items() if name != "PYTHONHOME"}
    path = os.pathsep.join(filter(None, [str(programs), environ.get("PATH", "")]))
    return {**kept, "VIRTUAL_ENV": str(folder), "PATH": path, "PYTHONNOUSERSITE": "1"}
