"""The parser of the command line, and the one place where errors become text and exit statuses."""

from __future__ import annotations

import argparse
import importlib
import json
import sys

from tumpline.cli.terminal import Terminal
from tumpline.errors import Problem, TumplineError

__all__ = ["COMMANDS", "run_command"]

COMMANDS: dict[str, str] = {
    "site": "the sites, and which one this is",
    "catalogue": "make and inspect the catalogue of a site",
    "lock": "resolve for all targets together and write tumpline.lock",
    "parity": "compare the targets: package by package, what differs and why",
    "export": "write the lock for other tools (PEP 751, requirements)",
    "sync": "make the environment what the lock says",
    "run": "run a command in the environment",
}
"""Command -> what it does. Each is a module of this package with ``configure(parser)`` and ``execute(options, terminal) -> int``."""


def run_command(words: list[str]) -> int:
    """Parse and run; print problems to stderr in one form, or as JSON with ``--json``."""
    parser = _parser(words)
    options = parser.parse_args(words)
    terminal = Terminal.for_process(json=getattr(options, "json", False), verbosity=options.verbose - options.quiet)
    try:
        module = importlib.import_module(f"tumpline.cli.{options.command}_command")
        return int(module.execute(options, terminal))
    except TumplineError as error:
        _report(error.problems, terminal)
        return error.exit_status
    except KeyboardInterrupt:
        terminal.say("interrupted")
        return 130
    except BrokenPipeError:
        # The reader of our output went away (``tumpline … | head``): not a failure of ours.
        sys.stderr.close()
        return 0


def _parser(words: list[str]) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("-v", "--verbose", action="count", default=0, help="say more")
    common.add_argument("-q", "--quiet", action="count", default=0, help="say less")
    parser = argparse.ArgumentParser(
        prog="tumpline",
        description="One pyproject.toml, one lock, working Python environments on a laptop and on every cluster.",
    )
    parser.add_argument("-V", "--version", action="store_true", help="show the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in words if not word.startswith("-")), "")
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(
            name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.", parents=[common]
        )
        if name == wanted:
            importlib.import_module(f"tumpline.cli.{name}_command").configure(command)
    return parser


def _report(problems: tuple[Problem, ...], terminal: Terminal) -> None:
    if terminal.json:
        rows = [
            {"code": p.code, "message": p.message, "where": p.where, "why": p.why, "hint": p.hint} for p in problems
        ]
        terminal.data(json.dumps({"problems": rows}, indent=2))
        return
    for problem in problems:
        terminal.problem(problem)
