"""``tumpline activate``: shell code that loads the modules and activates the environment."""

from __future__ import annotations

import argparse
import sys

from tumpline.cli.chosen_environment import add_environment_options
from tumpline.cli.job_environment import usable_or_made
from tumpline.cli.surroundings import surroundings_here
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_project_option
from tumpline.environment.activation import SHELLS, activation, modules_to_load
from tumpline.errors import InputError, NotSo, TumplineError
from tumpline.host import variables
from tumpline.host.shell import calling_shell

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_project_option(parser)
    add_environment_options(parser)
    parser.add_argument("--shell", choices=SHELLS, help="the shell that will run the code (default: the one that asks)")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print the code. After a failure it is ``false``, so that ``eval`` fails as well."""
    try:
        terminal.data(_code(options, terminal).rstrip("\n"))
    except TumplineError:
        terminal.data("false")
        raise
    return 0


def _code(options: argparse.Namespace, terminal: Terminal) -> str:
    if sys.platform == "win32":
        raise InputError.of(
            "shell-not-known", "there is no code for the shells of Windows", hint="use: tumpline run -- COMMAND"
        )
    environ = variables()
    shell = options.shell or calling_shell(environ)
    if shell not in SHELLS:
        raise InputError.of(
            "shell-not-known",
            f"there is no code for the shell {shell!r}",
            hint=f"name one of {', '.join(SHELLS)} with --shell; or use: tumpline run -- COMMAND",
        )
    here = surroundings_here(environ)
    _, folder, record, problems = usable_or_made(options, terminal, here)
    # What is not loaded is loaded by the code.
    if against := [problem for problem in problems if problem.code != "module-not-loaded"]:
        raise NotSo(*against)
    if not folder.is_absolute() or "\n" in str(folder):
        raise InputError.of(
            "shell-not-known", f"no shell can be given the path {folder!s}", hint="choose another folder with --env"
        )
    if terminal.out.isatty():
        how = "tumpline activate | source" if shell == "fish" else 'eval "$(tumpline activate)"'
        terminal.say(f"this is code for {shell}; to run it: {how}")
    return activation(folder, modules_to_load(record, here), shell)
