"""``tumpline run``: run a command in the environment, with its modules, after a look at whether that fits (R15)."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tumpline.cli.chosen_environment import add_environment_options, usable_environment
from tumpline.cli.job_environment import usable_or_made
from tumpline.cli.module_loading import load_modules
from tumpline.cli.surroundings import surroundings_here
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_project_option
from tumpline.environment.activation import modules_to_load
from tumpline.errors import EnvironmentFailure, InputError, NotSo, Problem
from tumpline.host import variables

__all__ = ["command_variables", "configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_project_option(parser)
    parser.usage = "%(prog)s [options] -- CMD ..."
    add_environment_options(parser)
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="CMD", help="the command and its arguments")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Replace this process by the command; its exit status is the command's."""
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        raise InputError.of(
            "no-command", "there is no command to run", hint="write it behind two dashes: tumpline run -- python x.py"
        )
    environ = variables()
    place, folder, record, problems = usable_or_made(options, terminal, surroundings_here(environ))
    if not options.no_check and all(problem.code == "module-not-loaded" for problem in problems):
        before = surroundings_here(variables())
        after = load_modules(modules_to_load(record, before), before, terminal)
        if after != before:
            place, folder, _, problems = usable_environment(options, after)
    if problems:
        raise NotSo(*problems)
    if "VIRTUAL_ENV" in environ:
        _remark_late(environ, terminal)
    wanted = command_variables(folder, variables())
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
        import subprocess

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


def _remark_late(environ: Mapping[str, str], terminal: Terminal) -> None:
    """Say so where modules were loaded after an environment was activated; the command finds its environment first."""
    from tumpline.host.active import loaded_after

    if late := loaded_after(environ):
        terminal.note(
            Problem(
                "module-after-activation",
                f"loaded after the environment was activated: {', '.join(late)}",
                why="outside of this command, their programs come before those of the environment",
                hint='activate again, after the modules: eval "$(tumpline activate)"',
            )
        )


def command_variables(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a command: what ``activate`` sets, and packages in the home folder out of sight.

    `folder` is the generation itself, so that a command goes on with what it started with when a sync comes in between.
    PYTHONPATH stays, since that is how modules bring their packages.
    """
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    kept = {name: value for name, value in environ.items() if name != "PYTHONHOME"}
    path = os.pathsep.join(filter(None, [str(programs), environ.get("PATH", "")]))
    return {**kept, "VIRTUAL_ENV": str(folder), "PATH": path, "PYTHONNOUSERSITE": "1"}
