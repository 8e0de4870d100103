"""The parser of the command line, and the one place where errors become text and exit statuses."""

from __future__ import annotations

import argparse
import importlib
from functools import partial
from typing import TYPE_CHECKING

from tumpline import __version__

if TYPE_CHECKING:
    from types import ModuleType

    from tumpline.cli.terminal import Terminal
    from tumpline.errors import Problem

__all__ = ["COMMANDS", "FOREIGN", "command_module", "run_command"]

COMMANDS: dict[str, str] = {
    "site": "the sites, and which one this is",
    "catalogue": "make and inspect the catalogue of a site",
    "search": "find wheels and modules by name: what a site has, anywhere",
    "avail-wheels": "answer a command line of avail_wheels",
    "modules": "say which modules bring a package, and what a module brings",
    "pythons": "say which Pythons a site has",
    "init": "say in pyproject.toml where the project runs",
    "add": "ask for packages in pyproject.toml, and lock them",
    "remove": "ask for packages no longer, and lock what is left",
    "classify": "put each dependency where it belongs: main, or the group of what only the index has",
    "import": "take over what is written elsewhere: requirements files, freezes, conda's and other tools' files",
    "lock": "resolve for all targets together and write tumpline.lock",
    "explain": "why the requirements do not resolve, and what would make them",
    "why": "who asks for a package, and why this version from this source",
    "parity": "compare the targets: package by package, what differs and why",
    "export": "write the lock for other tools and other people",
    "sync": "make the environment what the lock says",
    "run": "run a command in the environment",
    "stage": "fetch and build ahead what nodes without internet can not reach",
    "cache": "say what the cache holds, and make it smaller",
    "verify": "say whether the environment is still what it should be",
    "pack": "write the environment as one file",
    "unpack": "make an environment of a packed one, on a node's own disk",
    "doctor": "say what is wrong here: modules, variables, home, lock, environment; and the cure",
    "job": "run in a job, with the environment on every node",
    "activate": "print shell code that loads the modules and activates the environment",
}
"""Command -> what it does. ``X-Y`` is the module ``X_Y_command``, with ``configure(parser)`` and ``execute(…)``."""

FOREIGN = ("avail-wheels",)
"""Commands whose options are another program's, ``-v`` among them."""


def run_command(words: list[str]) -> int:
    """Parse and run; print problems to stderr in one form, or as JSON with ``--json``."""
    parser = _parser(words)
    options = parser.parse_args(words)
    # After parsing: ``--help`` and a word too many need none of this.
    from tumpline.cli.terminal import Terminal
    from tumpline.errors import EnvironmentFailure, TumplineError

    terminal = Terminal.for_process(json=getattr(options, "json", False), verbosity=options.verbose - options.quiet)
    try:
        module = command_module(options.command)
        status = int(module.execute(options, terminal))
        # Here rather than at exit, where a full disk could not be told.
        print(end="", file=terminal.out, flush=True)
        return status
    except TumplineError as error:
        _report(error.problems, terminal)
        return error.exit_status
    except KeyboardInterrupt:
        # Also with ``-q``: it is how the command ended.
        terminal.say("interrupted", level=-1)
        return 130
    except BrokenPipeError:
        # The reader of our output went away (``tumpline … | head``): not a failure of ours.
        return 0
    except OSError as error:
        _report((_system_problem(error),), terminal)
        return EnvironmentFailure.exit_status
    except Exception as error:  # noqa: BLE001 - a fault of ours: told as one, in the form that scripts can read
        import traceback

        terminal.say(traceback.format_exc().rstrip(), level=1)
        _report((_own_problem(error),), terminal)
        return EnvironmentFailure.exit_status


def _parser(words: list[str]) -> argparse.ArgumentParser:
    # To know how wide the terminal is takes an import of milliseconds; only help is wrapped.
    wide = {"-h", "--help"}.intersection(words)
    style = argparse.HelpFormatter if wide else partial(argparse.HelpFormatter, width=80)
    common = argparse.ArgumentParser(add_help=False, formatter_class=style)
    common.add_argument("-v", "--verbose", action="count", default=0, help="say more")
    common.add_argument("-q", "--quiet", action="count", default=0, help="say less")
    parser = argparse.ArgumentParser(
        prog="tumpline",
        formatter_class=style,
        description="One pyproject.toml, one lock, working Python environments on a laptop and on every cluster.",
    )
    parser.add_argument("-V", "--version", action="version", version=f"tumpline {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in words if not word.startswith("-")), "")
    # Each parser takes a millisecond: where it is known which command is meant, the others are not made.
    for name in [wanted] if wanted in COMMANDS else COMMANDS:
        purpose = COMMANDS[name]
        command = commands.add_parser(
            name,
            help=purpose,
            description=f"{purpose[0].upper()}{purpose[1:]}.",
            formatter_class=style,
            parents=[] if name in FOREIGN else [common],
        )
        if name in FOREIGN:
            command.set_defaults(verbose=0, quiet=0)
        if name == wanted:
            command_module(name).configure(command)
    return parser


def command_module(command: str) -> ModuleType:
    """Import the module of a command."""
    return importlib.import_module(f"tumpline.cli.{command.replace('-', '_')}_command")


def _report(problems: tuple[Problem, ...], terminal: Terminal) -> None:
    if terminal.json:
        import json

        rows = [
            {"code": p.code, "message": p.message, "where": p.where, "why": p.why, "hint": p.hint} for p in problems
        ]
        try:
            terminal.data(json.dumps({"problems": rows}, indent=2))
            terminal.out.flush()
            return
        except OSError:
            # Nobody takes it, or the disk is full: told below, where it may still be read.
            pass
    for problem in problems:
        terminal.problem(problem)


def _system_problem(error: OSError) -> Problem:
    from tumpline.errors import Problem

    return Problem(
        "system-error",
        error.strerror or "the system refused something",
        where=str(error.filename or ""),
        why=type(error).__name__,
        hint="check that the file or folder exists, that you may use it, and that the disk has space left",
    )


def _own_problem(error: Exception) -> Problem:
    from tumpline.errors import Problem

    return Problem(
        "internal-error",
        "something went wrong inside tumpline",
        why=f"{type(error).__name__}: {error}",
        hint="this is a mistake in tumpline: report it, with the output of the same command with -v behind its name, "
        "which shows the traceback, and of tumpline --version",
    )
